"""Packages in the stream of a real SSH session, to a node whose folders are ours and stay from session to session."""

import fcntl
import os
import shlex
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from mplskit.debian.package_file import Deb, read_deb
from mplskit.node.carry import carry
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload.payload import archive
from mplskit.node.payload.session_opening import script
from mplskit.node.payload_report import Item, Report
from mplskit.remote.host import Host
from tests.command_line import awaited
from tests.worlds.contained_node import CONTAINED
from tests.worlds.package_file import example_deb
from tests.worlds.sshd import Sshd

FOLDERS = ("etc", "var/lib", "var/tmp", "root", "usr/local", "run")


@dataclass(frozen=True)
class World:
    """A node, and where its folders are on this machine."""

    host: Host
    root: Path

    @property
    def left(self) -> list[str]:
        """What is in its /var/tmp."""
        return sorted(path.name for path in (self.root / "var/tmp").iterdir())

    def packages(self, debs: list[Deb]) -> list[Item]:
        """A bootstrap with these packages: what it says of packages."""
        return of("package", carry(Node("node", self.host, NodeSpec()), "node", packages=debs))


def of(kind: str, report: Report) -> list[Item]:
    return [item for item in report.items if item.kind == kind]


@pytest.fixture
def world(namespaces: None, sshd: Sshd, tmp_path: Path) -> World:
    """A node that has been used by nobody; its script `ground` may be changed."""
    root = tmp_path / "node"
    for folder in (*FOLDERS, "var/lib/dpkg/updates", "var/lib/dpkg/info"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").touch()
    # /etc is its own, and with it what awk is by /etc/alternatives.
    (root / "usr/local/bin").mkdir()
    (root / "usr/local/bin/awk").symlink_to(Path("/usr/bin/awk").resolve())
    binds = "".join(f"mount --bind {root}/{folder} /{folder} &&\n" for folder in FOLDERS)
    (tmp_path / "ground").touch()
    login = tmp_path / "login"
    login.write_text(f'{binds}. {tmp_path}/ground && exec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    sshd.login(sshd.folder / tmp_path.name, f"exec {process.quote([*CONTAINED[:-1], login])}")
    return World(sshd.host(key=tmp_path.name), root)


def large(folder: Path) -> Deb:
    """A package of at least 100 KiB, however well it was packed."""
    return read_deb(example_deb(folder, content=os.urandom(100 << 10).hex()))


def test_a_package_that_the_node_has_by_digest_is_not_streamed(world: World, tmp_path: Path) -> None:
    deb = read_deb(example_deb(tmp_path, content="one"))
    assert world.packages([deb]) == [Item("changed", "package", "mplskit-example", "1~2+mpls1 installed")]
    # What is not read cannot be sent.
    deb.path.unlink()
    assert world.packages([deb]) == [Item("same", "package", "mplskit-example", "1~2+mpls1")]
    assert world.left == []


def test_a_package_that_the_node_lost_or_that_was_built_anew_is_streamed(world: World, tmp_path: Path) -> None:
    deb = read_deb(example_deb(tmp_path, content="one"))
    world.packages([deb])
    status = world.root / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("install ok installed", "deinstall ok config-files"))
    assert world.packages([deb])[0].state == "changed"
    again = read_deb(example_deb(tmp_path, content="two"))
    assert world.packages([again])[0].state == "changed"
    assert (world.root / "var/lib/mplskit-example/content").read_text() == "two"


def test_a_package_that_could_not_be_replaced_is_not_taken_for_the_new_one(world: World, tmp_path: Path) -> None:
    world.packages([read_deb(example_deb(tmp_path, content="one"))])
    again = read_deb(example_deb(tmp_path, content="two"))
    # dpkg cannot unpack it, and puts the old one back, which has the same version.
    (tmp_path / "ground").write_text("mount -o bind,ro /var/lib/mplskit-example /var/lib/mplskit-example\n")
    assert world.packages([again])[0].state == "failed"
    (tmp_path / "ground").write_text("")
    assert world.packages([again]) == [Item("changed", "package", "mplskit-example", "1~2+mpls1 installed")]
    assert (world.root / "var/lib/mplskit-example/content").read_text() == "two"


def test_too_little_room_is_told_before_anything_is_streamed(world: World, tmp_path: Path) -> None:
    deb = large(tmp_path)
    (tmp_path / "ground").write_text("mount -t tmpfs -o size=64k none /var/tmp\n")
    for mode in ("node", "plan"):
        report = carry(Node("node", world.host, NodeSpec()), "node" if mode == "node" else "plan", packages=[deb])
        assert (
            Item(
                "failed",
                "node",
                "space",
                "/var/tmp has 0 MiB free, and 1 MiB are needed (/var/tmp) for mplskit-example",
            )
            in report.items
        )
    assert not (world.root / "etc/mplskit").exists()
    assert not (world.root / "var/lib/mplskit").exists()


def test_a_disk_that_is_full_in_the_middle_is_told_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    (tmp_path / "ground").write_text("mount -t tmpfs -o nr_inodes=5 none /var/tmp\n")
    report = carry(Node("node", world.host, NodeSpec()), "node", packages=[large(tmp_path)])
    [item] = report.items
    assert (item.state, item.kind, item.name) == ("failed", "node", "space")
    assert item.detail.startswith("the payload could not be unpacked in /var/tmp: tar: ")
    assert item.detail.endswith("No space left on device")
    assert not (world.root / "etc/mplskit").exists()


def test_what_dead_runs_left_is_cleared_away(world: World) -> None:
    (world.root / "var/tmp/mplskit.0123456789").mkdir()
    (world.root / "var/tmp/mplskit.0123456789/apply.sh").touch()
    (world.root / "var/tmp/other").touch()
    carry(Node("node", world.host, NodeSpec()), "node")
    assert world.left == ["other"]


def test_a_session_that_is_cut_in_the_middle_leaves_no_folder(world: World, tmp_path: Path) -> None:
    deb = large(tmp_path)
    command = f"exec sh -c {shlex.quote(script('node'))}"
    with process.started([*world.host.ssh(), command], stdin=-1) as ssh:
        assert ssh.stdin
        for piece in archive(NodeSpec(), [deb]):
            ssh.stdin.write(piece)
            if len(piece) > 100 << 10:
                break
        ssh.stdin.flush()
        assert awaited(lambda: world.left)
        ssh.kill()
    assert awaited(lambda: not world.left)
    assert not (world.root / "etc/mplskit").exists()


def test_a_run_waits_for_another_one_on_the_same_node(world: World) -> None:
    lock = os.open(world.root / "root", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    ended: list[float] = []

    def run() -> None:
        carry(Node("node", world.host, NodeSpec()), "node")
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(1.5)
    assert not ended
    assert not (world.root / "etc/mplskit").exists()
    os.close(lock)
    thread.join(20)
    assert ended
    assert (world.root / "etc/mplskit").exists()
