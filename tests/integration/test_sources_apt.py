"""Debian's sources from a real archive of our own, through the apt of a host that knows no other: what is fetched is
verified, what fails leaves nothing that is trusted."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.golden import assert_golden
from tests.worlds import debian_archive, kernel_org
from tests.worlds.debian_archive import DebianArchive, Proxy
from tests.worlds.fake_linux import pack, plant
from tests.worlds.kernel_org import Server

CHANGELOG = "iproute2 ({version}) unstable; urgency=medium\n\n  * x\n\n -- x <x@x>  Mon, 08 May 2023 19:49:38 +0100\n"
CONTROL = """\
Source: iproute2
Maintainer: x <x@x>
Standards-Version: 4.6.2

Package: iproute2
Architecture: any
Description: x
"""


@dataclass(frozen=True)
class World:
    """The archive, the proxy that serves it, the host's apt, and mplskit on that host."""

    archive: DebianArchive
    proxy: Proxy
    host: dict[str, str]
    mplskit: CommandLine

    def fetch(self, spec: str) -> "subprocess.CompletedProcess[str]":
        return self.mplskit("kernel.fetch", "--source", spec, "--json")

    def roots(self) -> list[Path]:
        """The sets of lists in the cache, complete or not."""
        return sorted((self.mplskit.folder / "cache" / "apt").glob("*/*/[0-9]*"))

    def trees(self) -> list[str]:
        """The trees in the cache, and whatever else lies beside them."""
        folder = self.mplskit.folder / "cache" / "sources"
        return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []

    def package(self, version: str) -> Path:
        return next(self.archive.folder.glob(f"*/pool/*/linux-source-*_{version}_all.deb"))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianArchive]:
    """bookworm (the host's) and trixie, the latter without trixie-updates. No other suite."""
    folder = tmp_path_factory.mktemp("debian")
    linux = {}
    for name in ("6.1", "6.12"):
        tree = plant(folder / "origin" / name)
        makefile = tree / "Makefile"
        makefile.chmod(0o644)
        makefile.write_text(makefile.read_text() + f"# {name}\n")
        archive = pack(tree, folder / f"linux-source-{name}.tar.xz")
        linux[name] = {f"usr/src/linux-source-{name}.tar.xz": archive}
    with debian_archive.keys(tmp_path_factory.mktemp("k")) as keys:
        keys.make("archive")
        keys.make("stranger")
        archive = DebianArchive(folder, keys)
        for part, suite, series, version in (
            ("debian", "bookworm", "6.1", "6.1.176-1"),
            ("debian-security", "bookworm-security", "6.1", "6.1.192-2"),
            ("debian", "trixie", "6.12", "6.12.94-1"),
            ("debian", "trixie", "6.12", "6.12.107-1"),
            ("debian-security", "trixie-security", "6.12", "6.12.117-1"),
        ):
            archive.add_package(part, suite, f"linux-source-{series}", version, linux[series])
        for suite, version in (("bookworm", "6.1.0-3"), ("trixie", "6.15.0-1")):
            tree = folder / "origin" / f"iproute2-{version}"
            (tree / "debian" / "source").mkdir(parents=True)
            (tree / "debian" / "source" / "format").write_text("3.0 (native)\n")
            (tree / "debian" / "changelog").write_text(CHANGELOG.format(version=version.replace("-", "+")))
            (tree / "debian" / "control").write_text(CONTROL)
            (tree / "Makefile").touch()
            archive.add_source("debian", suite, tree)
        archive.add_package("debian", "bookworm-updates", "tzdata", "2024a", {})
        for suite in ("bookworm", "bookworm-updates", "trixie"):
            archive.publish("debian", suite, "archive")
        for suite in ("bookworm-security", "trixie-security"):
            archive.publish("debian-security", suite, "archive")
        yield archive


@pytest.fixture
def world(published: DebianArchive, tmp_path: Path) -> Iterator[World]:
    archive = DebianArchive(tmp_path / "mirror", published.keys)
    for part in ("debian", "debian-security"):
        shutil.copytree(published.folder / part, archive.folder / part)
    with debian_archive.proxy(archive.folder) as proxy:
        host = debian_archive.host_apt(tmp_path / "host", proxy.port, published.keys.home / "archive.pgp")
        proxy.asked.clear()
        (tmp_path / "host" / "hooks").unlink()
        yield World(archive, proxy, host, CommandLine(tmp_path, host))


def assert_told(case: str, failed: "subprocess.CompletedProcess[str]", code: int, *apt_says: str) -> None:
    """The error is told in the words of a golden file; apt's own, which differ between its releases, hold these."""
    assert (failed.returncode, failed.stdout) == (code, ""), failed.stderr
    lines = [line for line in failed.stderr.splitlines(keepends=True) if not line.startswith(("…", "✗", "✓"))]
    detail = "".join(line for line in lines if line.startswith("  | "))
    assert [word for word in apt_says if word not in detail] == [], detail
    text = "".join(lines)
    if apt_says:
        text = re.sub(r"(  \| .*\n)+", "  | WHAT APT SAID\n", text)
    assert_golden(case, text, {})


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


def test_a_version_that_is_not_offered_is_wrong_input_with_those_that_are(world: World) -> None:
    assert_told("debian-no-such-version", world.fetch("debian:trixie/6.12.43-1"), 2)
    assert world.trees() == []


def test_a_suite_that_the_mirror_lacks_is_outside_and_leaves_no_root_behind(world: World) -> None:
    assert_told("debian-no-such-suite", world.fetch("debian:bullseye"), 4, "Release", "mirror.invalid", "bullseye")
    assert world.roots() == []


def test_a_suite_that_a_stranger_signed_is_not_trusted(world: World) -> None:
    world.archive.publish("debian", "trixie", "stranger")
    assert_told("debian-wrong-key", world.fetch("debian:trixie"), 4, "trixie InRelease")
    assert world.roots() == []
    world.archive.publish("debian", "trixie", "archive")
    assert world.fetch("debian:trixie").returncode == 0


def test_an_index_that_is_not_the_signed_one_is_not_trusted(world: World) -> None:
    index = next((world.archive.folder / "debian/dists/trixie/main").glob("binary-*/Packages"))
    index.write_text(index.read_text().replace("6.12.94-1", "6.12.94-2"))
    assert_told("debian-changed-index", world.fetch("debian:trixie"), 4, "Hash Sum mismatch")
    assert world.roots() == []


def test_a_package_that_was_changed_is_not_unpacked(world: World) -> None:
    package = world.package("6.12.117-1")
    good = package.read_bytes()
    package.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert_told("debian-changed-package", world.fetch("debian:trixie"), 4, "Hash Sum mismatch")
    assert world.trees() == []
    package.write_bytes(good)
    assert world.fetch("debian:trixie").returncode == 0


def test_a_package_that_the_mirror_lists_and_lacks_is_outside(world: World) -> None:
    world.package("6.12.117-1").unlink()
    failed = world.fetch("debian:trixie")
    assert (failed.returncode, world.trees()) == (4, [])
    assert "error: apt could not fetch linux-source-6.12 6.12.117-1 from this machine's mirror\n" in failed.stderr
    assert "404" in failed.stderr
    assert world.fetch("debian:trixie/6.12.107-1").returncode == 0


def test_security_updates_that_cannot_be_had_now_are_not_taken_for_absent(world: World) -> None:
    world.proxy.answers["trixie-security/InRelease"] = 503
    assert_told("debian-security-unavailable", world.fetch("debian:trixie"), 4, "503")
    assert world.roots() == []


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


def test_old_lists_are_not_used_in_place_of_ones_that_a_stranger_signed(world: World) -> None:
    assert world.fetch("debian:trixie").returncode == 0
    [old] = world.roots()
    os.utime(old / "apt.conf", (1, 1))
    world.archive.publish("debian", "trixie", "stranger")
    assert_told("debian-wrong-key", world.fetch("debian:trixie"), 4, "trixie InRelease")
    assert world.roots() == [old]


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


FETCH_IPROUTE2 = """
import json, sys
from mplskit.errors import Failure
from mplskit.paths import Workspace
from mplskit.sources.iproute2_source import fetch_iproute2
from mplskit.sources.source_spec import parse_spec
try:
    print(json.dumps(fetch_iproute2(parse_spec(sys.argv[1]), Workspace.here().cache).as_json(), default=str))
except Failure as failure:
    sys.exit(str(failure))
"""


def fetch_iproute2(world: World, spec: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-c", FETCH_IPROUTE2, spec]
    env = world.mplskit.environment()
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=world.mplskit.folder, env=env)


@pytest.mark.parametrize(
    ("spec", "version"),
    [("debian", "6.1.0+3"), ("debian:trixie", "6.15.0+1"), ("debian:trixie/6.15", "6.15.0+1")],
)
def test_a_source_package_is_fetched_with_its_packaging(world: World, spec: str, version: str) -> None:
    done = fetch_iproute2(world, spec)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["version"], told["origin"]) == (version, f"Debian source package iproute2 {version}, verified by apt")
    assert (Path(told["path"]) / "debian" / "control").read_text() == CONTROL
    assert sorted(path.name for path in Path(told["path"]).parent.iterdir()) == ["source.json", "tree"]


def test_a_source_package_that_was_changed_is_not_unpacked(world: World) -> None:
    file = next(world.archive.folder.glob("debian/pool/trixie/iproute2_*.tar.*"))
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    failed = fetch_iproute2(world, "debian:trixie")
    assert failed.returncode == 1
    assert "Hash Sum mismatch" in failed.stderr
    assert world.trees() == []


def test_a_version_of_a_source_package_that_is_not_offered_is_told_with_those_that_are(world: World) -> None:
    failed = fetch_iproute2(world, "debian:trixie/6.1")
    assert failed.stderr.endswith(
        "error: source debian:trixie/6.1: trixie has no version 6.1\n"
        "  | offered:\n  | 6.15.0+1\nhint: for example: debian:trixie/6.15.0+1\n"
    )


def test_a_host_without_a_debian_archive_is_told_so(world: World) -> None:
    (world.mplskit.folder / "host/etc/sources.list.d/debian.sources").unlink()
    assert_told("debian-no-archive", world.fetch("debian:trixie"), 4)


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
