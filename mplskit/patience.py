"""Trying again what may go better soon: with pauses, and an end."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import TypeVar

from mplskit import process_group
from mplskit.progress import note

Answer = TypeVar("Answer")

LONGEST_WAIT = 60.0
# What a server may ask for; one that wants more is told to the user.
LONGEST_ASKED = 300.0


class Passing(Exception):
    """A failure that may be over soon; `after` is for how long (seconds) the server wants to be left alone."""

    def __init__(self, why: str, after: float = 0) -> None:
        super().__init__(why)
        self.after = after


class GaveUp(Exception):
    """Each attempt failed, in ways that may be over later; `why` has the words of each."""

    def __init__(self, why: list[str]) -> None:
        super().__init__("; ".join(why))
        self.why = why


def patiently(name: str, tries: int, wait: float, attempt: Callable[[], Answer]) -> Answer:
    """What the first attempt gives that does not raise Passing; `wait` is the first pause, in seconds.

    Raises GaveUp when none of them did, or when the server wants to be left alone for too long.
    """
    why: list[str] = []
    for number in range(1, tries + 1):
        try:
            return attempt()
        except Passing as passing:
            why.append(str(passing))
            if passing.after > LONGEST_ASKED:
                why[-1] += f", to be asked again in {passing.after:.0f} s"
                break
            if number < tries:
                seconds = pause(number, wait, passing.after, random.random())
                note(f"! {name}: {passing}; trying again in {seconds:.0f} s ({number + 1} of {tries})")
                time.sleep(seconds)
    raise GaveUp(why)


def pause(attempt: int, wait: float, asked: float, chance: float) -> float:
    """Seconds to wait after the attempt with this number (from 1): doubled each time, and less by up to half of it,
    as `chance` (0 to 1) has it, so that many machines do not come back at once; never less than the server asked."""
    return max(min(wait * 2.0 ** (attempt - 1), LONGEST_WAIT) * (0.5 + chance / 2), asked)


def attempts(seconds: float, *pauses: float) -> Iterator[None]:
    """One attempt at once, and one after each of the pauses, the last of them again and again, and one when so many
    seconds are over; none when the processes of this thread are to end."""
    end = time.monotonic() + seconds
    for wait in chain(pauses, repeat(pauses[-1])):
        yield
        left = end - time.monotonic()
        if left <= 0 or process_group.current().pause(min(wait, left)):
            return
