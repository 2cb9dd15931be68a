import errno
import json
import multiprocessing
import os
import stat
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from mplskit import files, progress
from mplskit.errors import MachineLacks, WrongInput
from mplskit.files import (
    build_once,
    copy_atomically,
    digest_file,
    digest_of,
    digest_tree,
    is_full_disk,
    locked,
    need_space,
    write_atomically,
)

FORK = multiprocessing.get_context("fork")


def visible(folder: Path) -> list[str]:
    """What is in a folder beside lock files."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_folder_is_built_once(tmp_path: Path) -> None:
    calls = []

    def build(folder: Path) -> None:
        calls.append(folder)
        (folder / "kernel").write_text("6.1")

    target = tmp_path / "deep" / "down"
    assert [build_once(target, build), build_once(target, build)] == [True, False]
    assert len(calls) == 1 and (target / "kernel").read_text() == "6.1"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_build_that_fails_leaves_nothing_and_the_next_one_works(tmp_path: Path, error: type[BaseException]) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("6.")
        raise error

    with pytest.raises(error):
        build_once(tmp_path / "target", fail)
    assert visible(tmp_path) == []
    assert build_once(tmp_path / "target", lambda folder: (folder / "whole").touch()) is True
    assert visible(tmp_path / "target") == ["whole"]


def test_the_target_is_not_there_while_it_is_built(tmp_path: Path) -> None:
    build_once(tmp_path / "target", lambda folder: print((tmp_path / "target").exists(), folder.parent == tmp_path))
    assert (tmp_path / "target").is_dir()


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    def die(folder: Path) -> None:
        (folder / "half").touch()
        os._exit(9)

    child = FORK.Process(target=build_once, args=(tmp_path / "target", die))
    child.start()
    child.join()
    [left] = visible(tmp_path)
    assert left.startswith(".target.partial-")
    build_once(tmp_path / "target", lambda folder: None)
    assert visible(tmp_path) == ["target"]


def test_the_leftovers_of_another_target_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / ".target2.partial-1").mkdir()
    build_once(tmp_path / "target", lambda folder: None)
    assert visible(tmp_path) == [".target2.partial-1", "target"]


def race(target: Path, journal: Path, go: Event) -> None:
    def build(folder: Path) -> None:
        with journal.open("a") as file:
            file.write("built\n")
        (folder / "kernel").touch()

    go.wait()
    build_once(target, build)
    assert (target / "kernel").exists()


def test_processes_that_race_build_once_and_all_find_it_whole(tmp_path: Path) -> None:
    go = FORK.Event()
    racers = [FORK.Process(target=race, args=(tmp_path / "t", tmp_path / "journal", go)) for _ in range(8)]
    for racer in racers:
        racer.start()
    go.set()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * 8
    assert (tmp_path / "journal").read_text() == "built\n"


def test_a_lock_that_another_process_holds_is_told_when_nobody_wants_to_wait(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(MachineLacks, match="another mplskit process works in"):
        with locked(tmp_path / "lock", wait=False):
            pass
    with locked(tmp_path / "lock", wait=False):
        pass


def hold(path: Path, held: Event, release: Event) -> None:
    with locked(path):
        held.set()
        release.wait()


def test_who_waits_for_a_lock_says_so_and_in_which_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, release, told = FORK.Event(), FORK.Event(), list[str]()

    def tell(text: str) -> None:
        told.append(text)
        release.set()

    monkeypatch.setattr(progress, "note", tell)
    other = FORK.Process(target=hold, args=(tmp_path / "lock", held, release))
    other.start()
    held.wait()
    with locked(tmp_path / "lock"):
        assert told == [f"… waiting for another mplskit process, which works in {tmp_path}"]
    other.join()
    with locked(tmp_path / "lock"):
        assert len(told) == 1


def test_a_file_is_replaced_in_one_step_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_atomically(path, "old")
    with path.open() as reader:
        write_atomically(path, b"\xff\0", mode=0o600)
        assert reader.read() == "old"
    assert path.read_bytes() == b"\xff\0" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert visible(path.parent) == ["file"]


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\udc80")
    assert path.read_text() == "old" and visible(tmp_path) == ["file"]


def test_a_copy_keeps_content_and_mode_and_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 100_000)
    (tmp_path / "source").chmod(0o750)
    (tmp_path / "target").write_text("old")
    assert copy_atomically(tmp_path / "source", tmp_path / "target") == tmp_path / "target"
    assert (tmp_path / "target").read_bytes() == b"x" * 100_000
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o750


def test_a_copy_that_fails_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    with pytest.raises(FileNotFoundError):
        copy_atomically(tmp_path / "none", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "old" and visible(tmp_path) == ["target"]


def test_digests_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert digest_file(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    # printf '{"a": [1, "x"], "b": null}' | sha256sum
    assert digest_of({"b": None, "a": [1, "x"]}) == digest_of({"a": (1, "x"), "b": None})
    assert digest_of({"b": None, "a": [1, "x"]}) == ("8401963c5b51c522cf885dbdac3dea4493359f6a26054b7f9c3f600153ca9dad")


def make_tree(root: Path) -> Path:
    (root / "net" / "mpls").mkdir(parents=True)
    (root / "net" / "mpls" / "Kconfig").write_text("menuconfig MPLS\n")
    (root / "Makefile").write_text("VERSION = 6\n")
    (root / "link").symlink_to("Makefile")
    (root / "folder-link").symlink_to("net")
    return root


def relink(root: Path, name: str, target: str) -> None:
    (root / name).unlink()
    (root / name).symlink_to(target)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "Makefile").write_text("VERSION = 7\n"),
        lambda root: (root / "Makefile").chmod(0o755),
        lambda root: (root / "Makefile").rename(root / "makefile"),
        lambda root: (root / "new").touch(),
        lambda root: relink(root, "link", "net/mpls/Kconfig"),
        lambda root: relink(root, "folder-link", "net/mpls"),
        lambda root: (root / "folder-link").unlink(),
        lambda root: (root / "net/mpls/Kconfig").rename(root / "net/Kconfig"),
    ],
    ids=["content", "mode", "name", "new file", "link", "link to a folder", "lost link to a folder", "moved"],
)
def test_the_digest_of_a_tree_tells_every_change(tmp_path: Path, change: object) -> None:
    before = digest_tree(make_tree(tmp_path / "a"))
    assert before == digest_tree(make_tree(tmp_path / "b"))
    assert callable(change)
    change(tmp_path / "a")
    assert digest_tree(tmp_path / "a") != before


def test_the_digest_of_a_tree_ignores_git_and_dates(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "a")
    before = digest_tree(root)
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("ref")
    os.utime(root / "Makefile", (0, 0))
    assert digest_tree(root) == before


def test_space_that_is_not_there_is_told_before_the_work(tmp_path: Path) -> None:
    need_space(tmp_path / "new", 1 << 20, "a test")
    with pytest.raises(MachineLacks, match=r"a test needs about 1073741824 MiB, and .*/new has \d+ MiB free"):
        need_space(tmp_path / "new", 1 << 50, "a test")


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "no"), True),
        (OSError(errno.EDQUOT, "no"), True),
        (OSError(errno.EIO, "no"), False),
        (ValueError("No space left on device"), False),
    ],
)
def test_a_full_disk_is_known_by_its_number(error: Exception, full: bool) -> None:
    assert is_full_disk(error) is full


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"a": 1', "\0", "[" * 100_000], ids=range(7))
def test_a_damaged_record_counts_as_none_and_is_told(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "record.json"
    assert files.read_record(path, "a") is None
    assert capsys.readouterr().err == ""
    path.write_text(text)
    assert files.read_record(path, "a") is None
    assert capsys.readouterr().err == f"! {path} is damaged: it counts as not there\n"
    path.write_text('{"a": 1}')
    assert files.read_record(path, "a") == {"a": 1}


def test_a_folder_whose_record_is_damaged_is_made_anew_and_a_whole_one_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "made"

    def build(folder: Path) -> None:
        (folder / "record.json").write_text('{"a": "new"}')

    def whole(folder: Path) -> object:
        return json.loads((folder / "record.json").read_text())["a"]

    assert files.build_once(target, build, whole)
    (target / "record.json").write_text('{"a": "old"}')
    assert not files.build_once(target, build, whole)
    (target / "record.json").write_text('{"a": "ol')
    assert files.build_once(target, build, whole)
    assert whole(target) == "new"
    assert capsys.readouterr().err == f"! {target} is damaged: it is made anew\n"


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_a_tree_with_what_is_no_file_is_refused_and_not_waited_for(kind: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    if kind == "fifo":
        os.mkfifo(odd)
    else:
        os.mknod(odd, stat.S_IFSOCK | 0o600)
    with pytest.raises(WrongInput, match=f"{odd} is neither a file nor a folder"):
        files.digest_tree(tmp_path)
