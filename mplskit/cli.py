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

from invoke.exceptions import Exit
from invoke.tasks import task as invoke_task

from mplskit.errors import Leave
from mplskit.fault import code_of, debugging, failure_of

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
                raise Exit("mplskit: interrupted", code=code_of(KeyboardInterrupt())) from None

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
