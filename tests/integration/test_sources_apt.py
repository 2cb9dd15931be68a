"""Debian's sources from a real archive of our own, through the apt of a host that knows no other: what is fetched is
verified, what fails leaves nothing that is trusted."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.worlds import debian_archive
from tests.worlds.host_with_apt import World, published, world

__all__ = ["published", "world"]


def test_the_newest_of_another_suite_comes_through_the_hosts_proxy_and_keys_and_only_once(world: World) -> None:
    first = world.fetch("debian:trixie")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["origin"] == "Debian package linux-source-6.12 6.12.117-1, verified by apt"
    assert (told["spec"], told["version"]) == ("debian:trixie", "6.1.999")
    assert (Path(told["path"]) / "net/mpls/Kconfig").is_file()
    assert "! http://mirror.invalid/debian/ has no trixie-updates: going on without it\n" in first.stderr
    assert "debian-security/dists/trixie-security/InRelease" in world.proxy.asked
    assert world.mplskit.leftovers() == []
    world.proxy.asked.clear()
    assert world.fetch("debian:trixie").stdout == first.stdout
    assert world.proxy.asked == []


def test_what_the_host_runs_after_its_updates_is_not_run_after_ours(world: World) -> None:
    assert world.fetch("debian:trixie").returncode == 0
    assert not (world.mplskit.folder / "host" / "hooks").exists()


@pytest.mark.parametrize(
    ("spec", "origin"),
    [
        ("debian", "linux-source-6.1 6.1.192-2"),
        ("debian:bookworm", "linux-source-6.1 6.1.192-2"),
        ("debian:bookworm/6.1.176-1", "linux-source-6.1 6.1.176-1"),
        ("debian:trixie/6.12.94-1", "linux-source-6.12 6.12.94-1"),
        ("debian:trixie/6.12.107", "linux-source-6.12 6.12.107-1"),
        ("debian:trixie/6.12", "linux-source-6.12 6.12.117-1"),
    ],
)
def test_a_spec_is_met_by_the_newest_version_that_fits_it(world: World, spec: str, origin: str) -> None:
    done = world.fetch(spec)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["origin"] == f"Debian package {origin}, verified by apt"


def test_a_pin_of_the_host_holds_for_its_own_suite_and_not_for_a_suite_that_was_asked_for(world: World) -> None:
    pin = "Package: linux-source-*\nPin: version 6.1.176-*\nPin-Priority: 1001\n"
    (world.mplskit.folder / "host/etc/preferences.d/kernel").write_text(pin)
    for spec, version in (("debian", "6.1.176-1"), ("debian:bookworm", "6.1.192-2")):
        done = world.fetch(spec)
        assert json.loads(done.stdout)["origin"] == f"Debian package linux-source-6.1 {version}, verified by apt"


def test_plain_debian_takes_nothing_of_an_archive_that_is_not_debians(world: World) -> None:
    sources = world.mplskit.folder / "host/etc/sources.list.d"
    (world.archive.folder / "other/pool/bookworm").mkdir(parents=True)
    for version in ("99.0-1", "6.1.192-2"):
        # With what apt would take before Debian's: another version, and other bytes under the same one.
        world.archive.add_package("other", "bookworm", "linux-source-6.1", version, {})
    world.archive.publish("other", "bookworm", "archive", "Somebody")
    own = (sources / "debian.sources").read_text()
    first = own.split("\n\n")[0]
    other = first.replace("/debian\n", "/other\n").replace(" bookworm-updates", "")
    (sources / "other.sources").write_text(f"{other}\n")
    debian_archive.update_host(world.host)
    told = world.fetch("debian")
    assert (told.returncode, json.loads(told.stdout)["origin"]) == (
        0,
        "Debian package linux-source-6.1 6.1.176-1, verified by apt",
    )
    (sources / "debian.sources").write_text(first.replace("bookworm bookworm-updates", "bookworm-updates") + "\n")
    debian_archive.update_host(world.host)
    refused = world.fetch("debian")
    assert refused.returncode == 4
    assert "no archive of Debian's own offers this machine a linux-source package; others do" in refused.stderr
    assert "http://mirror.invalid/other bookworm" in refused.stderr


def test_lists_of_a_day_ago_are_refreshed_and_kept_while_the_mirror_does_not_answer(world: World) -> None:
    assert world.fetch("debian:trixie").returncode == 0
    [old] = world.roots()
    yesterday = time.time() - 90000
    os.utime(old / "apt.conf", (yesterday, yesterday))
    # The host's own lists are as old: only age counts here.
    for folder in ("lists", "lists/partial"):
        os.utime(world.mplskit.folder / "host" / folder, (yesterday - 9, yesterday - 9))
    world.proxy.answers["InRelease"] = 503
    world.proxy.answers["Release"] = 503
    kept = world.fetch("debian:trixie")
    assert kept.returncode == 0
    assert ": going on with the lists of 1500 min 0" in kept.stderr
    assert world.roots() == [old]
    world.proxy.answers.clear()
    world.archive.add_package("debian", "trixie", "linux-source-6.12", "6.12.200-1", {})
    world.archive.publish("debian", "trixie", "archive")
    listed = world.mplskit("kernel.list", "--source", "debian:trixie", "--json")
    assert json.loads(listed.stdout)["offers"][0]["spec"] == "debian:trixie/6.12.200-1"
    assert len(world.roots()) == 2


def readable_with(word: bytes, folder: Path) -> list[str]:
    """The files that others may read and that hold a word."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o077)
    return sorted(path.name for path in found if word in path.read_bytes())


def test_the_password_of_a_mirror_opens_it_and_is_neither_shown_nor_left_to_be_read(world: World) -> None:
    sources = world.mplskit.folder / "host/etc/sources.list.d/debian.sources"
    sources.write_text(sources.read_text().replace("http://", "http://ann:s3cret@"))
    debian_archive.update_host(world.host)
    told = [world.fetch(spec) for spec in ("debian", "debian:trixie", "debian:bullseye")]
    assert [done.returncode for done in told] == [0, 0, 4], [done.stderr for done in told]
    assert "! http://********@mirror.invalid/debian/ has no trixie-updates: going on without it\n" in told[1].stderr
    assert "mirror http://********@mirror.invalid/debian/ has no suite bullseye" in told[2].stderr
    assert "s3cret" not in "".join(done.stdout + done.stderr for done in told)
    assert readable_with(b"s3cret", world.mplskit.folder / "cache") == []


def test_an_update_of_the_host_makes_our_lists_old(world: World) -> None:
    assert world.fetch("debian:trixie").returncode == 0
    debian_archive.update_host(world.host)
    world.proxy.asked.clear()
    assert world.fetch("debian:trixie").returncode == 0
    assert "debian/dists/trixie/InRelease" in world.proxy.asked


def test_an_update_that_was_killed_leaves_nothing_that_is_trusted(world: World) -> None:
    world.proxy.stall_at = "trixie/main/source/Sources"
    with world.mplskit.running("kernel.fetch", "--source", "debian:trixie") as process:
        assert world.proxy.stalled.wait(20)
        process.kill()
        process.wait()
    world.proxy.stall_at = ""
    world.proxy.go_on.set()
    [partial] = world.roots()
    assert not (partial / "apt.conf").exists()
    assert world.fetch("debian:trixie").returncode == 0
    assert [(root / "apt.conf").exists() for root in world.roots()] == [True]


def test_two_runs_at_a_time_fetch_the_lists_once(world: World) -> None:
    world.proxy.stall_at = "trixie/InRelease"
    with world.mplskit.running("kernel.fetch", "--source", "debian:trixie") as first:
        assert world.proxy.stalled.wait(20)
        with world.mplskit.running("kernel.fetch", "--source", "debian:trixie") as second:
            assert second.stderr
            assert any("waiting for another mplskit process" in line for line in second.stderr)
            world.proxy.go_on.set()
            assert (first.wait(30), second.wait(30)) == (0, 0)
    assert world.proxy.asked.count("debian/dists/trixie/InRelease") == 1
