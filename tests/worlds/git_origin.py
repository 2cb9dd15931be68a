"""A repository of Linux with tags that all kinds of people signed, its server, and what mplskit brings of it."""

import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit.sources.git_source import fetch
from mplskit.sources.source_cache import LINUX
from mplskit.sources.source_spec import Git, parse_spec
from mplskit.sources.source_tree import SourceTree
from tests.worlds.fake_linux import FAKELINUX
from tests.worlds.git_server import Repository, Server, Signers, serving, signers


@dataclass(frozen=True)
class Origin:
    """A repository of two commits (`first`, `second`), its tags and branches; `tree` is what `second` holds."""

    repository: Repository
    first: str
    second: str
    tree: Path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signers]:
    with signers(tmp_path_factory.mktemp("pinned") / "keys") as found:
        yield found


@pytest.fixture(scope="session")
def origin(keys: Signers, tmp_path_factory: pytest.TempPathFactory) -> Origin:
    place = tmp_path_factory.mktemp("origin")
    tree = place / "tree"
    shutil.copytree(FAKELINUX, tree)
    # All that could make a tree other than its commit.
    (tree / ".gitattributes").write_text(
        "left-out export-ignore\nsubst export-subst\n*.crlf text eol=crlf\nsubst ident\n"
        "wide working-tree-encoding=UTF-16\n*.filtered filter=lfs\n"
    )
    for name in ("left-out", "unix.crlf", "wide", "big.filtered"):
        (tree / name).write_text("one\ntwo\n")
    (tree / "subst").write_text("$Format:%H$ $Id$\n")
    (tree / "scripts" / "link").symlink_to("../Makefile")
    (tree / "scripts" / "run").write_text("#!/bin/sh\n")
    (tree / "scripts" / "run").chmod(0o755)
    path = place / "linux.git"
    subprocess.run(["git", "init", "--quiet", "--bare", path], check=True)
    repository = Repository(path, keys)
    first = repository.commit(tree, "first")
    (tree / "net" / "mpls" / "second").write_text("second\n")
    second = repository.commit(tree, "second", first)
    repository.git("update-ref", "refs/heads/master", second)
    repository.git("update-ref", "refs/heads/older", first)
    repository.git("tag", "v6.1-light", second)
    repository.git("tag", "--annotate", "-m", "unsigned", "v6.1-unsigned", second)
    repository.sign("v6.1", first, keys.pinned)
    signed = repository.sign("v6.2-rc2", second, keys.pinned)
    repository.sign("v6.1-stranger", second, keys.stranger)
    repository.sign("v6.1-bad", second, keys.pinned)
    repository.change("v6.1-bad", b"Linux v6.1-bad", b"Linux v6.1 bad")
    # A mirror that gives an old release as a new one.
    repository.git("update-ref", "refs/tags/v6.9", repository.git("rev-parse", "refs/tags/v6.1"))
    repository.git("update-ref", "refs/tags/v6.2-rc2", signed)
    repository.git("tag", "--annotate", "-m", "a tree", "v6.1-tree", f"{second}^{{tree}}")
    ssh = place / "ssh"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh], check=True)
    repository.git("-c", "gpg.format=ssh", "-c", f"user.signingKey={ssh}", "tag", "-s", "-m", "x", "v6.1-ssh", second)
    return Origin(repository, first, second, tree)


@pytest.fixture(scope="module")
def server(origin: Origin) -> Iterator[Server]:
    with serving(origin.repository.path.parent) as found:
        yield found


@pytest.fixture(autouse=True)
def settings(keys: Signers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_KEYS", str(keys.keys))
    monkeypatch.setenv("MPLSKIT_NETWORK_WAIT", "0")
    monkeypatch.setenv("MPLSKIT_NETWORK_TRIES", "2")
    monkeypatch.setenv("MPLSKIT_NETWORK_TIMEOUT", "2")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def brought(url: str, ref: str, cache: Path, insecure: bool = False) -> SourceTree:
    """The tree of a ref of a repository."""
    spec = parse_spec(f"git+{url}@{ref}", insecure)
    assert isinstance(spec, Git)
    return fetch(LINUX, spec, cache)


def local(origin: Origin) -> str:
    """Its URL without a server."""
    return f"file://{origin.repository.path}"


def left_in(cache: Path) -> list[str]:
    """Trees, tags and whatever unfinished work left in the cache."""
    found = (path for name in ("sources", "git") for path in (cache / name).glob("*"))
    return sorted(path.name for path in found if path.suffix != ".lock")


def content(tree: Path) -> dict[str, tuple[bool, str, bytes]]:
    """Of each file in a tree: whether it can be run, what it links to, its bytes."""
    return {
        str(path.relative_to(tree)): (
            bool(path.lstat().st_mode & stat.S_IXUSR),
            str(path.readlink()) if path.is_symlink() else "",
            b"" if path.is_symlink() else path.read_bytes(),
        )
        for path in tree.rglob("*")
        if path.is_symlink() or path.is_file()
    }
