"""Sources git+URL@REF that cannot be trusted or had: the words, and that nothing is left of them."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from mplskit.errors import Failure, OutsideFailed, WrongInput
from tests.golden import assert_golden
from tests.worlds.fake_linux import FAKELINUX
from tests.worlds.git_origin import Origin, brought, cache, keys, left_in, local, origin, server, settings
from tests.worlds.git_server import Repository, Server, Signers

__all__ = ["cache", "keys", "origin", "server", "settings"]

MISSING = "0123456789abcdef0123456789abcdef01234567"


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
