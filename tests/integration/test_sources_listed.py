"""What sources offer, as kernel.list and iproute2.list show it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.worlds import kernel_org
from tests.worlds.host_with_apt import World, assert_told, published, world
from tests.worlds.kernel_org import Server

__all__ = ["published", "world"]


@pytest.fixture
def kernel_org_server(tmp_path: Path) -> Iterator[Server]:
    releases = [
        {"version": "6.13-rc2", "moniker": "mainline", "iseol": False, "released": {"isodate": "2024-12-08"}},
        {"version": "6.12.117", "moniker": "longterm", "iseol": False, "released": {"isodate": "2024-12-09"}},
        {"version": "4.19.325", "moniker": "longterm", "iseol": True, "released": {"isodate": "2024-12-05"}},
    ]
    (tmp_path / "kernel.org").mkdir()
    (tmp_path / "kernel.org" / "releases.json").write_text(json.dumps({"releases": releases}))
    with kernel_org.serving(tmp_path / "kernel.org") as server:
        yield server


def listed(world: World, url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    local = {"no_proxy": "127.0.0.1", "MPLSKIT_KERNEL_RELEASES": f"{url}/releases.json"}
    return CommandLine(world.mplskit.folder, {**world.host, **local})(*words)


def test_what_is_offered_is_listed_newest_first_with_what_to_write_for_it(
    world: World, kernel_org_server: Server
) -> None:
    assert world.fetch("debian:trixie").returncode == 0
    done = listed(world, kernel_org_server.url, "kernel.list", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [tuple(offer.values()) for offer in told["offers"]] == [
        ("kernel.org:6.13-rc2", "6.13-rc2", "kernel.org, mainline", "2024-12-08"),
        ("debian:trixie/6.12.117-1", "6.12.117-1", "trixie-security", ""),
        ("kernel.org:6.12.117", "6.12.117", "kernel.org, longterm", "2024-12-09"),
        ("debian:trixie/6.12.107-1", "6.12.107-1", "trixie", ""),
        ("debian:trixie/6.12.94-1", "6.12.94-1", "trixie", ""),
        ("debian", "6.1.192-2", "bookworm-security", ""),
        ("debian:bookworm/6.1.176-1", "6.1.176-1", "bookworm", ""),
        ("kernel.org:4.19.325", "4.19.325", "kernel.org, longterm, no longer maintained", "2024-12-05"),
    ]
    assert told["failed"] == []
    # What is listed is what is fetched.
    again = world.fetch("debian:bookworm/6.1.176-1")
    assert json.loads(again.stdout)["origin"] == "Debian package linux-source-6.1 6.1.176-1, verified by apt"


def test_a_source_that_does_not_answer_hides_no_other(world: World) -> None:
    # Nobody listens on the discard port of this machine.
    done = listed(world, "http://127.0.0.1:9", "kernel.list")
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0] == ["--source", "version", "from", "released"]
    assert lines[2:4] == [
        ["debian", "6.1.192-2", "bookworm-security"],
        ["debian:bookworm/6.1.176-1", "6.1.176-1", "bookworm"],
    ]
    assert " ".join(lines[4]).startswith("kernel.org could not be asked: http://127.0.0.1:9/releases.json ")


def test_a_source_that_was_asked_for_alone_fails_the_listing(world: World) -> None:
    failed = listed(world, "http://127.0.0.1:9", "kernel.list", "--source", "debian:bullseye")
    assert_told("debian-no-such-suite", failed, 4, "bullseye")


@pytest.mark.parametrize("source", ["debian:trixie/6.12", "debian:lenny", "file:linux.tar.xz", "Debian"])
def test_what_cannot_be_listed_is_wrong_input(world: World, source: str) -> None:
    failed = world.mplskit("kernel.list", "--source", source)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "trixie" in failed.stderr.splitlines()[-1]


def test_the_versions_of_iproute2_are_listed_too(world: World) -> None:
    done = world.mplskit("iproute2.list", "--source", "debian:trixie", "--json")
    assert [tuple(offer.values()) for offer in json.loads(done.stdout)["offers"]] == [
        ("debian:trixie/6.15.0+1", "6.15.0+1", "trixie", "")
    ]
