"""Runs mplskit's command line as users do: a process of its own, in a folder of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class CommandLine:
    """`folder` gets build/, dist/ and cache/; `prefix` is put before the command, as `nsenter …` would be."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    def argv(self, *words: str | Path) -> list[str]:
        """The whole command line of `mplskit WORDS…`."""
        program = "from mplskit.tasks import program; program.run()"
        return [*self.prefix, sys.executable, "-c", program, *map(str, words)]

    def environment(self) -> dict[str, str]:
        """Where the command finds itself: no folder of the user's but ours."""
        own = {f"MPLSKIT_{name.upper()}": str(self.folder / name) for name in ("build", "dist", "cache")}
        fake = {"FAKELINUX_PYTHON": sys.executable, "FAKELINUX_JOURNAL": str(self.folder / "journal")}
        return {**os.environ, "PYTHONPATH": str(ROOT), **own, **fake, **self.env}

    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words), capture_output=True, text=True, check=False, cwd=self.folder, env=self.environment()
        )

    @contextmanager
    def running(self, *words: str | Path) -> Iterator["subprocess.Popen[str]"]:
        """The command while it runs; killed when the block is left."""
        with subprocess.Popen(
            self.argv(*words), stderr=subprocess.PIPE, text=True, cwd=self.folder, env=self.environment()
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)

    def journal(self) -> list[str]:
        """The releases that the fake kernel was built as, one for each build."""
        file = self.folder / "journal"
        return file.read_text().split() if file.exists() else []

    def leftovers(self) -> list[str]:
        """What unfinished work left behind in build/, dist/ and cache/."""
        found = (path for name in ("build", "dist", "cache") for path in (self.folder / name).rglob(".*"))
        return sorted(str(path) for path in found if path.name != ".config" and not path.name.endswith(".lock"))


def stand_in(folder: Path, name: str, script: str) -> Mapping[str, str]:
    """Put a program `name` before all others on the PATH: the environment to run with."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def awaited(condition: Callable[[], object], seconds: float = 20) -> bool:
    """Whether a condition became true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def living(pattern: str) -> Sequence[str]:
    """The processes whose command line holds a text, our own left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        file = folder / "cmdline"
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if pattern in line and file.parent.name != str(os.getpid()):
            found.append(line)
    return found
