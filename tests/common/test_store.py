import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.errors import UserError
from common.store import load_arrays, read_json, save_arrays, write_bytes, write_csv, write_json

ARRAYS = {"b": np.arange(6, dtype=np.uint8).reshape(2, 3), "a": np.float32([[1.5]])}


def test_arrays_come_back_as_they_went(tmp_path: Path) -> None:
    save_arrays(tmp_path / "deep/er/arrays.safetensors", ARRAYS)
    loaded = load_arrays(tmp_path / "deep/er/arrays.safetensors")
    assert list(loaded) == ["a", "b"]
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    save_arrays(tmp_path / "one", ARRAYS)
    save_arrays(tmp_path / "two", dict(reversed(ARRAYS.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_full_disk_leaves_the_old_file_and_no_half_written_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"psnr_db": 29.0})

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left") as failure:
        write_json(path, {"psnr_db": 30.0})
    assert failure.value.filename == str(path)
    assert read_json(path) == {"psnr_db": 29.0}
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"test\.safetensors is missing: run `dvc repro`"):
        load_arrays(tmp_path / "test.safetensors")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_bytes(tmp_path / "weights.safetensors", b"not a safetensors file at all")
    with pytest.raises(UserError, match=r"weights\.safetensors is not a readable safetensors file"):
        load_arrays(tmp_path / "weights.safetensors")


def test_not_a_number_is_not_written_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", {"psnr_db": float("nan")})
    assert not (tmp_path / "metrics.json").exists()


def test_tables_keep_six_significant_digits(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", pd.DataFrame({"psnr_db": [28.96621111]}))
    assert (tmp_path / "table.csv").read_text() == "psnr_db\n28.9662\n"
