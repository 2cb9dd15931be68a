"""Tasks as a user runs them in this checkout, with its own `build/` and `dist/`, and the disks that they made."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mplskit import process

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command line of ours ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document that it must be."""
        return json.loads(self.out)


def invoke(*words: str) -> Ran:
    """Run a task as a user does, from the top of the checkout; its progress goes to this run's stderr as it comes."""
    argv = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *words]
    # A file takes what comes on stdout at any time: a second pipe that nobody reads yet would fill up.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True) as running,
    ):
        assert running.stderr
        said = []
        for line in running.stderr:
            said.append(line)
            print(line, end="", file=sys.stderr)
        running.wait()
        out.seek(0)
        return Ran(running.returncode, out.read(), "".join(said))


def overlay(disk: Path, path: Path) -> Path:
    """A disk at `path` that begins as `disk` and keeps its own changes."""
    form = json.loads(process.run(["qemu-img", "info", "--output=json", disk]).stdout)["format"]
    process.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", disk.absolute(), path])
    return path
