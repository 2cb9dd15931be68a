"""An exception that nobody foresaw: told by its type alone, for what it holds may be a secret."""

import logging
import os
import signal
import traceback

from mplskit.errors import Failure, Leave, NotSo


def debugging() -> bool:
    """Whether the user asked for all there is to see (`-d`)."""
    return logging.getLogger("invoke").isEnabledFor(logging.DEBUG) or bool(os.environ.get("INVOKE_DEBUG"))


def failure_of(error: BaseException, *, traced: bool = False) -> Failure:
    """What users are told of any exception."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, OSError):
        from mplskit.files import lacking

        return lacking(error)
    return fault(error, traced=traced)


def code_of(error: BaseException) -> int:
    """The code that the process leaves with when a task raises this."""
    if isinstance(error, Leave):
        return error.code
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    return 128 + signal.SIGPIPE if isinstance(error, BrokenPipeError) else failure_of(error).code


def fault(error: BaseException, *, traced: bool = False) -> NotSo:
    """The failure for an exception that is a fault of ours; with `traced` and `-d`, where it came from is told."""
    return NotSo(
        f"an unforeseen {type(error).__name__}",
        detail="".join(traceback.format_exception(error)) if traced and debugging() else "",
        hint="this is a fault of mplskit; -d shows where",
    )
