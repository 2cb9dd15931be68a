"""A node pulls packages from a signed apt repository over HTTP: `--apt FILE.sources --package NAME`."""

import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mplskit.remote.session import once
from mplskit.vm.machine import Machine
from tests.worlds.checkout import Ran, invoke
from tests.worlds.debian_archive import DebianArchive, keys

# apt brings packages through an emulated network.
pytestmark = pytest.mark.full

# Where the guest finds this machine's 127.0.0.1.
HOST = "10.0.2.2"
LIST = "/etc/apt/sources.list.d/mplskit.sources"


@dataclass(frozen=True)
class Served:
    """A repository with mplskit-example 1.0 and 2.0; `asked` are the paths that were asked for."""

    sources: Path
    asked: list[str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("apt")
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            asked.append(self.path)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with keys(folder / "gpg") as made:
        made.make("ours")
        archive = DebianArchive(folder / "www", made)
        (folder / "www").mkdir()
        for version in ("1.0", "2.0"):
            (folder / "content").write_text(version)
            archive.add_package(
                "debian", "stable", "mplskit-example", version, {"usr/lib/mplskit-example": folder / "content"}
            )
        archive.publish("debian", "stable", "ours")
        key = "".join(f" {line or '.'}\n" for line in made.armored("ours").splitlines())
    handler = functools.partial(Handler, directory=str(folder / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        sources = folder / "ours.sources"
        sources.write_text(
            f"Types: deb\nURIs: http://{HOST}:{server.server_address[1]}/debian\nSuites: stable\nComponents: main\n"
            f"Signed-By:\n{key}"
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Served(sources, asked)
        finally:
            server.shutdown()
            thread.join()


def node(task: str, vm: Machine, *words: str) -> Ran:
    return invoke(task, "--host", str(vm.host), "--ssh-config", str(vm.host.ssh_config), "--json", *words)


def on(vm: Machine, command: str) -> str:
    return once(vm.host, command, timeout=120, check=False).stdout


def packages(ran: Ran) -> list[tuple[str, str]]:
    """State and detail of each package item."""
    return [(item["state"], item["detail"]) for item in ran.json["items"] if item["kind"] == "package"]


def test_a_package_is_planned_pulled_and_then_left_alone(stock_vm: Machine, served: Served) -> None:
    flags = ["--mpls-input", "eth0", "--allow", "default-route", "--apt", str(served.sources)]
    planned = node("node.plan", stock_vm, *flags, "--package", "mplskit-example=1.0")
    assert planned.code == 1, planned.err
    assert packages(planned) == [("changed", "1.0 would be installed by apt")]
    assert served.asked == []
    assert on(stock_vm, f"ls {LIST}") == ""

    first = node("node.bootstrap", stock_vm, *flags, "--package", "mplskit-example=1.0")
    assert first.code == 0, first.err
    assert packages(first) == [("changed", "1.0 installed by apt")]
    assert on(stock_vm, "cat /usr/lib/mplskit-example") == "1.0"
    assert any(path.endswith(".deb") for path in served.asked)

    served.asked.clear()
    second = node("node.bootstrap", stock_vm, *flags, "--package", "mplskit-example=1.0")
    assert packages(second) == [("same", "1.0")]
    assert not second.json["changed"]
    assert served.asked == []


def test_remove_takes_the_list_and_its_key_away_and_leaves_the_package(stock_vm: Machine, served: Served) -> None:
    ran = node("node.remove", stock_vm)
    assert ran.code == 0, ran.err
    assert on(stock_vm, f"ls {LIST} /etc/apt/keyrings/mplskit.asc; cat /usr/lib/mplskit-example") == "1.0"
