"""A full disk under the build folder and under the cache: what is told, what is left, and whether the next run works.

The small file systems live in a mount namespace of their own, which ends with the test.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from tests.command_line import CommandLine, awaited, stand_in
from tests.worlds.fake_linux import pack, plant

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
CURE = "hint: free some space, or point MPLSKIT_BUILD, MPLSKIT_DIST or MPLSKIT_CACHE at a larger file system\n"


@dataclass(frozen=True)
class Mounts:
    """A mount namespace, entered by `prefix`; its files can be read below `root`."""

    prefix: tuple[str, ...]
    root: Path

    def mount(self, *words: str | Path) -> None:
        process.run([*self.prefix, "mount", *words])

    def within(self, folder: Path) -> list[str]:
        """What is in a folder, at any depth, beside locks and logs."""
        inside = Path(f"{self.root}{folder}")
        return sorted(
            str(path.relative_to(inside))
            for path in inside.rglob("*")
            if path.is_file() and path.suffix not in (".lock", ".log")
        )


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Mounts]:
    with process.started(["unshare", "--mount", "--propagation", "private", "sleep", "infinity"]) as holder:
        root = Path(f"/proc/{holder.pid}/root")
        outside = Path("/proc/self/ns/mnt").readlink()
        assert awaited(lambda: Path(f"/proc/{holder.pid}/ns/mnt").readlink() != outside)
        assert awaited(lambda: Path(f"/proc/{holder.pid}/comm").read_text() == "sleep\n")
        yield Mounts(("nsenter", f"--target={holder.pid}", "--mount", f"--wd={tmp_path}"), root)


def large_disk(mounts: Mounts, tmp_path: Path, place: Path) -> None:
    """6 GiB that take no space while nobody writes: an ext4 in a file with holes."""
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(6 << 30)
    process.run(["mkfs.ext4", "-q", "-m", "0", image])
    mounts.mount("-o", "loop", image, place)


@pytest.fixture
def mplskit(tmp_path: Path, mounts: Mounts) -> CommandLine:
    for name in ("build", "cache"):
        (tmp_path / name).mkdir()
    return CommandLine(tmp_path, prefix=mounts.prefix)


def test_too_small_a_disk_is_told_before_the_build_begins(mplskit: CommandLine, mounts: Mounts, tmp_path: Path) -> None:
    tree, folder = plant(tmp_path / "origin"), tmp_path / "build"
    mounts.mount("-t", "tmpfs", "-o", "size=64M", "small", folder)
    words = ("kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg")
    failed = mplskit(*words)
    assert (failed.returncode, failed.stdout, mplskit.journal()) == (3, "", [])
    assert f"error: building a kernel needs about 3078 MiB, and {folder}/kernel/" in failed.stderr
    assert failed.stderr.endswith(CURE) and " MiB free\n" in failed.stderr
    assert [Path(name).parts[0] for name in mounts.within(folder)] == ["config"]

    mounts.mount("-o", "remount,size=4G", folder)
    done = mplskit(*words)
    assert done.returncode == 0, done.stderr


def test_a_disk_that_fills_while_a_kernel_is_built_is_told_and_emptied_again(
    mplskit: CommandLine, mounts: Mounts, tmp_path: Path
) -> None:
    tree, folder = plant(tmp_path / "origin"), tmp_path / "build"
    large_disk(mounts, tmp_path, folder)
    words = ("kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg")
    failed = mplskit(*words, "--set", "FILL_THE_DISK=y")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert f"error: the disk is full ({folder}/kernel/" in failed.stderr and failed.stderr.endswith(CURE)
    assert "No space left on device" in failed.stderr
    assert [Path(name).parts[0] for name in mounts.within(folder)] == ["config"]

    done = mplskit(*words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("size", ["0", "4k", "8k"])
def test_a_disk_that_is_full_when_the_work_begins_is_told_with_its_place(
    mplskit: CommandLine, mounts: Mounts, tmp_path: Path, size: str
) -> None:
    tree, folder = plant(tmp_path / "origin"), tmp_path / "build"
    mounts.mount("-t", "tmpfs", "-o", f"size={size}" if size != "0" else "nr_inodes=2", "small", folder)
    failed = mplskit("kernel.config", "--source", f"tree:{tree}")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "the disk is full" in failed.stderr and str(folder) in failed.stderr and failed.stderr.endswith(CURE)
    assert mounts.within(folder) == []

    mounts.mount("-o", "remount,size=64M,nr_inodes=10000", folder)
    done = mplskit("kernel.config", "--source", f"tree:{tree}")
    assert done.returncode == 0, done.stderr


def test_too_small_a_cache_is_told_before_anything_is_unpacked(
    mplskit: CommandLine, mounts: Mounts, tmp_path: Path
) -> None:
    archive, folder = pack(plant(tmp_path / "origin"), tmp_path / "linux.tar.xz"), tmp_path / "cache"
    mounts.mount("-t", "tmpfs", "-o", "size=64M", "small", folder)
    failed = mplskit("kernel.fetch", "--source", f"file:{archive}", "--insecure-source")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert f"error: unpacking linux needs about 4096 MiB, and {folder}/sources/" in failed.stderr
    assert failed.stderr.endswith(CURE)
    assert mounts.within(folder) == []

    mounts.mount("-o", "remount,size=6G", folder)
    done = mplskit("kernel.fetch", "--source", f"file:{archive}", "--insecure-source")
    assert done.returncode == 0, done.stderr


def test_a_cache_that_fills_while_unpacking_is_told_and_emptied_again(
    mplskit: CommandLine, mounts: Mounts, tmp_path: Path
) -> None:
    archive, folder = pack(plant(tmp_path / "origin"), tmp_path / "linux.tar.xz"), tmp_path / "cache"
    large_disk(mounts, tmp_path, folder)
    # A stand-in for somebody else who fills the disk meanwhile, in files that are smaller than an archive may be: then
    # the real xz runs.
    filling = (
        f"half=$(( $(df --output=avail -B1 {folder} | tail -n 1) / 2 ))\n"
        f'for name in theirs more; do fallocate -l $half {folder}/$name; done\nexec /usr/bin/xz "$@"'
    )
    full = CommandLine(tmp_path, stand_in(tmp_path / "bin", "xz", filling), mounts.prefix)
    failed = full("kernel.fetch", "--source", f"file:{archive}", "--insecure-source")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "error: the disk is full" in failed.stderr and str(folder) in failed.stderr
    assert failed.stderr.endswith(CURE)
    assert mounts.within(folder) == ["more", "theirs"]

    for name in ("more", "theirs"):
        Path(f"{mounts.root}{folder}/{name}").unlink()
    done = mplskit("kernel.fetch", "--source", f"file:{archive}", "--insecure-source")
    assert done.returncode == 0, done.stderr


def test_a_full_disk_under_dist_is_told_and_the_build_is_kept(
    mplskit: CommandLine, mounts: Mounts, tmp_path: Path
) -> None:
    tree, folder = plant(tmp_path / "origin"), tmp_path / "dist"
    folder.mkdir()
    mounts.mount("-t", "tmpfs", "-o", "size=24k", "small", folder)
    words = ("kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg")
    failed = mplskit(*words)
    assert (failed.returncode, failed.stdout) == (3, "")
    assert f"error: the disk is full: {folder}" in failed.stderr and failed.stderr.endswith(CURE)
    assert all(not Path(name).name.startswith(".") for name in mounts.within(folder))

    mounts.mount("-o", "remount,size=64M", folder)
    assert mplskit(*words).returncode == 0
    assert len(mplskit.journal()) == 1
