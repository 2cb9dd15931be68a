"""Finds the blocks of symbols in Kconfig files by their first words alone: it reads what no parser understands."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEAD = re.compile(r"^[ \t]*(?:menu)?config[ \t]+(\w+)[ \t]*(?:#.*)?$")
# What ends a block: the words of the language that stand for themselves (Documentation/kbuild/kconfig-language.rst).
_NEXT = re.compile(
    r"^(?:[ \t]*(?:menu)?config[ \t]+\w+[ \t]*(?:#.*)?$"
    r"|(?:if|endif|menu|endmenu|choice|endchoice|comment|source|mainmenu|[ro]*source)\b)"
)
_HELP = re.compile(r"^[ \t]*(?:help|---help---)[ \t]*$")


@dataclass(frozen=True)
class Block:
    """What a Kconfig file says of a symbol, without the help text; `place` is FILE:LINE."""

    symbol: str
    place: str
    text: str


def scan(text: str, name: str) -> Iterator[Block]:
    """The blocks in the text of a Kconfig file, in its order."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        head = _HEAD.match(line)
        if head:
            yield Block(head[1], f"{name}:{number + 1}", block_at(lines, number))


def block_at(lines: list[str], number: int) -> str:
    """The block whose first line has this index, up to its help text."""
    kept = [lines[number]]
    for line in lines[number + 1 :]:
        if _NEXT.match(line) or _HELP.match(line):
            break
        kept.append(line)
    return "\n".join(line.rstrip() for line in kept if line.strip())


def scan_tree(tree: Path, architecture: str) -> Iterator[Block]:
    """The blocks of all Kconfig files of a tree, those of other architectures left out."""
    for folder, folders, names in os.walk(tree):
        if Path(folder) == tree / "scripts":
            # The configuration tool's own tests are Kconfig files, too.
            folders[:] = [name for name in folders if name != "kconfig"]
        if Path(folder) == tree / "arch":
            folders[:] = [architecture] if architecture in folders else folders
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith("Kconfig") and path.is_file():
                yield from scan(path.read_text(errors="replace"), str(path.relative_to(tree)))
