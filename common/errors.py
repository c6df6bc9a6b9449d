"""The one exception that stands for bad input, and how a command reports it."""


class UserError(Exception):
    """Something the user can mend: the message is one line that names the thing and the fix.

    Commands print it without a traceback and exit with status 2 (see `common.command.run`).
    """
