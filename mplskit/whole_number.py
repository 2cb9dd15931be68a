"""Whole numbers as people write them: ASCII digits, nothing else."""

from mplskit.errors import WrongInput
from mplskit.wording import clipped

# How much of a wrong word is shown.
SHOWN = 40


def whole(text: str, lowest: int, highest: int) -> int | None:
    """The number that `text` is; None when it is no whole number from `lowest` to `highest`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    value = int(text)
    return value if lowest <= value <= highest else None


def whole_number(text: str, flag: str, lowest: int, highest: int) -> int:
    """A whole number from the command line. Raises WrongInput with the range that is allowed."""
    value = whole(text, lowest, highest)
    if value is None:
        raise WrongInput(f"{flag} {clipped(text, SHOWN)}: not a whole number from {lowest} to {highest}")
    return value
