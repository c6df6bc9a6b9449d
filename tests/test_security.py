"""What comes from outside is data: nothing of it is executed, unpickled, or put into a shell or a page as it stands."""

import ast
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from rich.console import Console

from common import progress
from common.benchmark import __main__ as benchmark
from common.denoise.pretrained import Network
from common.report import document
from common.report.blocks import Heading, Items, Paragraph, Table

SOURCES = sorted(path for folder in ("common", "replications") for path in Path(folder).rglob("*.py"))
EXECUTES = {
    "eval", "exec", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads", "shelve.open",
    "torch.load", "joblib.load", "pd.read_pickle", "yaml.unsafe_load", "yaml.full_load", "subprocess.getoutput",
}  # fmt: skip
LOADERS = {"SafeLoader", "CSafeLoader"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a module by its dotted name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> str | None:
    return next((ast.unparse(word.value) for word in call.keywords if word.arg == name), None)


def found(call: ast.Call, name: str) -> str | None:
    """What is dangerous about a call, or None."""
    last = name.rsplit(".", 1)[-1]
    if name == "torch.load" and keyword(call, "weights_only") == "True":  # tensors alone, by an unpickler of its own
        return None
    if name in EXECUTES or last in ("read_pickle", "extractall"):
        return name
    if keyword(call, "shell") == "True":
        return f"{name} with a shell"
    if keyword(call, "allow_pickle") not in (None, "False") or (
        name == "np.load" and not keyword(call, "allow_pickle")
    ):
        return f"{name} may unpickle"
    of_text = name.endswith(".str.extract")  # pandas', of columns
    if last == "extract" and not of_text and keyword(call, "filter") != "'data'":
        return f"{name} without the data filter"
    if name == "yaml.load" and not any(loader in ast.unparse(call) for loader in LOADERS):
        return "yaml.load with a loader that builds objects"
    return None


@pytest.mark.parametrize(
    "text",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "tar.extractall(folder)",
        "tar.extract(member, folder)",
        "subprocess.run(f'rm {name}', shell=True)",
        "yaml.load(text, yaml.Loader)",
        "eval(text)",
    ],
)
def test_the_audit_sees_what_is_dangerous(text: str) -> None:
    (call,) = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    assert found(call, ast.unparse(call.func))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_nothing_from_outside_is_executed_or_unpickled(path: Path) -> None:
    assert [reason for name, call in calls(path) if (reason := found(call, name))] == []


def test_no_module_imports_pickle() -> None:
    """Dask pickles what it sends between its own processes; the suite itself reads and writes none."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"} & set(names), path


def test_a_record_of_a_network_names_code_of_this_suite_alone() -> None:
    rest = {"settings": {"command": "true"}, "range": [0.0, 1.0], "receptive_field": None, "period": 1}
    Network(factory="replications.udncnn.models:table1_network", **rest)
    for factory in ("os:system", "replications.udncnn.models.os:system", "subprocess:run"):
        with pytest.raises(ValidationError):
            Network(factory=factory, **rest)


NAME = '<script>alert("x")</script>|a*b_c`d.png'


SHOW = '{% from "blocks.html.j2" import show with context %}{% for block in blocks %}{{ show(block) }}{% endfor %}'


def test_names_from_outside_are_text_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(document.TEMPLATES, tmp_path / "templates")
    (tmp_path / "templates/names.html.j2").write_text(SHOW)
    monkeypatch.setattr(document, "TEMPLATES", tmp_path / "templates")
    blocks = [Heading(NAME), Paragraph(NAME), Items([(NAME, NAME)]), Table([NAME], [[NAME], NAME])]
    page = document.render("names.html.j2", tmp_path, blocks=blocks)
    assert page.count("&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;|a*b_c`d.png") >= 7
    assert "<script>" not in page


def test_names_from_outside_are_text_in_markdown() -> None:
    assert document._markdown(NAME) == r'\<script\>alert("x")\</script\>\|a\*b\_c\`d.png'


MARKUP = "[bold]a[/b] [/x].png"
"""A name that rich would read as markup, and as damaged one at that."""


def test_names_from_outside_are_text_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"set": f"folder:{MARKUP}", "corruption": "gaussian", "level": 25.0, "images": 1, "kind": "own"}
    scores = {"denoiser": MARKUP, "psnr_db": 30.0, "psnr_low": 29.0, "psnr_high": 31.0, "ssim": 0.9}
    benchmark._print(pd.DataFrame([{**told, **scores, "parameters": 7, "ms_per_megapixel": 1000.0, "rank": 1}]))
    assert "folder:[bold]a[/b]" in capsys.readouterr().out
    shown = io.StringIO()
    with progress._bars(Console(file=shown, force_terminal=True, width=120)) as bars:
        progress._bar(bars, 1, MARKUP, 0)(1, MARKUP)
    assert MARKUP in re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())


def test_only_the_suites_own_markup_is_put_into_the_page_as_it_stands() -> None:
    raw = [
        found
        for path in document.TEMPLATES.glob("*.html.j2")
        for found in re.findall(r"{{(.*?\| *safe.*?)}}", path.read_text())
    ]
    assert raw
    for expression in raw:
        assert expression.strip() in ("style | safe", "script | safe") or expression.strip().startswith("' class="), raw
