"""A machine that a lab runs on: a shell there whose every command is kept as evidence."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mplskit.lab.evidence import Command, Undone
from mplskit.process import quote
from mplskit.remote.session import Answer, RunsCommands

SCRIPT = Path(__file__).with_name("ground.sh").read_bytes()


class MachineShell(RunsCommands, Protocol):
    """What a machine is asked through: a session of `remote`, or `this_machine.ThisMachine`."""

    def read(self, path: str) -> bytes:
        """A file, whole."""


class Ground:
    """Runs commands through a shell and remembers them."""

    def __init__(self, shell: MachineShell, commands: list[Command]) -> None:
        self.shell = shell
        self._commands = commands

    def run(self, argv: Sequence[str], *, timeout: float = 120, stdin: bytes = b"", on: str = "") -> Answer:
        """Run a command to its end, whatever its exit status is; `on` is the node that it belongs to.

        Raises OutsideFailed when the machine is lost.
        """
        begin = time.monotonic()
        answer = self.shell.run(argv, check=False, timeout=timeout, stdin=stdin)
        seconds = round(time.monotonic() - begin, 3)
        self._commands.append(Command(quote(argv), answer.returncode, answer.output, seconds, on))
        return answer

    def do(self, argv: Sequence[str], *, timeout: float = 120, stdin: bytes = b"", on: str = "") -> str:
        """Run a command that has to succeed, and return its output. Raises Undone when it exits other than 0."""
        answer = self.run(argv, timeout=timeout, stdin=stdin, on=on)
        if answer.returncode != 0:
            raise Undone(f"exit {answer.returncode}: {quote(argv)}", answer.output)
        return answer.output
