"""One's own denoiser: what is accepted, and the one line for everything that is not."""

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from common.benchmark.door import own
from common.benchmark.entrants import shipped
from common.benchmark.protocol import Case
from common.denoise.pretrained import FOLDER
from common.errors import UserError
from common.store import save_arrays

CASE = Case("gaussian", 25.0, seed=0)
NOISY = np.random.default_rng(0).normal(127, 40, (9, 7, 3)).astype(np.float32)
GREY = NOISY[..., :1]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes the user's module `mine` into the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(source: str) -> None:
        (tmp_path / "mine.py").write_text("import numpy as np\nimport torch\nfrom torch import nn\n" + source)
        sys.modules.pop("mine", None)

    yield write
    sys.modules.pop("mine", None)


def estimate(spec: str, noisy: np.ndarray = NOISY, weights: Path | None = None) -> np.ndarray:
    denoise = own(spec, weights, None).prepare(CASE)
    assert denoise is not None
    return denoise(noisy)


def refused(spec: str, weights: Path | None = None, noisy: np.ndarray = NOISY) -> str:
    with pytest.raises(UserError) as error:
        estimate(spec, noisy, weights)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_function_sees_the_unit_range_and_the_level(module) -> None:
    module("def denoise(noisy, sigma):\n    denoise.seen = noisy, sigma\n    return noisy / 2\n")
    np.testing.assert_allclose(estimate("mine:denoise"), NOISY / 2, atol=1e-4)
    noisy, sigma = sys.modules["mine"].denoise.seen
    np.testing.assert_allclose(noisy, NOISY / 255, atol=1e-6)
    assert noisy.dtype == np.float32
    assert sigma == 25.0


def test_a_grey_picture_has_one_channel_and_may_lose_it(module) -> None:
    module("def denoise(noisy, sigma):\n    assert noisy.shape[2] == 1\n    return noisy[..., 0]\n")
    np.testing.assert_allclose(estimate("mine:denoise", GREY), GREY, atol=1e-4)


MODULE = """
class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))
    def forward(self, noisy):
        assert noisy.shape == (1, 3, 9, 7) and not self.training
        return self.factor * noisy
half = Half()
def factory():
    return Half()
"""


@pytest.mark.parametrize("name", ["Half", "half", "factory"])
def test_a_module_a_class_and_a_factory_are_the_same(name: str, module) -> None:
    module(MODULE)
    np.testing.assert_allclose(estimate(f"mine:{name}"), NOISY / 2, atol=1e-4)
    assert own(f"mine:{name}", None, "a name").name == "a name"
    assert own(f"mine:{name}", None, None).parameters == 1


@pytest.mark.parametrize("second", ["sigma", "sigma=None", "noise_map"])
def test_a_module_that_asks_is_told_the_level_on_its_own_scale(second: str, module) -> None:
    name = second.split("=")[0]
    module(f"class Told(nn.Module):\n    def forward(self, x, {second}):\n        return x * 0 + {name}\n")
    assert np.unique(estimate("mine:Told").round(3)).tolist() == [25.0]


def test_weights_of_safetensors_and_torch_and_frameworks(module, tmp_path: Path) -> None:
    module(MODULE)
    factor = torch.tensor(0.25)
    save_arrays(tmp_path / "w.safetensors", {"factor": factor.numpy()})
    torch.save({"factor": factor}, tmp_path / "w.pth")
    torch.save({"params": {"factor": factor}}, tmp_path / "basicsr.pth")
    torch.save({"epoch": 3, "state_dict": {"factor": factor}}, tmp_path / "lightning.ckpt")
    for name in ("w.safetensors", "w.pth", "basicsr.pth", "lightning.ckpt"):
        np.testing.assert_allclose(estimate("mine:Half", weights=tmp_path / name), NOISY / 4, atol=1e-4)


def test_wrong_weights_are_named(module, tmp_path: Path) -> None:
    module(MODULE + "def denoise(noisy, sigma):\n    return noisy\n")
    assert "w.pth is missing" in refused("mine:Half", tmp_path / "w.pth")
    torch.save({"other": torch.tensor(1.0)}, tmp_path / "w.pth")
    assert "w.pth lacks factor" in refused("mine:Half", tmp_path / "w.pth")
    torch.save({"factor": torch.tensor(1.0), "more": torch.tensor(1.0)}, tmp_path / "w.pth")
    assert "has, and the network has not, more" in refused("mine:Half", tmp_path / "w.pth")
    torch.save({"factor": torch.ones(2)}, tmp_path / "w.pth")
    assert "has another shape of factor" in refused("mine:Half", tmp_path / "w.pth")
    torch.save(nn.Linear(1, 1), tmp_path / "w.pth")  # a pickled object
    assert "cannot be read as tensors alone" in refused("mine:Half", tmp_path / "w.pth")
    torch.save([1, 2], tmp_path / "w.pth")
    assert "holds no state_dict" in refused("mine:Half", tmp_path / "w.pth")
    assert "goes with a torch module" in refused("mine:denoise", tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def other(): pass", "has no denoise"),
        ("denoise = 3", "is a int: write denoise"),
        ("def denoise(noisy): return noisy", r"takes (noisy): write denoise"),
        ("def denoise(a, b, c): return a", "takes (a, b, c): write denoise"),
        ("def denoise(): return 3", "returned int where a torch module is wanted"),
        ("def denoise(noisy, sigma): return noisy[1:]", "returned shape (8, 7, 3) for a picture of shape (9, 7, 3)"),
        ("def denoise(noisy, sigma): return noisy.transpose(2, 0, 1)", "returned shape (3, 9, 7)"),
        ("def denoise(noisy, sigma): return noisy * np.nan", "returned NaN or infinite values"),
        ("def denoise(noisy, sigma): return noisy / 0", "NaN or infinite"),
        ("def denoise(noisy, sigma): return noisy * 255", "not on the 0–255 scale"),
        ("def denoise(noisy, sigma): pass", "returned NoneType, not an array"),
        ("def denoise(noisy, sigma): return 'x'", "returned str, not an array"),
        ("def denoise(noisy, sigma):\n    raise ValueError('odd\\nsizes')", "ValueError: odd (mine.py, line 5)"),
        ("raise RuntimeError('at import')", "cannot be imported: RuntimeError: at import (mine.py, line 4)"),
        ("import nowhere_at_all", "cannot be imported: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("class denoise(nn.Module):\n    def forward(self): pass", "forward takes ()"),
        ("class denoise(nn.Module):\n    def __init__(self, width): pass", "takes (width): write denoise"),
        ("class denoise(nn.Module):\n    def forward(self, x): return x[0]", "forward returned shape (3, 9, 7)"),
        ("class denoise(nn.Module):\n    def forward(self, x): return [x]", "forward returned list, not a tensor"),
        ("def denoise(noisy, sigma):\n    import sys\n    return sys.exit", "not an array"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_wrong_is_one_line(source: str, words: str, module) -> None:
    module(textwrap.dedent(source) + "\n")
    assert words in refused("mine:denoise")


def test_a_network_for_other_colours_is_named(module) -> None:
    module("def denoise():\n    return nn.Conv2d(3, 3, 1)\n")
    assert "failed on a picture of shape (9, 7, 1): RuntimeError" in refused("mine:denoise", noisy=GREY)


def test_names_that_lead_nowhere(module) -> None:
    module("")
    assert "there is no module nowhere" in refused("nowhere:denoise")
    assert "there is no module mine.inner" in refused("mine.inner:denoise")
    assert "must be package.module:name" in refused("mine")


SHIPPED = """
from replications.udncnn.models import Build, DUDnCNN

class Mine(DUDnCNN):
    def __init__(self):
        super().__init__(Build(depth=6, width=64, batch_norm="lineage"))

    def forward(self, noisy):  # [0, 1] here, [-1, 1] there
        return (super().forward(noisy * 2 - 1) + 1) / 2
"""


def test_a_shipped_network_through_the_door_gives_what_its_row_gives(module) -> None:
    module(SHIPPED)
    weights = FOLDER / "udncnn/pretrained/dudncnn.safetensors"
    (row,) = shipped(["dudncnn"])
    denoise = row.prepare(CASE)
    assert denoise is not None
    np.testing.assert_array_equal(estimate("mine:Mine", weights=weights), denoise(NOISY))
    assert own("mine:Mine", weights, None).parameters == row.parameters == 225_859
