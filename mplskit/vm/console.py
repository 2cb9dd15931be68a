"""What a guest printed on its serial console."""

import re
from pathlib import Path

TAIL = 15

# Escape sequences of ECMA-48 (colours, cursor), which systemd and firmware write to every console.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[0-~])")


def plain(data: bytes) -> str:
    """Console output as text without escape sequences and other control characters."""
    text = _ESCAPES.sub("", data.decode(errors="replace")).replace("\r", "")
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())


def tail(log: Path, lines: int = TAIL) -> str:
    """The last lines of a console log; says so when there are none."""
    data = log.read_bytes()[-16384:] if log.exists() else b""
    last = [line for line in plain(data).splitlines() if line.strip()][-lines:]
    return "\n".join(last) or "(nothing on the console)"
