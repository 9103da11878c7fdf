"""The error that a user is meant to read."""


class EvergreenError(Exception):
    """A fault that the user can act on, said in one sentence.

    The message names what is wrong, where, what was found, what is allowed, and what to do. The command
    line prints it without a traceback and ends non-zero.
    """
