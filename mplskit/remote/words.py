"""What a node says, fit for a terminal: no escape sequences, no other control characters."""


def clean(text: str) -> str:
    """The text with U+FFFD for each character that is neither printable nor a tab or the end of a line (also CR LF)."""
    return "\n".join(map(_clean_line, text.replace("\r\n", "\n").split("\n")))


def _clean_line(line: str) -> str:
    if line.replace("\t", "").isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
