"""The main job is run once, in the checkout's own `build/` and `dist/`; the VM tests use what it made."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mplskit import process
from mplskit.image.boot import guest_of
from mplskit.image.record import Image, load_image
from mplskit.sources.apt import release
from mplskit.vm.guest import Guest
from mplskit.vm.machine import Machine, booted

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


@pytest.fixture(scope="session")
def began() -> int:
    """When the main job was begun, in ns since the epoch: what it writes is younger."""
    return time.time_ns()


@pytest.fixture(scope="session")
def pipeline(began: int) -> Any:
    """What the main job says of itself, as JSON."""
    ran = invoke("ci.pipeline", "--json")
    assert ran.code == 0, ran.err
    return ran.json


@pytest.fixture(scope="session")
def image(pipeline: Any) -> Image:
    """The image that the main job made."""
    return load_image(ROOT / "dist" / f"mplskit-{release()}.json")


@pytest.fixture(scope="session")
def machine(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """That image, running."""
    with booted(guest_of(image, memory=1024, cpus=2), tmp_path_factory.mktemp("machine")) as running:
        yield running


@pytest.fixture(scope="session")
def stock_guest() -> Guest:
    """A disk with Debian's own kernel and ip, never touched by mplskit's node setup."""
    ran = invoke("image.build", "--kernel", "stock", "--iproute2", "stock", "--name", "stock", "--bare", "--json")
    assert ran.code == 0, ran.err
    image = load_image(ROOT / "dist" / "stock.json")
    return guest_of(image, memory=1024, cpus=2)


@pytest.fixture(scope="session")
def stock_vm(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A running VM of that disk."""
    with booted(stock_guest, tmp_path_factory.mktemp("stock-vm")) as machine:
        yield machine
