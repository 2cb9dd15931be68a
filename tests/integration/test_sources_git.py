"""Kernels from git: real repositories, signatures and smart HTTP; what nobody vouches for is refused."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from mplskit.errors import Exit, OutsideFailed
from mplskit.sources.git_remote import Remote
from mplskit.sources.network_settings import Network
from tests.command_line import CommandLine, awaited, living
from tests.worlds.fake_linux import FAKELINUX
from tests.worlds.git_origin import Origin, brought, cache, content, keys, left_in, local, origin, server, settings
from tests.worlds.git_server import Repository, Server, Signers

__all__ = ["cache", "keys", "origin", "server", "settings"]


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
    counted = ["git", "-C", str(tmp_path / "repository"), "rev-list", "--count", origin.second]
    assert subprocess.run(counted, check=True, capture_output=True, text=True).stdout == "1\n"
    assert origin.repository.git("rev-list", "--count", origin.second) == "2"


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
