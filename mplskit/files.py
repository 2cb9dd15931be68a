"""Files that are there in full or not at all, and folders that one process works in at a time."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mplskit import progress
from mplskit.errors import MachineLacks, WrongInput

ROOM = "free some space, or point MPLSKIT_BUILD, MPLSKIT_DIST or MPLSKIT_CACHE at a larger file system"


def digest_of(value: object) -> str:
    """The SHA-256 (hex) of a JSON value, independent of key order: the identity of a request."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """The SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_tree(root: Path) -> str:
    """The SHA-256 (hex) of a tree: names, modes, link targets and contents; `.git` is left out."""
    total = hashlib.sha256()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        # os.walk counts a link to a folder among the folders, and does not follow it.
        names += [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink() and not path.is_file():
                raise WrongInput(
                    f"{path} is neither a file nor a folder", hint="a FIFO, a socket or a device is no part of a source"
                )
            content = str(path.readlink()) if path.is_symlink() else digest_file(path)
            total.update(
                f"{path.relative_to(root)}\0{path.lstat().st_mode:o}\0{content}\n".encode(errors="surrogateescape")
            )
    return total.hexdigest()


def write_atomically(path: Path, content: str | bytes | Iterable[str], mode: int = 0o644) -> None:
    """Replace `path` by `content`, which may come in pieces, in one step; a crash leaves the old or the new one."""
    with _replacing(path) as new:
        if isinstance(content, bytes):
            new.write_bytes(content)
        else:
            with new.open("w", encoding="utf-8", newline="") as file:
                file.writelines([content] if isinstance(content, str) else content)
        new.chmod(mode)


def read_record(path: Path, *keys: str) -> dict[str, Any] | None:
    """A small JSON object that we keep, with these keys at least; None where there is none, or a damaged one.

    Of a damaged one the user is told: nobody has to remove it.
    """
    try:
        record = json.loads(path.read_text())
        if not isinstance(record, dict) or not record.keys() >= set(keys):
            raise ValueError
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        progress.note(f"! {path} is damaged: it counts as not there")
        return None
    return record


def copy_atomically(source: Path, target: Path) -> Path:
    """Copy a file so that `target` is the whole of it or what it was before; holes stay holes."""
    with _replacing(target) as new:
        shutil.copyfile(source, new)
        shutil.copymode(source, new)
    return target


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place when the block ends well, and is gone when it does not."""
    with full_disk_told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        try:
            yield Path(name)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file `path`, or a folder as its own lock; the kernel lets go of it when the process ends.

    When another process holds it, the user is told what is waited for; without `wait`, MachineLacks is raised.
    """
    folder = path if path.is_dir() else path.parent
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDONLY if folder is path else os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise MachineLacks(
                    f"another mplskit process works in {folder}",
                    hint="wait for it to end, or use another folder",
                ) from None
            progress.note(f"… waiting for another mplskit process, which works in {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def build_once(target: Path, build: Callable[[Path], None], whole: Callable[[Path], object] = bool) -> bool:
    """Make the folder `target` with `build(folder)` unless it is there; it appears whole or not at all.

    Returns True when it was made now. What an interrupted run left behind is removed. Where `whole(target)` says no, by
    something false or an error of reading, the folder is damaged, and made anew.
    """
    if is_whole(target, whole):
        return False
    with full_disk_told(target.parent), locked(target.parent / f".{target.name}.lock"):
        if is_whole(target, whole):
            return False
        if target.is_dir():
            progress.note(f"! {target} is damaged: it is made anew")
            shutil.rmtree(target)
        for leftover in target.parent.glob(f".{target.name}.partial-*"):
            shutil.rmtree(leftover)
        partial = target.parent / f".{target.name}.partial-{os.getpid()}"
        partial.mkdir()
        try:
            build(partial)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return True


def is_whole(target: Path, whole: Callable[[Path], object]) -> bool:
    """Whether the folder is there, and `whole(target)` says neither something false nor an error of reading."""
    try:
        return target.is_dir() and bool(whole(target))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def rebuild(target: Path, build: Callable[[Path], None], check: Callable[[Path], None]) -> None:
    """Make the folder `target` anew with `build(folder)`: it is the old one or the new one, whole.

    `check(target)` may refuse to give up the old one.
    """
    with full_disk_told(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    # The folder above is the lock: it may be the user's own, where we leave no file.
    with full_disk_told(target.parent), locked(target.parent):
        if target.exists():
            if not target.is_dir():
                raise WrongInput(f"{target} is no folder")
            check(target)
        with work_folder(target.parent / f".{target.name}.partial") as work:
            new, old = work / "new", work / "old"
            new.mkdir()
            build(new)
            if target.exists():
                target.rename(old)
            new.rename(target)


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """An empty folder for what is not trusted yet; it is gone afterwards, and what a killed run left of it before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def need_space(folder: Path, size: int, what: str) -> None:
    """Raise MachineLacks unless the file system of `folder` has `size` bytes free for `what`."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size:
        raise MachineLacks(
            f"{what} needs about {size >> 20} MiB, and {folder} has {free >> 20} MiB free",
            hint=ROOM,
        )


@contextmanager
def full_disk_told(place: Path) -> Iterator[None]:
    """Turn the error of a full disk, which seldom says where, into MachineLacks with the place."""
    try:
        yield
    except OSError as error:
        if is_full_disk(error):
            raise MachineLacks(f"the disk is full: {place}", hint=ROOM) from error
        raise


def lacking(error: OSError) -> MachineLacks:
    """What the system refused, in words that name the place."""
    where = error.filename or Path.cwd()
    if is_full_disk(error):
        return MachineLacks(f"the disk is full: {where}", hint=ROOM)
    if isinstance(error, PermissionError):
        return MachineLacks(f"no permission: {where}", hint="run as the owner of that path, or as root")
    return MachineLacks(f"{where}: {error.strerror or error}", hint="look at that path; -d shows what was being done")


def is_full_disk(error: BaseException) -> bool:
    """Whether an error says that a file system (or a quota on it) is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
