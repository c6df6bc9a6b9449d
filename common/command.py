"""How every command of the suite starts and fails: one clear line, exit status 2, nothing half-written."""

import errno
import sys
from collections.abc import Callable

from common.errors import UserError

EXIT_BAD_INPUT = 2


def run(main: Callable[[], None]) -> None:
    """Run `main`; turn bad input and a full disk into one line on standard error and exit status 2."""
    try:
        main()
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        print("interrupted; a training goes on from its last checkpoint when run again", file=sys.stderr)
        raise SystemExit(130) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" while writing {error.filename}" if error.filename else ""
        _fail(f"no space left on the disk{where}: free some and run again (nothing was half-written)")


def _fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(EXIT_BAD_INPUT)
