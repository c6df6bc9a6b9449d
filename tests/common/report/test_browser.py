"""The report in a browser: what a parser cannot tell."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.common.report.browser import EXECUTABLE, Browser

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium here (Debian: apt-get install chromium)")
UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
SETTLE = "new Promise(done => setTimeout(done, 400))"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def address(finished: Path) -> str:
    return (finished / "results/report.html").as_uri()


def unfolded(browser: Browser, address: str, width: int = 1400, scheme: str = "light") -> None:
    """Open the page with everything unfolded and every slider made."""
    browser.open(address, width=width, scheme=scheme)
    browser.run(UNFOLD)
    browser.run("document.querySelectorAll('.comparison').forEach(one => { one.scrollIntoView() })")
    browser.run(SETTLE)
    browser.run(
        "document.querySelectorAll('.comparison:not(.live)').forEach(one => { waiting.unobserve(one); slider(one) })"
    )
    browser.run(SETTLE)


def test_the_page_reports_no_error_and_asks_the_network_for_nothing(browser: Browser, address: str) -> None:
    unfolded(browser, address)
    reported = [event for event in browser.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert reported == []
    requested = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert requested[0] == address
    assert all(url.startswith("data:") for url in requested[1:])


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_wider_than_the_window(browser: Browser, address: str, width: int) -> None:
    unfolded(browser, address, width)
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(browser: Browser, address: str, scheme: str) -> None:
    unfolded(browser, address, scheme=scheme)
    assert browser.run(CONTRAST) == []
    assert browser.run("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")


def test_every_picture_says_what_it_shows(browser: Browser, address: str) -> None:
    browser.open(address)
    alts = browser.run("[...document.images].map(image => image.alt)")
    assert len(alts) > 5
    assert all(alts)
    assert "Photograph astronaut (Table 1, Gaussian noise on colour): noisy, PSNR 29.05 dB" in alts


def test_the_ledger_is_filtered_by_text_verdict_and_paper(browser: Browser, address: str) -> None:
    browser.open(address)
    visible = "[...document.querySelectorAll('.entry:not([hidden])')].map(entry => entry.id)"
    everything = browser.run(visible)
    assert {"U1.dncnn", "U1.dudncnn", "U2", "U20", "US1"} <= set(everything)
    change = "form.elements.{}.value = '{}'; form.dispatchEvent(new Event('input', {{bubbles: true}}))"
    browser.run(change.format("text", "parameters"))
    assert browser.run(visible) == ["U20"]
    assert browser.run("document.querySelector('#filter output').textContent") == f"1 of {len(everything)} rows"
    browser.run(change.format("text", ""))
    browser.run(change.format("verdict", "contradiction"))
    assert browser.run(visible) == ["US1"]


def test_the_ledger_is_sorted_by_verdict_and_back(browser: Browser, address: str) -> None:
    browser.open(address)
    claims = "[...document.querySelectorAll('.claim h4 a')].map(link => link.textContent)"
    before = browser.run(claims)
    browser.run("form.elements.sort.value = 'verdict'; filter()")
    verdicts = browser.run(
        "[...document.querySelectorAll('.claim .entry')].map(entry => ORDER.indexOf(entry.dataset.verdict))"
    )
    assert verdicts == sorted(verdicts)
    assert browser.run(claims) != before
    browser.run("form.elements.sort.value = ''; filter()")
    assert browser.run(claims) == before


def test_an_address_opens_the_claim_and_its_evidence(browser: Browser, address: str) -> None:
    browser.open(f"{address}#U1.dncnn")
    assert browser.run("document.getElementById('U1.dncnn').open && document.getElementById('ledger').open")
    assert "which test set is open" in browser.run("document.querySelector('#U1\\\\.dncnn .evidence').innerText")
    top = browser.run("document.getElementById('U1.dncnn').getBoundingClientRect().top")
    assert 0 <= top < 900


def test_an_address_shows_what_a_filter_hides(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.run("form.elements.text.value = 'no such words'; filter()")
    browser.run("location.hash = '#U2'")
    browser.run(SETTLE)
    assert browser.run("document.getElementById('U2').checkVisibility()")


def test_a_slider_moves_by_key_mouse_and_finger(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.run(SETTLE)
    at = "document.querySelector('.hero .stage').style.getPropertyValue('--at')"
    assert browser.run(at) == "50%"
    browser.run("document.querySelector('.hero .stage input').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
    assert browser.run(at) == "51%"
    box = browser.run(
        "(({left, top, width, height}) => [left, top, width, height])"
        "(document.querySelector('.hero .stage').getBoundingClientRect())"
    )
    left, top, width, height = box
    quarter = {"x": left + width / 4, "y": top + height / 2}
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **quarter)
    assert abs(float(browser.run(at).rstrip("%")) - 25) <= 2
    browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
    for kind, share in (("touchStart", 0.3), ("touchMove", 0.6), ("touchMove", 0.8)):
        points = [{"x": left + share * width, "y": top + height / 2}]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    browser.call("Emulation.setTouchEmulationEnabled", enabled=False)
    assert abs(float(browser.run(at).rstrip("%")) - 80) <= 2


def test_without_scripts_the_page_is_a_plain_list(browser: Browser, address: str) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{address}")
        assert browser.run("document.querySelectorAll('.entry').length") >= 5
        assert not browser.run("document.getElementById('filter').checkVisibility()")
        assert browser.run("document.querySelector('.hero .pictures img').checkVisibility()")
        assert browser.run("document.querySelectorAll('.stage').length") == 0
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
