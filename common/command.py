"""How every command of the suite starts and fails: one clear line, exit status 2, nothing half-written."""

import errno
import os
import signal
import sys
from collections.abc import Callable

from common.errors import UserError

EXIT_BAD_INPUT = 2
GOES_ON = "a training goes on from its last checkpoint when run again"


class Terminated(BaseException):
    """SIGTERM, as an exception, so that whatever is open is closed on the way out."""


def run(main: Callable[[], None]) -> None:
    """Run `main`; turn what the user can mend into one line on standard error and exit status 2.

    That is bad input (UserError), a full disk, and a file without leave to read or write it. Ctrl-C and SIGTERM are a
    line and exit status 130 and 143, as shells have it.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        main()
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        print(f"interrupted; {GOES_ON}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None
    except Terminated:
        print(f"terminated; {GOES_ON}", file=sys.stderr)
        raise SystemExit(128 + signal.SIGTERM) from None
    except OSError as error:
        where = f" while writing {error.filename}" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail(f"no space left on the disk{where}: free some and run again (nothing was half-written)")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and error.filename:
            _fail(f"{error.filename} is not to be read or written ({error.strerror}): change who may, then run again")
        raise


def _terminated(number: int, frame: object, owner: int = os.getpid()) -> None:
    """Raise in the process that runs the command; the processes that it has forked end as if nothing was set."""
    if os.getpid() == owner:
        raise Terminated
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(EXIT_BAD_INPUT)
