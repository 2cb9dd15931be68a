"""Files and packages on the oldest and the newest Debian that are set up: in real trees, as an image build has them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit import process
from mplskit.debian.package_file import Deb, read_deb
from mplskit.debian.system_tree import CONTAINED, sources_of
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.apt import Apt, apt_of
from mplskit.node.payload.payload import archive
from mplskit.node.payload.session_opening import script
from mplskit.node.payload_report import Item, parse_line
from tests.worlds.contained_node import FILES
from tests.worlds.debian_archive import DebianArchive, keys
from tests.worlds.package_file import example_deb

KEY, LIST = "/etc/apt/keyrings/mplskit.asc", "/etc/apt/sources.list.d/mplskit.sources"

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="a chroot needs root"),
]


@pytest.fixture(scope="module", params=["bullseye", "trixie"])
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minimal Debian, with a place for a repository."""
    path = tmp_path_factory.mktemp(request.param) / "tree"
    words = ["mmdebstrap", "--mode=root", "--variant=minbase", "--include=iproute2,kmod,procps"]
    words += ["--dpkgopt=force-unsafe-io", request.param, str(path), *(a.line() for a in sources_of(request.param))]
    process.run([*CONTAINED, *words], timeout=600)
    (path / "srv/repository").mkdir()
    return path


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Apt]]:
    """A folder with mplskit-pulled 1.0, and what a node gets to pull it from /srv/repository."""
    folder = tmp_path_factory.mktemp("repository")
    with keys(folder / "gpg") as made:
        made.make("ours")
        (folder / "content").write_text("pulled")
        archive = DebianArchive(folder, made)
        archive.add_package("debian", "stable", "mplskit-pulled", "1.0", {"usr/lib/pulled": folder / "content"})
        archive.publish("debian", "stable", "ours")
        key = "".join(f" {line or '.'}\n" for line in made.armored("ours").splitlines())
        sources = folder / "ours.sources"
        sources.write_text(
            f"Types: deb\nURIs: file:///srv/repository\nSuites: stable\nComponents: main\nSigned-By:\n{key}"
        )
        apt = apt_of(sources, ["mplskit-pulled=1.0"])
        assert apt is not None
        yield folder / "debian", apt


def applied(tree: Path, repository: Path, apt: Apt, deb: Deb) -> list[Item]:
    """What a session brings and does there, without ssh."""
    enter = f'mount --bind {repository} {tree}/srv/repository && exec chroot {tree} sh -c "$1"'
    ended = process.run(
        [*CONTAINED, "sh", "-c", enter, "sh", script("image", asks=True)],
        stdin=b"".join(archive(NodeSpec(), [deb], apt=apt)),
        check=False,
    )
    items = [parse_line(line) for line in ended.stdout.splitlines()]
    assert items[-1].state != "have", ended.stderr
    assert items.pop() == Item("note", "service", "systemd", "is not here: no unit is enabled")
    return [item for item in items if item.state != "have"]


def test_packages_come_in_the_stream_and_from_apt_and_files_follow(
    tree: Path, repository: tuple[Path, Apt], tmp_path: Path
) -> None:
    folder, apt = repository
    deb = read_deb(example_deb(tmp_path, content="carried"))
    first = applied(tree, folder, apt, deb)
    assert {item.state for item in first} == {"changed"}
    assert {(item.kind, item.name) for item in first} >= {
        ("package", "mplskit-example"),
        ("package", "mplskit-pulled"),
        *(("file", name) for name in (KEY, LIST, *FILES)),
    }
    assert (tree / "usr/lib/pulled").read_text() == "pulled"
    assert (tree / "var/lib/mplskit-example/content").read_text() == "carried"
    assert {item.state for item in applied(tree, folder, apt, deb)} == {"same"}
    assert list((tree / "var/tmp").iterdir()) == []
