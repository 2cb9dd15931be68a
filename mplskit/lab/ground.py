"""The machine that a lab runs on: a shell there whose every command is kept as evidence."""

import time
from collections.abc import Sequence
from pathlib import Path

from mplskit.lab.report import Command
from mplskit.process import quote
from mplskit.remote.session import Answer, Shell

SCRIPT = Path(__file__).with_name("ground.sh")


class Undone(Exception):
    """Something that a step needed could not be done: the step has failed, and what follows makes no sense."""

    def __init__(self, doing: str, output: str) -> None:
        super().__init__(doing)
        self.doing = doing
        self.output = output.strip()


class Ground:
    """Runs commands through a shell and remembers them."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._commands: list[Command] = []

    def run(self, argv: Sequence[str], *, timeout: float = 120, stdin: bytes = b"") -> Answer:
        """Run a command to its end, whatever its exit status is. Raises OutsideFailed when the machine is lost."""
        begin = time.monotonic()
        answer = self._shell.run(argv, check=False, timeout=timeout, stdin=stdin)
        seconds = round(time.monotonic() - begin, 3)
        self._commands.append(Command(quote(argv), answer.returncode, answer.output, seconds))
        return answer

    def do(self, argv: Sequence[str], *, timeout: float = 120, stdin: bytes = b"") -> str:
        """Run a command that has to succeed, and return its output. Raises Undone when it exits other than 0."""
        answer = self.run(argv, timeout=timeout, stdin=stdin)
        if answer.returncode != 0:
            raise Undone(f"exit {answer.returncode}: {quote(argv)}", answer.output)
        return answer.output

    def script(self, *words: str) -> str:
        """Run a command of ground.sh, and return its output. Raises Undone when it exits other than 0."""
        return self.do(["sh", "-s", *words], stdin=SCRIPT.read_bytes())

    def read(self, path: str) -> bytes:
        """A file of the machine, whole."""
        return self._shell.read(path)

    def told(self) -> tuple[Command, ...]:
        """The commands since the last time this was asked."""
        commands, self._commands = tuple(self._commands), []
        return commands
