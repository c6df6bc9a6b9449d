"""Official archives, downloaded once into the git-ignored scratch folder."""

import errno
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.datasets.folders import find
from common.errors import UserError

DOWNLOADS = Path(".scratch/downloads")


def find_archive(root: Path | None, url: str, folder: str = "") -> Path | None:
    """The archive of that address: under `root` (there perhaps in `folder`), or downloaded earlier; else None."""
    archive = url.rsplit("/", 1)[1]
    layouts = (f"{folder}/{archive}", archive) if folder else (archive,)
    return find(root, *layouts) or find(DOWNLOADS, archive)


def download(name: str, url: str, fix: str) -> Path:
    """Path of the archive at `url`, downloaded with a progress bar unless it is here already.

    Its contents are checked by whoever reads them. UserError with the address and `fix` where there is no network.
    """
    archive = DOWNLOADS / url.rsplit("/", 1)[1]
    if archive.is_file():
        return archive
    import pooch

    pooch.get_logger().setLevel("WARNING")
    print(f"downloading {name} from {url} into {DOWNLOADS}", flush=True)
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=30)
    try:
        pooch.retrieve(url, known_hash=None, fname=archive.name, path=DOWNLOADS, downloader=downloader)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        reason = type(error).__name__
        raise UserError(f"{name} is not here and {url} cannot be downloaded ({reason}): {fix}") from None
    return archive


def check_md5(archive: Path, md5: str) -> None:
    """UserError unless the archive has the published md5."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != md5:
        raise UserError(f"{archive} has md5 {found}, published is {md5}: delete it and run again")


@contextmanager
def opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """The archive, to be read where it is: nothing of it is unpacked to disk. UserError where it is damaged."""
    try:
        with tarfile.open(archive) as tar:
            yield tar
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")  # tarfile lists every format that it has tried
        raise UserError(f"{archive} is damaged ({reason}): delete it and run again") from None
