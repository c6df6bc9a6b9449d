import errno
import subprocess
import sys
from pathlib import Path

import pytest

from common import command
from common.errors import UserError


def test_bad_input_is_one_line_and_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise UserError("image x.png is 8×8, smaller than 16×16: leave it out")

    with pytest.raises(SystemExit) as stop:
        command.run(main)
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: image x.png is 8×8, smaller than 16×16: leave it out\n"


def test_a_full_disk_is_one_line_and_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "models/weights.safetensors")

    with pytest.raises(SystemExit) as stop:
        command.run(main)
    assert stop.value.code == 2
    assert "no space left on the disk while writing models/weights.safetensors" in capsys.readouterr().err


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    def main() -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    with pytest.raises(OSError, match="Bad file descriptor"):
        command.run(main)


def test_a_wrong_parameter_stops_a_stage_with_status_2_and_writes_nothing(tmp_path: Path) -> None:
    text = Path("params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("sigma: null", "sigma: -5", 1))
    (tmp_path / "replications").symlink_to(Path("replications").absolute())
    (tmp_path / "common").symlink_to(Path("common").absolute())
    stage = [sys.executable, "-m", "common.noise", "udncnn"]
    ended = subprocess.run(stage, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "error: noise.sigma must be ≥ 0 (params.yaml), got -5\n"
    assert {path.name for path in tmp_path.iterdir()} == {"params.yaml", "replications", "common"}
