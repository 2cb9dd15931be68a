"""Words for what is told in many places: names in a row, counts, names that nobody knows, times, what others say."""

from collections.abc import Sequence

# How many names, or faults, a user is shown at once.
MOST_TOLD = 20
LONGEST = 100


def several(names: Sequence[str], most: int = MOST_TOLD, between: str = ", ") -> str:
    """Names in a row, up to a bound."""
    more = len(names) - most
    return between.join([*names[:most], f"and {more:,} more"] if more > 0 else names) or "none"


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def first_few(names: Sequence[str], most: int) -> str:
    """`a, b`, and where there are more than these, `a, b and 3 more`."""
    more = len(names) - most
    return joined([*names[:most], f"{more} more"]) if more > 0 else ", ".join(names)


def counted(number: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def no_such(kind: str, name: str, known: Sequence[str]) -> str:
    """Says that `name` is none of the `known` ones, and which of them was probably meant."""
    return f"there is no {kind} {cut(name)!r}; {allowed(name, known)}"


def allowed(name: str, known: Sequence[str]) -> str:
    """What is allowed instead of a name, and which of it was probably meant."""
    meant = did_you_mean(clipped(name), known)
    return f"allowed: {several(known)}{f'; {meant}' if meant else ''}"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """`did you mean eth0?`, or nothing."""
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else ""


def cut(text: str, most: int = LONGEST) -> str:
    """A text that has an end."""
    return text if len(text) <= most else f"{text[:most]}…"


def clipped(text: str, most: int = LONGEST) -> str:
    """Text for one line of a terminal: nothing in it moves the cursor, and it has an end."""
    return cut(text if text.isprintable() else repr(text)[1:-1], most)


def clean(text: str) -> str:
    """The text with U+FFFD for each character that is neither printable nor a tab or the end of a line (also CR LF)."""
    return "\n".join(map(_clean_line, text.replace("\r\n", "\n").split("\n")))


def _clean_line(line: str) -> str:
    if line.replace("\t", "").isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)


def duration(seconds: float) -> str:
    """Seconds as people say them: `7.2 s`, `4 min 49 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
