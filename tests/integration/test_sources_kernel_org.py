"""kernel.org's sources from a kernel.org of our own: found, fetched, gone on with after a break, verified."""

import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from mplskit.errors import OutsideFailed
from mplskit.sources.source_tree import SourceTree
from tests.command_line import CommandLine, awaited
from tests.worlds.fake_linux import pack
from tests.worlds.kernel_org import IPROUTE2, LINUX, Answer, Break, Stall, front_page, list_checksums, publish
from tests.worlds.kernel_org_pinned import ARCHIVE, SIGNATURE, World, good, sha256
from tests.worlds.kernel_org_spoilt import pin_and_resign, revoked, signature_of_another_file, wrong_hash


def test_a_release_is_fetched_verified_and_unpacked_once(world: World) -> None:
    first = world.fetch()
    assert first.code == 0, first.err
    developer = world.keys["developer"].fingerprint
    tree = world.folder / "cache" / "sources" / f"linux-{sha256(world.archive)[:24]}" / "linux"
    assert first.json == {
        "name": "linux",
        "version": "6.1.999",
        "spec": "kernel.org:6.1.999",
        "origin": f"{world.server.url}/{LINUX}/{ARCHIVE}, signed by {developer} (Ada Developer)",
        "digest": sha256(world.archive),
        "path": str(tree),
    }
    assert (tree / "net" / "mpls" / "Kconfig").is_file()
    assert world.cached() == good(world)
    assert [one.path for one in world.server.asked] == [
        f"{LINUX}/{SIGNATURE}",
        f"{LINUX}/sha256sums.asc",
        f"{LINUX}/{ARCHIVE}",
    ]
    world.server.asked.clear()
    second = world.fetch()
    assert second.json == first.json
    assert world.server.asked == []


def test_a_series_is_its_newest_release_that_is_listed(world: World) -> None:
    done = world.fetch("6.1")
    assert (done.json["version"], done.json["spec"]) == ("6.1.999", "kernel.org:6.1")
    again = world.fetch("6.1")
    assert (again.code, len(world.server.asked_for(ARCHIVE)), len(world.server.asked)) == (0, 1, 5)


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("stable", f"{LINUX}/linux-6.18.1.tar.sign"),
        ("longterm", f"{LINUX}/linux-6.12.58.tar.sign"),
        ("6.18", f"{LINUX}/linux-6.18.1.tar.sign"),
        ("6.12.0", f"{LINUX}/linux-6.12.tar.sign"),
        ("5.4.290", "pub/linux/kernel/v5.x/linux-5.4.290.tar.sign"),
    ],
)
def test_what_a_word_or_number_means_is_asked_for_where_kernel_org_has_it(
    world: World, wanted: str, asked: str
) -> None:
    assert world.fetch(wanted).code == 4
    assert asked in [one.path for one in world.server.asked]


def test_a_series_that_is_no_longer_listed_is_found_by_the_list_of_checksums(world: World) -> None:
    front_page(world.root, ("stable", "6.18.1", False))
    for version in ("6.1", "6.1.9", "6.1.10"):
        (world.root / LINUX / f"linux-{version}.tar.xz").touch()
    list_checksums(world.root / LINUX, world.keys["autosigner"])
    assert world.fetch("6.1").json["version"] == "6.1.999"


def test_mainline_is_taken_when_it_is_a_release(world: World) -> None:
    front_page(world.root, ("mainline", "6.19", False), ("stable", "6.18.1", False))
    for wanted in ("mainline", "stable"):
        assert f"{LINUX}/linux-6.19.tar.xz is not there" in world.fetch(wanted).err


def publish_iproute2(world: World, version: str, inside: str) -> None:
    """A release of iproute2 whose tree says that it is `inside`."""
    tree = world.folder / f"iproute2-{version}"
    (tree / "include").mkdir(parents=True)
    (tree / "ip").mkdir()
    (tree / "include" / "version.h").write_text(f'static const char version[] = "{inside}";\n')
    (tree / "ip" / "iproute.c").touch()
    tar = pack(tree, world.folder / "iproute2.tar").read_bytes()
    publish(world.root, IPROUTE2, tree.name, tar, world.keys["developer"], world.keys["autosigner"])
    list_checksums(world.root / IPROUTE2, world.keys["autosigner"])


def fetch_iproute2(world: World, wanted: str) -> SourceTree:
    from mplskit.sources.kernel_org import fetch
    from mplskit.sources.source_cache import IPROUTE2 as SOFTWARE
    from mplskit.sources.source_spec import KernelOrg

    return fetch(SOFTWARE, KernelOrg(wanted), world.folder / "cache")


def test_iproute2_comes_from_its_own_folder_by_its_own_keys(world: World) -> None:
    publish_iproute2(world, "6.12.0", "6.12.0")
    (world.root / IPROUTE2 / "iproute2-6.9.0.tar.xz").touch()
    list_checksums(world.root / IPROUTE2, world.keys["autosigner"])
    for wanted in ("stable", "6.12", "6.12.0"):
        made = fetch_iproute2(world, wanted)
        assert (made.name, made.version, made.path.name) == ("iproute2", "6.12.0", "iproute2")
    assert made.origin.startswith(f"{world.server.url}/{IPROUTE2}/iproute2-6.12.0.tar.xz, signed by ")


def test_an_iproute2_that_says_it_is_another_version_is_refused(world: World) -> None:
    publish_iproute2(world, "6.12.0", "6.11.0")
    with pytest.raises(OutsideFailed, match=r"holds iproute2 6\.11\.0, not 6\.12\.0"):
        fetch_iproute2(world, "6.12.0")


def test_an_iproute2_from_before_5_11_goes_by_the_version_of_its_archive(world: World) -> None:
    publish_iproute2(world, "5.10.0", "5.9.0")
    assert fetch_iproute2(world, "5.10.0").version == "5.10.0"


def test_without_a_pinned_key_for_them_lists_of_checksums_are_not_asked_for(world: World) -> None:
    shutil.rmtree(world.folder / "keys" / "checksums")
    assert world.fetch().code == 0
    assert world.server.asked_for("sha256sums.asc") == []


# Transfers that break.


def test_a_broken_transfer_is_gone_on_with_and_no_byte_comes_twice(world: World) -> None:
    world.server.misbehave(ARCHIVE, [Break(100_000), Break(50_000)])
    done = world.fetch()
    assert done.code == 0, done.err
    size = world.archive.stat().st_size
    assert [(one.range, one.first, one.sent) for one in world.server.asked_for(ARCHIVE)] == [
        ("", 0, 100_000),
        ("bytes=100000-", 100_000, 50_000),
        ("bytes=150000-", 150_000, size - 150_000),
    ]
    assert f"! {ARCHIVE}: broke off after 100,000 of {size:,} bytes" in done.err
    assert world.cached() == good(world)


def test_what_came_before_our_death_is_gone_on_with(world: World) -> None:
    world.server.misbehave(ARCHIVE, [Stall(200_000)])
    partial = world.folder / "cache" / "downloads" / f"{ARCHIVE}.partial"
    patient = CommandLine(world.folder, {"MPLSKIT_NETWORK_TIMEOUT": "60"})
    with patient.running("kernel.fetch", "--source", "kernel.org:6.1.999") as process:
        assert awaited(lambda: partial.exists() and partial.stat().st_size > 100_000)
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
    have = partial.stat().st_size
    assert world.fetch().code == 0
    assert world.server.asked_for(ARCHIVE)[-1].range == f"bytes={have}-"
    assert world.cached() == good(world)


def test_a_file_that_changed_since_the_break_is_taken_from_its_beginning(world: World) -> None:
    def faults() -> Iterator[Break]:
        yield Break(100_000)
        world.publish(world.tar + b"\0" * 10240)

    world.server.misbehave(ARCHIVE, faults())
    assert world.fetch("6.1.999").code == 4
    assert [(one.range, one.first) for one in world.server.asked_for(ARCHIVE)] == [("", 0), ("bytes=100000-", 0)]
    # The list of checksums was asked for before the change: nothing of the mixture was taken.
    assert world.cached() == []
    assert world.fetch().code == 0


def test_a_partial_file_that_is_whole_already_is_not_asked_for_again(world: World) -> None:
    world.server.misbehave(ARCHIVE, itertools.repeat(Break(100_000)))
    assert world.fetch().code == 4
    partial = world.folder / "cache" / "downloads" / f"{ARCHIVE}.partial"
    partial.write_bytes(world.archive.read_bytes())
    world.server.misbehave(ARCHIVE, [])
    assert world.fetch().code == 0
    last = world.server.asked_for(ARCHIVE)[-1]
    assert (last.range, last.sent) == (f"bytes={world.archive.stat().st_size}-", 0)


def test_a_partial_file_that_was_damaged_on_disk_does_not_poison_the_next_runs(world: World) -> None:
    world.server.misbehave(ARCHIVE, itertools.repeat(Break(30_000)))
    assert world.fetch().code == 4
    partial = world.folder / "cache" / "downloads" / f"{ARCHIVE}.partial"
    partial.write_bytes(bytes(partial.stat().st_size))
    world.server.misbehave(ARCHIVE, [])
    assert "is not the file that kernel.org's list of checksums names" in world.fetch().err
    assert world.cached() == []
    assert world.fetch().code == 0


def test_a_server_without_ranges_is_asked_for_the_whole_again(world: World) -> None:
    world.server.resumable = False
    world.server.misbehave(ARCHIVE, [Break(100_000)])
    assert world.fetch().code == 0
    assert [one.range for one in world.server.asked_for(ARCHIVE)] == ["", ""]


def test_a_server_that_is_busy_once_is_asked_again_when_it_said(world: World) -> None:
    world.server.misbehave(SIGNATURE, [Answer(503, (("Retry-After", "1"),)), Answer(429)])
    done = world.fetch()
    assert done.code == 0, done.err
    assert f"! {SIGNATURE}: the server says 503 Service Unavailable; trying again in 1 s (2 of 3)" in done.err
    assert len(world.server.asked_for(SIGNATURE)) == 3


def test_a_stall_passes_when_the_server_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_NETWORK_TIMEOUT", "0.5")
    world.server.misbehave(ARCHIVE, [Stall(70_000)])
    done = world.fetch()
    assert done.code == 0, done.err
    assert "nothing came for 0.5 s; trying again" in done.err


def test_two_processes_fetch_once(world: World) -> None:
    world.server.misbehave(ARCHIVE, [Stall(70_000)])
    one = CommandLine(world.folder, {"MPLSKIT_NETWORK_TIMEOUT": "2"})
    with one.running("kernel.fetch", "--source", "kernel.org:6.1.999") as first:
        assert awaited(lambda: world.server.asked_for(ARCHIVE))
        with one.running("kernel.fetch", "--source", "kernel.org:6.1.999") as second:
            assert (first.wait(20), second.wait(20)) == (0, 0)
    assert [one.first > 0 for one in world.server.asked_for(ARCHIVE)] == [False, True]
    assert world.cached() == good(world)


# --insecure-source


def test_what_nobody_signed_is_taken_when_the_user_says_so_and_not_trusted_later(world: World) -> None:
    (world.root / LINUX / SIGNATURE).unlink()
    done = world.fetch("6.1.999", "--insecure-source")
    assert done.code == 0, done.err
    assert done.json["origin"].endswith(f"{ARCHIVE}, not verified (--insecure-source)")
    assert f"! {ARCHIVE} has no signature, and is taken all the same (--insecure-source)" in done.err
    assert world.fetch().code == 4
    world.server.asked.clear()
    assert world.fetch("6.1.999", "--insecure-source").json == done.json
    assert world.server.asked == []
    world.publish(world.tar)
    assert ", signed by " in world.fetch().json["origin"]


def test_a_tree_in_the_cache_does_not_stand_for_a_signature(world: World) -> None:
    (world.root / LINUX / SIGNATURE).unlink()
    assert world.fetch("6.1.999", "--insecure-source").code == 0
    signature_of_another_file(world)
    assert world.fetch().code == 4


def test_what_is_signed_by_a_stranger_is_taken_when_the_user_says_so(world: World) -> None:
    world.publish(world.tar, "stranger")
    done = world.fetch("6.1.999", "--insecure-source")
    assert done.json["origin"].endswith("not verified (--insecure-source)")


@pytest.mark.parametrize("spoil", [signature_of_another_file, pin_and_resign("expired"), revoked, wrong_hash])
def test_what_is_signed_wrongly_is_never_taken(world: World, spoil: Callable[[World], None]) -> None:
    spoil(world)
    assert world.fetch("6.1.999", "--insecure-source").code == 4
    assert world.cached() == []


def test_a_key_that_is_taken_out_takes_its_trees_along(world: World) -> None:
    assert world.fetch().code == 0
    shutil.rmtree(world.folder / "keys" / "linux")
    world.keys["stranger"].pin(world.folder / "keys" / "linux")
    assert "is signed by a key that is not pinned" in world.fetch().err


@pytest.mark.parametrize("kind", ["linux", "checksums"])
def test_a_key_that_is_replaced_by_its_revoked_self_takes_its_trees_along(world: World, kind: str) -> None:
    pin_and_resign("stolen")(world)
    key = world.keys["stolen"]
    key.pin(world.folder / "keys" / "checksums")
    list_checksums(world.root / LINUX, key)
    assert world.fetch().code == 0
    (world.folder / "keys" / kind / f"{key.fingerprint}.asc").write_bytes(key.revoked())
    done = world.fetch()
    assert done.code == 4
    assert "is signed by a key that was revoked" in done.err


def test_a_key_that_is_replaced_by_its_revoked_self_vouches_for_no_archive_any_more(world: World) -> None:
    pin_and_resign("stolen")(world)
    source = ("kernel.fetch", "--source", f"file:{world.archive}")
    assert world(*source).code == 0
    key = world.keys["stolen"]
    (world.folder / "keys" / "linux" / f"{key.fingerprint}.asc").write_bytes(key.revoked())
    done = world(*source)
    assert done.code == 4
    assert "is signed by a key that was revoked" in done.err


# What a crash or a full disk has cut in the cache


@pytest.mark.parametrize("text", ["", '{"version": "6.1', "[]"], ids=["empty", "cut", "another"])
@pytest.mark.parametrize("record", ["kernel.org/linux-6.1.999.json", "sources/*/source.json", "signed/linux-*.json"])
def test_a_damaged_record_of_the_cache_is_made_anew(world: World, record: str, text: str) -> None:
    source = f"file:{world.archive}" if record.startswith("signed") else "kernel.org:6.1.999"
    words = ("kernel.fetch", "--source", source, "--json")
    first = world(*words)
    [path] = (world.folder / "cache").glob(record)
    path.write_text(text)
    again = world(*words)
    assert (again.code, again.out) == (0, first.out)
    assert " is damaged: it " in again.err
    assert "damaged" not in world(*words).err


@pytest.mark.parametrize("older", [False, True], ids=["record", "record of a release before"])
def test_a_key_whose_subkey_was_revoked_takes_the_trees_along_that_this_one_signed(world: World, older: bool) -> None:
    pin_and_resign("subkey")(world)
    assert world.fetch().code == 0
    if older:
        record = world.folder / "cache/kernel.org/linux-6.1.999.json"
        noted = json.loads(record.read_text())
        record.write_text(json.dumps({key: noted[key] for key in ("digest", "origin", "signer", "lister")}))
    world.server.asked.clear()
    assert (world.fetch().code, world.server.asked) == (0, [])
    key = world.keys["subkey"]
    (world.folder / "keys" / "linux" / f"{key.fingerprint}.asc").write_bytes(key.without_subkey())
    done = world.fetch()
    assert done.code == 4
    assert "is signed by a key that was revoked" in done.err


def test_a_list_of_checksums_by_a_revoked_subkey_is_asked_for_again(world: World) -> None:
    key = world.keys["subkey"]
    pinned = world.folder / "keys" / "checksums" / f"{key.fingerprint}.asc"
    key.pin(pinned.parent)
    list_checksums(world.root / LINUX, key)
    assert world.fetch().code == 0
    pinned.write_bytes(key.without_subkey())
    done = world.fetch()
    assert done.code == 4
    assert "sha256sums.asc is signed by a key that was revoked" in done.err


def test_a_file_by_a_revoked_subkey_is_verified_anew(world: World) -> None:
    pin_and_resign("subkey")(world)
    for name in (ARCHIVE, SIGNATURE):
        shutil.copy(world.root / LINUX / name, world.folder / name)
    fetched = ("kernel.fetch", "--source", f"file:{world.folder / ARCHIVE}")
    assert world(*fetched).code == 0
    key = world.keys["subkey"]
    (world.folder / "keys" / "linux" / f"{key.fingerprint}.asc").write_bytes(key.without_subkey())
    done = world(*fetched)
    assert done.code == 4
    assert "is signed by a key that was revoked" in done.err


# A full disk


def test_a_full_disk_is_told_and_leaves_room(world: World) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    cache = world.folder / "cache" / "downloads"
    cache.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", cache], check=True)
    try:
        failed = world.fetch()
        left = [path.name for path in cache.iterdir() if path.suffix != ".lock"]
    finally:
        subprocess.run(["umount", cache], check=True)
    assert (failed.code, left) == (3, [])
    assert f"{cache} has 0 MiB free" in failed.error
