"""What every Invoke task shares: failures become exit codes, signals end our children."""

import functools
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import FrameType, MappingProxyType
from typing import NoReturn

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from mplskit.errors import Leave
from mplskit.flag_groups import Flags
from mplskit.unforeseen import code_of, debugging, failure_of

Body = Callable[..., None]

# What many tasks take, each by itself.
HELP = MappingProxyType({"json": "print one JSON document"})
NO_HELP: Mapping[str, str] = MappingProxyType({})


def task(
    *, help: Mapping[str, str] = NO_HELP, positional: Sequence[str] = (), name: str | None = None
) -> Callable[[Body], Task[Body]]:
    """Make an Invoke task of a function whose flags are its arguments, with a help text for each.

    An argument whose annotation is a dataclass of flags (see `flag_groups`) stands for these, and gets them filled in.
    A flag that is () when it is left out may be given again and again. Those named in `positional` can be given as bare
    words, too.
    """

    def decorate(body: Body) -> Task[Body]:
        signature = inspect.signature(body)
        flags = Flags(signature)

        @functools.wraps(body)
        def guarded(context: Context, **given: object) -> None:
            for number in (signal.SIGTERM, signal.SIGHUP):
                # nohup ignores SIGHUP for us, and means it.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, _interrupt)
            try:
                body(context, **flags.filled(given))
            except Exception as error:
                _leave(error)
            except KeyboardInterrupt:
                raise Exit("mplskit: interrupted", code=code_of(KeyboardInterrupt())) from None

        # What Invoke reads the flags from.
        parameters = [*list(signature.parameters.values())[:1], *flags.parameters]
        guarded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        shared = {one: text for one, text in HELP.items() if one in signature.parameters}
        return Task(
            guarded,
            name=name,
            help={**shared, **flags.helps, **help},
            iterable=flags.repeated,
            auto_shortflags=False,
            positional=list(positional),
        )

    return decorate


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise Leave(128 + signum, f"mplskit: ended by {signal.Signals(signum).name}")


def _leave(error: Exception) -> NoReturn:
    """Turn any exception into a message and an exit code; `-d` shows where it came from."""
    if isinstance(error, Leave):
        raise Exit(error.message or None, code=error.code)
    if isinstance(error, Exit):
        raise error
    if debugging():
        traceback.print_exc()
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(code=code_of(error))
    failure = failure_of(error)
    raise Exit(f"mplskit: {failure}", code=failure.code)
