"""Asks again for what failed in a way that may be over soon: with growing pauses, and a limit."""

import email.utils
import random
import time
from collections.abc import Callable
from typing import TypeVar

from mplskit.errors import OutsideFailed
from mplskit.progress import note
from mplskit.sources.network import Network

Answer = TypeVar("Answer")

LONGEST_WAIT = 60.0
# What a server may ask for by Retry-After; one that wants more is told to the user.
LONGEST_ASKED = 300.0


class Unsteady(OutsideFailed):
    """It failed each time, in ways that may be over later."""


class Passing(Exception):
    """A failure that may be over soon; `after` is for how long (seconds) the server wants to be left alone."""

    def __init__(self, why: str, after: float = 0) -> None:
        super().__init__(why)
        self.after = after


def patiently(network: Network, url: str, attempt: Callable[[], Answer]) -> Answer:
    """What the first attempt gives that does not raise Passing. Raises Unsteady when none of them did."""
    name = url.rpartition("/")[2]
    why: list[str] = []
    for number in range(1, network.tries + 1):
        try:
            return attempt()
        except Passing as passing:
            why.append(str(passing))
            if passing.after > LONGEST_ASKED:
                why[-1] += f", to be asked again in {passing.after:.0f} s"
                break
            if number < network.tries:
                seconds = pause(number, network, passing.after, random.random())
                note(f"! {name}: {passing}; trying again in {seconds:.0f} s ({number + 1} of {network.tries})")
                time.sleep(seconds)
    raise Unsteady(
        f"{url} could not be fetched: tried {'once' if len(why) == 1 else f'{len(why)} times'}",
        detail="\n".join(f"{number}: {said}" for number, said in enumerate(why, 1)),
        hint=f"look at this machine's network and proxy (https_proxy), or name another place: {_setting(url, network)}",
    )


def pause(attempt: int, network: Network, asked: float, chance: float) -> float:
    """Seconds to wait after the attempt with this number (from 1): doubled each time, and less by up to half of it,
    as `chance` (0 to 1) has it, so that many machines do not come back at once; never less than the server asked."""
    return max(min(network.wait * 2.0 ** (attempt - 1), LONGEST_WAIT) * (0.5 + chance / 2), asked)


def retry_after(text: str | None, now: float) -> float:
    """The seconds that a Retry-After header asks for, as a number or as a date; 0 when it says nothing."""
    text = (text or "").strip()
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - now, 0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0


def _setting(url: str, network: Network) -> str:
    """Which setting says where a file is had from."""
    return "MPLSKIT_KERNEL_RELEASES" if url == network.releases else "MPLSKIT_KERNEL_MIRROR"
