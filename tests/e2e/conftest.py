"""The main job is run once, in the checkout's own `build/` and `dist/`; the VM tests use what it made.

Files of tests may run side by side (pytest-xdist): the first begins with the main job, and those that need nothing of
it come next, so that they run while the kernel is built.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mplskit import files
from mplskit.debian.suites import release
from mplskit.image.boot import guest_of
from mplskit.image.image_record import Image, load_image
from mplskit.vm.guest import Guest
from mplskit.vm.machine import Machine, booted
from tests.worlds.checkout import ROOT, Ran, invoke
from tests.worlds.stock_node import node

__all__ = ["node"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One file that needs the main job, those that do not, then the other ones; what is no test of ours stays first."""
    needing = dict.fromkeys(item.path for item in items if "main_job" in getattr(item, "fixturenames", ()))
    first = next(iter(needing), None)
    folder = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        if folder not in item.path.parents:
            return 0
        return 1 if item.path == first else 3 if item.path in needing else 2

    items.sort(key=place)


@pytest.fixture(scope="session")
def main_job(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`began`, when the main job was begun in ns since the epoch (what it writes is younger), and how it ended.

    It is run by the first process of tests that asks for it; the others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "main-job"
    with files.locked(shared.with_suffix(".lock")):
        if not shared.exists():
            began = time.time_ns()
            files.write_atomically(shared, json.dumps({"began": began, "ran": asdict(invoke("ci.pipeline", "--json"))}))
    return json.loads(shared.read_text())


@pytest.fixture(scope="module")
def labs_to_itself() -> Iterator[None]:
    """`dist/labs` belongs to this file of tests: a task refuses to play a lab where another plays it."""
    with files.locked(ROOT / "build" / "tests-of-labs.lock"):
        yield


@pytest.fixture(scope="session")
def began(main_job: Any) -> int:
    """When the main job was begun."""
    return int(main_job["began"])


@pytest.fixture(scope="session")
def pipeline(main_job: Any) -> Any:
    """What the main job says of itself, as JSON."""
    ran = Ran(**main_job["ran"])
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
