"""What of Debian cannot be trusted or had: the words, and that nothing is left of it."""

import os

from tests.worlds.host_with_apt import World, assert_told, published, world

__all__ = ["published", "world"]


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


def test_old_lists_are_not_used_in_place_of_ones_that_a_stranger_signed(world: World) -> None:
    assert world.fetch("debian:trixie").returncode == 0
    [old] = world.roots()
    os.utime(old / "apt.conf", (1, 1))
    world.archive.publish("debian", "trixie", "stranger")
    assert_told("debian-wrong-key", world.fetch("debian:trixie"), 4, "trixie InRelease")
    assert world.roots() == [old]


def test_a_host_without_a_debian_archive_is_told_so(world: World) -> None:
    (world.mplskit.folder / "host/etc/sources.list.d/debian.sources").unlink()
    assert_told("debian-no-archive", world.fetch("debian:trixie"), 4)
