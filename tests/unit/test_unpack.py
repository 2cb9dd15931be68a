"""Archives: the good ones become the tree that they hold, the hostile and the damaged ones become nothing."""

import io
import os
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mplskit.errors import OutsideFailed
from mplskit.sources import archive_members
from mplskit.sources.archive_members import Kind, Member, check
from mplskit.sources.unpack import decompressed, unpack, unpack_tar

Fill = Callable[[tarfile.TarFile], None]


def archive(path: Path, fill: Fill, format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=format) as tar:
        fill(tar)
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode, found.mtime = kind, link, mode, 1_600_000_000
    return found


def put(tar: tarfile.TarFile, name: str, text: str = "text\n", mode: int = 0o644) -> None:
    info = entry(name, mode=mode)
    info.size = len(text)
    tar.addfile(info, io.BytesIO(text.encode()))


def kernel(tar: tarfile.TarFile) -> None:
    tar.addfile(entry("linux-6.12", tarfile.DIRTYPE, mode=0o2555))
    put(tar, "linux-6.12/Makefile", "VERSION = 6\n", 0o664)
    put(tar, "linux-6.12/scripts/config", "#!/bin/sh\n", 0o6775)
    put(tar, "linux-6.12/arch/arm/boot/dts/a.dts")
    tar.addfile(entry("linux-6.12/scripts/dtc/include-prefixes/arm", tarfile.SYMTYPE, "../../../arch/arm/boot/dts"))
    tar.addfile(entry("linux-6.12/again", tarfile.LNKTYPE, "linux-6.12/Makefile"))
    put(tar, "linux-6.12/" + "long/" * 60 + "name")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unpacked").mkdir()
    return tmp_path / "unpacked"


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    "tool", [("xz", "-9"), ("gzip",), ("zstd", "-q"), ("bzip2",), ("cat",)], ids=lambda words: str(words[0])
)
def test_a_tree_is_what_the_archive_holds_however_compressed_and_whatever_its_name(
    tmp_path: Path, folder: Path, tool: tuple[str, ...], format: int
) -> None:
    plain = archive(tmp_path / "plain.tar", kernel, format)
    packed = tmp_path / "linux.tar.other"
    packed.write_bytes(subprocess.run([*tool], stdin=plain.open("rb"), stdout=subprocess.PIPE, check=True).stdout)

    tree = unpack(packed, folder)

    assert tree == folder / "linux-6.12"
    assert (tree / "Makefile").read_text() == "VERSION = 6\n"
    assert (tree / "scripts/dtc/include-prefixes/arm/a.dts").read_text() == "text\n"
    assert (tree / "again").samefile(tree / "Makefile")
    assert (tree / ("long/" * 60) / "name").is_file()
    assert [stat.S_IMODE((tree / name).stat().st_mode) for name in (".", "Makefile", "scripts/config")] == [
        0o755,
        0o644,
        0o755,
    ]
    assert (tree / "Makefile").stat().st_mtime == 1_600_000_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linux.tar.other", "plain.tar", "unpacked"]


def test_an_archive_made_from_inside_its_folder_is_its_tree(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Makefile").touch()
    (tmp_path / "in" / "ip").mkdir()
    subprocess.run(["tar", "-cf", "flat.tar", "-C", "in", "."], check=True, cwd=tmp_path)
    assert unpack(tmp_path / "flat.tar", folder) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["Makefile", "ip"]


def test_a_compressed_archive_is_decompressed_once_for_those_who_need_its_tar(tmp_path: Path, folder: Path) -> None:
    plain = archive(tmp_path / "linux.tar", kernel)
    subprocess.run(["xz", "--keep", plain], check=True)
    (tmp_path / "scratch").mkdir()
    tar = decompressed(tmp_path / "linux.tar.xz", tmp_path / "scratch")
    assert (tar.parent, tar.read_bytes()) == (tmp_path / "scratch", plain.read_bytes())
    assert decompressed(tar, tmp_path / "scratch") == tar
    assert unpack_tar(tar, folder, "linux.tar.xz") == folder / "linux-6.12"


def device(kind: bytes) -> Fill:
    def fill(tar: tarfile.TarFile) -> None:
        info = entry("linux/null", kind)
        info.devmajor, info.devminor = 1, 3
        tar.addfile(info)

    return fill


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> Fill:
    return lambda tar: tar.addfile(entry(name, kind, to))


def named(*names: str) -> Fill:
    def fill(tar: tarfile.TarFile) -> None:
        for name in names:
            put(tar, name)

    return fill


def after(*fills: Fill) -> Fill:
    def fill(tar: tarfile.TarFile) -> None:
        for each in fills:
            each(tar)

    return fill


def sparse(tar: tarfile.TarFile) -> None:
    info = entry("linux/holes")
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 50), "GNU.sparse.name": "linux/holes"}
    tar.addfile(info)


HOSTILE: dict[str, tuple[Fill, str]] = {
    "absolute": (named("linux/a", "/etc/cron.d/x"), "member '/etc/cron.d/x' is an absolute name"),
    "dots": (named("linux/a", "../x"), "member '../x' leads out of its folder by .."),
    "dots-inside": (named("linux/a/../../../x"), "member 'linux/a/../../../x' leads out of its folder by .."),
    "symlink-absolute": (
        after(named("linux/a"), link("linux/etc", "/etc")),
        "member 'linux/etc' is a symlink to the absolute name '/etc'",
    ),
    "symlink-dots": (
        after(named("linux/a"), link("linux/b/up", "../../../x")),
        "member 'linux/b/up' is a symlink out of the tree, to '../../../x'",
    ),
    # What lies beside the tree in the cache is no part of it.
    "symlink-beside": (
        after(named("linux/a"), link("linux/up", "../source.json")),
        "member 'linux/up' is a symlink out of the tree, to '../source.json'",
    ),
    # By its words alone the second link stays inside: `up/..` looks like `linux`.
    "symlink-through-symlink": (
        after(named("linux/a/a"), link("linux/a/top", ".."), link("linux/a/out", "top/../x")),
        "member 'linux/a/out' is a symlink out of the tree, to 'top/../x'",
    ),
    "below-a-symlink": (
        after(named("linux/a"), link("linux/out", "a"), named("linux/out/x")),
        "member 'linux/out/x' lies below 'linux/out', which is a symlink",
    ),
    "below-a-file": (named("linux/a", "linux/a/b"), "member 'linux/a/b' lies below 'linux/a', which is a file"),
    "over-a-symlink": (
        after(named("linux/a"), link("linux/out", "a"), named("linux/out")),
        "member 'linux/out' is there twice",
    ),
    "twice": (named("linux/a", "linux/./a"), "member 'linux/a' is there twice"),
    "hard-link-outside": (
        after(named("linux/a"), link("linux/shadow", "/etc/shadow", tarfile.LNKTYPE)),
        "member 'linux/shadow' is a hard link to '/etc/shadow', which is no file before it in the archive",
    ),
    "hard-link-dots": (
        after(named("linux/a"), link("linux/x", "../x", tarfile.LNKTYPE)),
        "member 'linux/x' is a hard link to '../x', which is no file before it in the archive",
    ),
    "hard-link-to-symlink": (
        after(named("linux/a"), link("linux/s", "a"), link("linux/x", "linux/s", tarfile.LNKTYPE)),
        "member 'linux/x' is a hard link to 'linux/s', which is no file before it in the archive",
    ),
    "character-device": (device(tarfile.CHRTYPE), "member 'linux/null' is a device node"),
    "block-device": (device(tarfile.BLKTYPE), "member 'linux/null' is a device node"),
    "named-pipe": (device(tarfile.FIFOTYPE), "member 'linux/null' is a named pipe"),
    "unknown": (device(b"Q"), "member 'linux/null' is of the unknown type 'Q'"),
    "sparse": (sparse, "member 'linux/holes' is a file with holes"),
    "long-name": (named("linux/" + "a" * 300), "is too long a name"),
    "symlink-nowhere": (link("linux/a", ""), "member 'linux/a' is a symlink to no name"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_before_anything_is_written(tmp_path: Path, folder: Path, case: str) -> None:
    fill, words = HOSTILE[case]
    hostile = archive(tmp_path / "linux.tar", fill)
    with pytest.raises(OutsideFailed) as failed:
        unpack(hostile, folder)
    assert failed.value.message.startswith("linux.tar is not unpacked: its member ")
    assert words in failed.value.message
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linux.tar", "unpacked"]


def test_a_circle_of_symlinks_leads_nowhere_and_harms_nobody(tmp_path: Path, folder: Path) -> None:
    circle = archive(tmp_path / "linux.tar", after(named("l/a"), link("l/b", "c/x"), link("l/c", "b/x")))
    assert (unpack(circle, folder) / "b").is_symlink()


@pytest.mark.parametrize("compress", [["xz"], ["gzip"], ["zstd", "-q"], ["bzip2"], ["cat"]], ids=lambda words: words[0])
def test_an_archive_that_grows_beyond_the_limit_is_stopped_there(
    tmp_path: Path, folder: Path, compress: list[str]
) -> None:
    bomb = tmp_path / "linux.tar.xz"
    zeros = bytes(5 << 20)
    bomb.write_bytes(subprocess.run(compress, input=zeros, stdout=subprocess.PIPE, check=True).stdout)
    with pytest.raises(OutsideFailed, match=r"linux.tar.xz is not unpacked: it gives more than 3 MiB, which no such"):
        unpack(bomb, folder, limit=3 << 20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linux.tar.xz", "unpacked"]


def test_an_archive_of_too_many_members_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_members, "MOST_MEMBERS", 3)
    many = archive(tmp_path / "linux.tar", named("l/a", "l/b", "l/c", "l/d"))
    with pytest.raises(OutsideFailed, match=r"its member 'l/d' is beyond the first 3 members"):
        unpack(many, folder)


def cut(at: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[:at]


def scribbled(whole: bytes) -> bytes:
    """The third header says nonsense, and what follows it is whole."""
    return whole[:1024] + b"?" * 512 + whole[1536:]


@pytest.mark.parametrize(
    "damage", [cut(0), cut(100), cut(512), cut(700), cut(1024), cut(1536), scribbled, lambda whole: whole[512:] + b"x"]
)
def test_a_damaged_tar_is_no_tree_of_what_is_left(
    tmp_path: Path, folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    whole = archive(tmp_path / "whole.tar", named("l/a", "l/b", "l/c")).read_bytes()
    (tmp_path / "linux.tar").write_bytes(damage(whole))
    with pytest.raises(OutsideFailed, match=r"linux.tar is damaged, or no tar archive|linux.tar holds nothing"):
        unpack(tmp_path / "linux.tar", folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("size", [b"-9223372036854775808", b"-512", b"99999999999999999999999"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.DIRTYPE])
def test_a_length_that_cannot_be_ends_at_once(tmp_path: Path, folder: Path, kind: bytes, size: bytes) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        info = entry("linux/a", kind)
        info.size = -512 if size == b"-512" else 1 << 40
        info.pax_headers = {"size": size.decode()} if kind == tarfile.REGTYPE else {}
        tar.addfile(info)

    begin = time.monotonic()
    try:
        unpack(archive(tmp_path / "linux.tar", fill, tarfile.GNU_FORMAT), folder)
    except OutsideFailed:
        assert list(folder.iterdir()) == []
    assert time.monotonic() - begin < 2


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 10239), st.integers(0, 255)), min_size=1, max_size=12))
def test_no_byte_that_was_changed_in_an_archive_stops_us_or_gets_out(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    place = tmp_path_factory.mktemp("changed")
    content = bytearray(archive(place / "linux.tar", kernel).read_bytes())
    for where, value in changes:
        content[where] = value
    (place / "linux.tar").write_bytes(content)
    (place / "in").mkdir()
    try:
        unpack_tar(place / "linux.tar", place / "in")
    except OutsideFailed:
        assert list((place / "in").iterdir()) == []
    assert sorted(path.name for path in place.iterdir()) == ["in", "linux.tar"]


WORDS = st.sampled_from(["a", "b", "c", "..", ".", "", "d" * 256, "é", "\udcff"])
PATHS = st.lists(WORDS, min_size=1, max_size=4).map("/".join)
MEMBERS = st.lists(st.builds(Member, path=PATHS, kind=st.sampled_from(Kind), link=PATHS), max_size=7)


@settings(max_examples=300)
@given(MEMBERS)
def test_whatever_passes_the_check_stays_inside_when_it_is_written_and_followed(
    tmp_path_factory: pytest.TempPathFactory, found: list[Member]
) -> None:
    cleaned = ["/".join(word for word in each.path.split("/") if word not in ("", ".")) for each in found]
    found = [
        Member(path if not each.path.startswith("/") else each.path, each.kind, each.link)
        for path, each in zip(cleaned, found, strict=True)
    ]
    try:
        check(found, "linux.tar")
    except OutsideFailed:
        return
    place = tmp_path_factory.mktemp("checked") / "in"
    place.mkdir()
    for each in found:
        path = place / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.kind is Kind.SYMLINK:
            path.symlink_to(each.link)
        elif each.kind is Kind.HARD_LINK:
            os.link(place / each.link, path, follow_symlinks=False)
        elif each.kind is Kind.FOLDER:
            path.mkdir(exist_ok=True)
        else:
            path.touch()
    for each in found:
        try:
            real = (place / each.path).resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        assert real.is_relative_to(place.resolve())
