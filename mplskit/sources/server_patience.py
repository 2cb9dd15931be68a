"""Asks a server again for what failed in a way that may be over soon, and says what may help when it did not."""

import email.utils
from collections.abc import Callable
from typing import TypeVar

from mplskit.errors import OutsideFailed
from mplskit.patience import GaveUp, patiently
from mplskit.sources.network_settings import Network

Answer = TypeVar("Answer")


class Unsteady(OutsideFailed):
    """It failed each time, in ways that may be over later."""


def asked_patiently(network: Network, url: str, attempt: Callable[[], Answer]) -> Answer:
    """What the first attempt gives that does not raise Passing. Raises Unsteady when none of them did."""
    try:
        return patiently(url.rpartition("/")[2], network.tries, network.wait, attempt)
    except GaveUp as gave_up:
        why = gave_up.why
    raise Unsteady(
        f"{url} could not be fetched: tried {'once' if len(why) == 1 else f'{len(why)} times'}",
        detail="\n".join(f"{number}: {said}" for number, said in enumerate(why, 1)),
        hint=f"look at this machine's network and proxy (https_proxy), or name another place: {_setting(url, network)}",
    )


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
