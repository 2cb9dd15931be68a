"""Reads deb822, the stanzas of `NAME: value` fields that Debian's control files and apt's answers are made of."""

import re


def stanzas(text: str) -> list[dict[str, str]]:
    """Split deb822 text into its stanzas; continuation lines are joined to their field, without their indentation."""
    found: list[dict[str, str]] = []
    for block in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        last = ""
        for line in block.splitlines():
            if line[:1] in (" ", "\t") and last:
                fields[last] += "\n" + line.strip()
            elif ":" in line and line[0] != "#":
                last, _, value = line.partition(":")
                fields[last] = value.strip()
        if fields:
            found.append(fields)
    return found


def stanza(fields: dict[str, str]) -> str:
    """Fields as deb822 text; the lines of a value after its first are indented, and empty ones are marked by a dot."""
    return "".join(f"{name}: {_indented(value)}\n" for name, value in fields.items())


def _indented(value: str) -> str:
    first, *rest = value.split("\n")
    return "\n".join([first, *(f" {line or '.'}" for line in rest)])
