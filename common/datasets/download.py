"""Official archives, downloaded once into the git-ignored scratch folder."""

import errno
from pathlib import Path

from common.errors import UserError

DOWNLOADS = Path(".scratch/downloads")


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
