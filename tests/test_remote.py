"""What was computed comes to a colleague by `dvc push` and `dvc pull`: nothing trains again there."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import dvc

pytestmark = pytest.mark.slow
BUCKET = "computed"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
STAGES = {
    "train": {"cmd": "echo trained >> ../trace; echo weights > model", "deps": ["data"], "outs": ["model"]},
    "evaluate": {
        "cmd": "echo evaluated >> ../trace; echo '{\"psnr_db\": 29.5}' > metrics.json",
        "deps": ["model"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
}


@pytest.fixture
def computed(tmp_path: Path) -> Path:
    """A repository in which everything has been run and committed."""
    folder = tmp_path / "computed"
    folder.mkdir()
    (folder / "data").write_text("photographs\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc(folder, "init", "-q")
    dvc(folder, "repro")
    return folder


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of an S3 server on this machine, with a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    session = boto3.session.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    session.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


def commit(folder: Path) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "computed"], cwd=folder, check=True)


def pulled(folder: Path) -> Path:
    """Push, clone, pull: the clone, which has the model."""
    commit(folder)
    dvc(folder, "push", "--run-cache")
    clone = folder.parent / "clone"
    subprocess.run(["git", "clone", "-q", folder, clone], check=True)
    dvc(clone, "pull", "--run-cache")
    assert (clone / "model").read_text() == "weights\n"
    return clone


def test_a_folder_serves_as_remote(computed: Path, tmp_path: Path) -> None:
    dvc(computed, "remote", "add", "--default", "computed", str(tmp_path / "remote"))
    clone = pulled(computed)
    assert "Running stage" not in dvc(clone, "repro")
    (clone / "dvc.lock").unlink()  # as on another branch: known by what was run, not by what was committed
    assert "Running stage 'train'" not in dvc(clone, "repro")
    assert (tmp_path / "trace").read_text().count("trained") == 1


def test_s3_compatible_storage_serves_as_remote(computed: Path, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    dvc(computed, "remote", "add", "--default", "computed", f"s3://{BUCKET}/denoising-replications")
    dvc(computed, "remote", "modify", "computed", "endpointurl", s3)
    pulled(computed)
