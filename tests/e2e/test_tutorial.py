"""Every command of docs/tutorial.md is run, one after another, and prints what stands there."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.worlds.checkout import ROOT, invoke

pytestmark = [pytest.mark.full, pytest.mark.usefixtures("labs_to_itself")]

TUTORIAL = ROOT / "docs" / "tutorial.md"


@dataclass(frozen=True)
class Shown:
    """A command of the tutorial, and the lines that it shows below it."""

    command: str
    lines: tuple[str, ...]


def commands(text: str) -> list[Shown]:
    """The indented blocks: `$ COMMAND`, followed by lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("    $ "):
            found.append((line[6:], []))
        elif line.startswith("    ") and found:
            found[-1][1].append(line[4:])
    return [Shown(command, tuple(lines)) for command, lines in found]


def as_pattern(line: str) -> str:
    """A line in which `…` stands for anything, and white space for any white space."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
    return r".*?".join(rf"\s*{part}\s*" if part else "" for part in parts)


def test_every_command_of_the_tutorial_prints_what_stands_there() -> None:
    shown = commands(TUTORIAL.read_text())
    assert len(shown) >= 12
    try:
        for each in shown:
            ran = subprocess.run(
                ["sh", "-c", each.command],
                cwd=ROOT,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=600,
                check=False,
            )
            said = ran.stdout.decode(errors="replace") + ran.stderr.decode(errors="replace")
            assert ran.returncode == 0, f"{each.command}\n{said}"
            for line in each.lines:
                assert re.search(as_pattern(line), said), f"{each.command}\nlacks: {line}\n{said}"
    finally:
        invoke("lab.down", "--lab", "hello-world")


def test_every_block_of_the_tutorial_begins_with_a_command() -> None:
    blocks = re.split(r"\n\s*\n", Path(TUTORIAL).read_text())
    indented = [block for block in blocks if block.startswith("    ")]
    assert indented
    assert all(block.startswith("    $ ") for block in indented)
