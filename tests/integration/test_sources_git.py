"""Kernels from git: real repositories, signatures and smart HTTP; what nobody vouches for is refused."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit.errors import Exit, Failure, OutsideFailed, WrongInput
from mplskit.sources.cached import LINUX
from mplskit.sources.git import fetch
from mplskit.sources.git_remote import Remote
from mplskit.sources.network import Network
from mplskit.sources.source_spec import Git, parse_spec
from mplskit.sources.tree import SourceTree
from tests.command_line import CommandLine, awaited, living
from tests.golden import assert_golden
from tests.worlds.fake_linux import FAKELINUX
from tests.worlds.git_server import Repository, Server, Signers, serving, signers

MISSING = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Origin:
    """A repository of two commits (`first`, `second`), its tags and branches; `tree` is what `second` holds."""

    repository: Repository
    first: str
    second: str
    tree: Path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signers]:
    with signers(tmp_path_factory.mktemp("pinned") / "keys") as found:
        yield found


@pytest.fixture(scope="module")
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
    spec = parse_spec(f"git+{url}@{ref}", insecure)
    assert isinstance(spec, Git)
    return fetch(LINUX, spec, cache)


def local(origin: Origin) -> str:
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


@pytest.mark.parametrize("way", ["file", "http"])
def test_a_signed_candidate_is_taken_and_its_commit_and_signer_are_recorded(
    origin: Origin, server: Server, cache: Path, keys: Signers, way: str
) -> None:
    url = local(origin) if way == "file" else f"{server.address}/linux.git"
    tree = brought(url, "v6.2-rc2", cache)
    assert tree.origin == (f"git {url}, tag v6.2-rc2 = {origin.second}, signed by {keys.pinned} (Release Signer)")
    assert (tree.version, tree.digest) == ("6.1.999", origin.second)
    assert tree.path == cache / "sources" / f"linux-{origin.second[:24]}" / "linux"
    tag = origin.repository.git("rev-parse", "refs/tags/v6.2-rc2")
    assert left_in(cache) == [f"{tag}.tag", f"linux-{origin.second[:24]}"]


def test_a_tree_is_what_its_commit_holds_whatever_its_attributes_ask_for(origin: Origin, cache: Path) -> None:
    tree = brought(local(origin), "v6.2-rc2", cache)
    assert content(tree.path) == content(origin.tree)
    assert (tree.path / "subst").read_text() == "$Format:%H$ $Id$\n"
    assert (tree.path / "left-out").read_text() == "one\ntwo\n"


def test_a_commit_is_taken_by_its_hash_alone_and_then_without_any_network(
    origin: Origin, server: Server, cache: Path
) -> None:
    url = f"{server.address}/linux.git"
    tree = brought(url, origin.first.upper(), cache)
    assert tree.origin == f"git {url}, commit {origin.first} as given"
    assert not (tree.path / "net" / "mpls" / "second").exists()
    asked = len(server.asked)
    assert brought(url, origin.first, cache).path == tree.path
    assert len(server.asked) == asked


def test_a_tag_is_looked_up_and_judged_again_on_each_run(
    origin: Origin, server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: Signers
) -> None:
    url = f"{server.address}/linux.git"
    first = brought(url, "v6.2-rc2", cache)
    server.asked.clear()
    assert brought(url, "v6.2-rc2", cache) == first
    assert [line.partition("?")[0].rpartition("/")[2] for line in server.asked] == ["refs", "git-upload-pack"]
    # The signer's key is pinned no longer.
    (tmp_path / "other" / "linux").mkdir(parents=True)
    export = ["gpg", "--homedir", str(keys.home), "--armor", "--export", keys.stranger]
    armored = subprocess.run(export, check=True, capture_output=True).stdout
    (tmp_path / "other" / "linux" / f"{keys.stranger}.asc").write_bytes(armored)
    monkeypatch.setenv("MPLSKIT_KEYS", str(tmp_path / "other"))
    with pytest.raises(OutsideFailed, match="is signed by a key that is not pinned"):
        brought(url, "v6.2-rc2", cache)


@pytest.mark.parametrize("length", [0, 60, -20], ids=["empty", "its head", "without the end of its signature"])
def test_a_tag_that_is_damaged_in_the_cache_is_asked_for_again(
    length: int, origin: Origin, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = brought(local(origin), "v6.2-rc2", cache)
    [kept] = (cache / "git").glob("*.tag")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:length])
    assert brought(local(origin), "v6.2-rc2", cache) == first
    assert kept.read_bytes() == whole
    assert f"! {kept} is damaged: it counts as not there" in capsys.readouterr().err


def test_what_an_insecure_run_took_is_not_trusted_by_a_secure_one(origin: Origin, cache: Path) -> None:
    tree = brought(local(origin), "master", cache, insecure=True)
    assert tree.origin == f"git {local(origin)}, branch master = {origin.second}, not verified (--insecure-source)"
    with pytest.raises(OutsideFailed, match="a branch is signed by nobody"):
        brought(local(origin), "master", cache)
    with pytest.raises(OutsideFailed, match="the tag is not signed"):
        brought(local(origin), "v6.1-unsigned", cache)
    assert brought(local(origin), "v6.2-rc2", cache).path == tree.path


@pytest.mark.parametrize("ref", ["master", "v6.1-light", "v6.1-unsigned", "v6.1-stranger", "v6.1-ssh"])
def test_what_nobody_vouches_for_is_taken_when_the_user_says_so(origin: Origin, cache: Path, ref: str) -> None:
    tree = brought(local(origin), ref, cache, insecure=True)
    assert tree.origin.endswith(f" {ref} = {origin.second}, not verified (--insecure-source)")


def test_one_commit_is_brought_and_not_its_history(origin: Origin, server: Server, tmp_path: Path) -> None:
    remote = Remote(f"{server.address}/linux.git", "it", Network(), tmp_path)
    remote.fetch(tmp_path / "repository", origin.second, 1 << 20)
    counted = ["git", "-C", tmp_path / "repository", "rev-list", "--count", origin.second]
    assert subprocess.run(counted, check=True, capture_output=True, text=True).stdout == "1\n"
    assert origin.repository.git("rev-list", "--count", origin.second) == "2"


def refusals(origin: Origin, server: Server) -> dict[str, tuple[type[Failure], str, str, bool]]:
    there, here = f"{server.address}/linux.git", local(origin)
    return {
        "git-branch": (OutsideFailed, here, "master", False),
        "git-light-tag": (OutsideFailed, here, "v6.1-light", False),
        "git-unsigned-tag": (OutsideFailed, here, "v6.1-unsigned", False),
        "git-stranger": (OutsideFailed, here, "v6.1-stranger", False),
        "git-ssh-signature": (OutsideFailed, here, "v6.1-ssh", False),
        "git-bad-signature": (OutsideFailed, here, "v6.1-bad", False),
        "git-bad-signature-insecure": (OutsideFailed, here, "v6.1-bad", True),
        "git-renamed-tag": (OutsideFailed, here, "v6.9", False),
        "git-tag-of-a-tree": (WrongInput, here, "v6.1-tree", False),
        "git-no-ref": (WrongInput, there, "v6.2-rc3", False),
        "git-short-hash": (WrongInput, here, origin.first[:12], False),
        "git-no-commit": (OutsideFailed, there, MISSING, False),
        "git-no-repository": (OutsideFailed, f"{server.address}/linus.git", "v6.1", False),
        "git-no-repository-here": (OutsideFailed, "file:///nowhere/linux.git", "v6.1", False),
    }


REFUSALS = [
    "git-branch",
    "git-light-tag",
    "git-unsigned-tag",
    "git-stranger",
    "git-ssh-signature",
    "git-bad-signature",
    "git-bad-signature-insecure",
    "git-renamed-tag",
    "git-tag-of-a-tree",
    "git-no-ref",
    "git-short-hash",
    "git-no-commit",
    "git-no-repository",
    "git-no-repository-here",
]


def told(error: Failure, origin: Origin, server: Server, keys: Signers) -> str:
    """An error as users see it, with names for what differs from run to run."""
    text = str(error)
    for varying, name in (
        (server.address, "http://git.example.org"),
        (origin.first[:12], "COMMIT"),
        (origin.second, "COMMIT-OF-40-DIGITS"),
        (keys.pinned, "PINNED-KEY"),
        (keys.stranger, "OTHER-KEY"),
        (keys.stranger[-16:], "OTHER-KEY-ID"),
        (keys.pinned[-16:], "PINNED-KEY-ID"),
    ):
        text = text.replace(varying, name)
    return text + "\n"


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_trusted_or_had_is_refused_in_these_words_and_leaves_nothing(
    origin: Origin, server: Server, keys: Signers, cache: Path, case: str
) -> None:
    kind, url, ref, insecure = refusals(origin, server)[case]
    with pytest.raises(kind) as failed:
        brought(url, ref, cache, insecure)
    assert left_in(cache) == []
    places = {origin.repository.path.parent: "/srv/git", keys.keys: "/keys"}
    assert_golden(case, told(failed.value, origin, server, keys), places)
    assert brought(local(origin), "v6.1", cache).version == "6.1.999"


def test_a_commit_that_is_no_kernel_is_named_as_the_user_wrote_it(
    origin: Origin, keys: Signers, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "README").write_text("x\n")
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "other.git"], check=True)
    other = Repository(tmp_path / "other.git", keys)
    commit = other.commit(tmp_path / "tree", "other")
    other.git("update-ref", "refs/heads/master", commit)
    with pytest.raises(WrongInput, match=rf"source git\+file://.*@{commit} is not a Linux source tree: it has no Make"):
        brought(f"file://{other.path}", commit, cache)
    assert left_in(cache) == []


def test_a_commit_with_a_link_out_of_its_tree_is_not_unpacked(
    origin: Origin, keys: Signers, cache: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(FAKELINUX, tree)
    (tree / "net" / "out").symlink_to("../../../../etc")
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "other.git"], check=True)
    other = Repository(tmp_path / "other.git", keys)
    other.sign("v1", other.commit(tree, "other"), keys.pinned)
    with pytest.raises(OutsideFailed, match=r"'linux/net/out' is a symlink out of the tree, to '../../../../etc'"):
        brought(f"file://{other.path}", "v1", cache)
    assert [name for name in left_in(cache) if not name.endswith(".tag")] == []


def test_a_server_that_is_busy_for_a_moment_is_asked_again(origin: Origin, server: Server, cache: Path) -> None:
    server.fails[:] = [503]
    assert brought(f"{server.address}/linux.git", "v6.1", cache).digest == origin.first


@pytest.mark.parametrize(
    ("case", "fails"), [("git-busy", [503] * 2), ("git-login", [401] * 2), ("git-stalls", [0] * 2)]
)
def test_a_server_that_fails_is_told_and_leaves_nothing(
    origin: Origin, server: Server, keys: Signers, cache: Path, case: str, fails: list[int]
) -> None:
    server.fails[:] = fails
    with pytest.raises(OutsideFailed) as failed:
        brought(f"{server.address}/linux.git", "v6.1", cache)
    server.fails.clear()
    assert left_in(cache) == []
    assert_golden(case, told(failed.value, origin, server, keys), {})
    assert brought(f"{server.address}/linux.git", "v6.1", cache).digest == origin.first


def test_a_server_that_is_not_there_is_told(origin: Origin, server: Server, keys: Signers, cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OutsideFailed) as failed:
        brought(f"http://127.0.0.1:{port}/linux.git", "v6.1", cache)
    text = told(failed.value, origin, server, keys).replace(str(port), "PORT")
    assert_golden("git-refused", re.sub(r"after \d+ ms", "after N ms", text), {})


def test_no_configuration_of_this_machine_has_a_say(
    origin: Origin, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the user's, not the repository's: every one of these would run a command, or change what is brought."""
    touch = f"touch {tmp_path}/ran"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(
        f'[url "file:///nowhere/"]\n\tinsteadOf = file://\n[core]\n\tfsmonitor = {touch}\n\tsshCommand = {touch}\n'
        f'[filter "lfs"]\n\tsmudge = {touch}\n[credential]\n\thelper = !{touch}\n[core]\n\tautocrlf = true\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    tree = brought(local(origin), "v6.2-rc2", cache)
    assert content(tree.path) == content(origin.tree)
    assert not (tmp_path / "ran").exists()


def test_a_repository_with_long_hashes_is_read_alike(keys: Signers, cache: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", "--object-format=sha256", tmp_path / "long.git"], check=True)
    long = Repository(tmp_path / "long.git", keys)
    commit = long.commit(FAKELINUX, "long")
    long.sign("v1", commit, keys.pinned)
    tree = brought(f"file://{long.path}", "v1", cache)
    assert (len(tree.digest), tree.digest) == (64, commit)
    assert brought(f"file://{long.path}", commit, cache).path == tree.path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
def test_a_repository_of_another_user_of_this_machine_is_read(origin: Origin, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(origin.repository.path, tmp_path / "theirs.git")
    for path in (tmp_path / "theirs.git", *(tmp_path / "theirs.git").rglob("*")):
        os.chown(path, 65534, 65534)
    assert brought(f"file://{tmp_path}/theirs.git", "v6.1", cache).digest == origin.first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_leaves_nothing_that_is_trusted_and_no_git_behind(
    origin: Origin, server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    mplskit = CommandLine(tmp_path, {"MPLSKIT_NETWORK_TIMEOUT": "60"})
    spec = f"git+{server.address}/linux.git@{origin.second}"
    server.fails[:] = [0]
    server.asked.clear()
    with mplskit.running("kernel.fetch", "--source", spec) as process:
        assert awaited(lambda: server.asked)
        process.send_signal(number)
        process.wait(20)
    # After SIGKILL git itself is ended by the kernel; its child for HTTP sees that when the server says something.
    if number == signal.SIGKILL:
        server.over.set()
    assert awaited(lambda: not living(f"{server.address}/linux.git"))
    server.over.clear()
    assert not (tmp_path / "cache" / "sources" / f"linux-{origin.second[:24]}").exists()
    done = mplskit("kernel.fetch", "--source", spec, "--json")
    assert done.returncode == Exit.OK, done.stderr
    assert json.loads(done.stdout)["origin"] == f"git {server.address}/linux.git, commit {origin.second} as given"
    assert left_in(tmp_path / "cache") == [f"linux-{origin.second[:24]}"]


def test_the_configuration_of_a_repository_that_the_user_stands_in_has_no_say(
    origin: Origin, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    subprocess.run(["git", "init", "--quiet", here], check=True)
    rewrite = f"url.ext::sh -c touch% {tmp_path}/planted% .insteadOf"
    for name, value in ((rewrite, "file://"), ("protocol.ext.allow", "always")):
        subprocess.run(["git", "-C", here, "config", name, value], check=True)
    monkeypatch.chdir(here)
    assert brought(local(origin), "v6.1", cache).name == "linux"
    assert not (tmp_path / "planted").exists()
