"""What carries the payload: our own sessions, or pyinfra."""

from typing import TYPE_CHECKING

from mplskit.errors import WrongInput
from mplskit.wording import no_such

if TYPE_CHECKING:
    from mplskit.fleet.formats.pyinfra import Carried
    from mplskit.fleet.pool import Engine
    from mplskit.fleet.pyinfra.batch import Judge

ENGINES = ("ssh", "pyinfra")


def engine_of(word: str, carried: "Carried", judge: "Judge") -> "Engine | None":
    """What stands in for our own sessions; `judge` says what a report comes to. None: nothing does.

    Raises WrongInput for an unknown engine, MachineLacks for one that is not installed.
    """
    if word not in ENGINES:
        raise WrongInput(f"--engine: {no_such('engine', word, ENGINES)}")
    if word == "ssh":
        return None
    from mplskit.fleet.pyinfra.carrier import engine

    return engine(carried, judge)
