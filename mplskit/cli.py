"""What every Invoke task shares: failures become exit codes, signals end our children."""

import functools
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, MappingProxyType
from typing import Any, NoReturn, TypeVar

from invoke.exceptions import Exit as Leave
from invoke.tasks import task as invoke_task

from mplskit.errors import WrongInput
from mplskit.fault import debugging, failure_of
from mplskit.number import whole

# How much of a wrong word is shown.
SHOWN = 40

Body = TypeVar("Body", bound=Callable[..., None])


@dataclass(frozen=True)
class Flag:
    """A flag that several tasks take: its help, and what it is when it is left out (a list: as often as wanted)."""

    help: str
    default: Any = ""


NO_FLAGS: Mapping[str, Flag] = MappingProxyType({})


def task(
    *,
    help: dict[str, str],
    flags: Mapping[str, Flag] = NO_FLAGS,
    iterable: Sequence[str] = (),
    positional: Sequence[str] = (),
    name: str | None = None,
) -> Callable[[Body], Any]:
    """Make an Invoke task of a function whose flags are its keyword arguments, with a help text for each.

    `flags` are more flags, by the names of the arguments; the function receives each by name, or in its `**kwargs`.
    Those named in `positional` can be given as bare words, too.
    """

    def decorate(body: Body) -> Any:
        @functools.wraps(body)
        def guarded(*args: Any, **kwargs: Any) -> None:
            for number in (signal.SIGTERM, signal.SIGHUP):
                # nohup ignores SIGHUP for us, and means it.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, _interrupt)
            try:
                body(*args, **kwargs)
            except Exception as error:
                _leave(error)
            except KeyboardInterrupt:
                raise Leave("mplskit: interrupted", code=code_of(KeyboardInterrupt())) from None

        guarded.__signature__ = _signature(body, flags)  # type: ignore[attr-defined] # what Invoke reads the flags from
        return invoke_task(
            guarded,
            name=name,
            help={**{_spelled(name): flag.help for name, flag in flags.items()}, **help},
            iterable=[*iterable, *(name for name, flag in flags.items() if isinstance(flag.default, list))],
            auto_shortflags=False,
            positional=list(positional),
        )

    return decorate


def _signature(body: Callable[..., None], flags: Mapping[str, Flag]) -> inspect.Signature:
    """The arguments of a body, followed by the shared flags."""
    own = inspect.signature(body)
    kept = [p for p in own.parameters.values() if p.name not in flags and p.kind is not inspect.Parameter.VAR_KEYWORD]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=flag.default) for name, flag in flags.items()
    ]
    return own.replace(parameters=[*kept, *shared])


def _spelled(argument: str) -> str:
    """An argument as Invoke spells its flag: `set_` is --set."""
    return argument.strip("_").replace("_", "-")


def number(text: str, flag: str, lowest: int, highest: int) -> int:
    """A whole number from the command line. Raises WrongInput with the range that is allowed."""
    value = whole(text, lowest, highest)
    if value is None:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        raise WrongInput(f"{flag} {shown}: not a whole number from {lowest} to {highest}")
    return value


def leave(code: int) -> None:
    """Leave with an exit code that says it all: a difference was found, and shown. 0 goes on."""
    if code:
        raise Leave(code=code)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise Leave(f"mplskit: ended by {signal.Signals(signum).name}", code=128 + signum)


def code_of(error: BaseException) -> int:
    """The code that the process leaves with when a task raises this."""
    if isinstance(error, Leave):
        return int(error.code)
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    return 128 + signal.SIGPIPE if isinstance(error, BrokenPipeError) else failure_of(error).code


def _leave(error: Exception) -> NoReturn:
    """Turn any exception into a message and an exit code; `-d` shows where it came from."""
    if isinstance(error, Leave):
        raise error
    if debugging():
        traceback.print_exc()
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Leave(code=code_of(error))
    failure = failure_of(error)
    raise Leave(f"mplskit: {failure}", code=failure.code)
