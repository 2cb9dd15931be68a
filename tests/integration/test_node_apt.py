"""Packages from a real signed apt repository, in namespaces where apt and dpkg know nothing of this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from mplskit.node.payload.apt import apt_of
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item, parse_line
from tests.worlds.contained_node import CONTAINED, GROUND
from tests.worlds.debian_archive import DebianArchive, keys

# The repository is in the file system: a repository that is gone is one that cannot be reached.
APT = """\
for folder in /var/cache /var/log; do mount -t tmpfs none $folder || exit; done
mkdir -p /etc/alternatives /etc/apt/apt.conf.d /etc/apt/sources.list.d /etc/apt/preferences.d \
    /var/lib/apt/lists/partial /var/cache/apt/archives/partial /var/log/apt
ln -s /usr/bin/mawk /etc/alternatives/awk # apt-key needs it
echo 'APT::Sandbox::User "root";' >/etc/apt/apt.conf.d/own
"""
SOURCES = "/etc/apt/sources.list.d/mplskit.sources"
KEY = "/etc/apt/keyrings/mplskit.asc"


@dataclass(frozen=True)
class Repository:
    """`folder`/debian has mplskit-example 1.0 and 2.0 in the suite `stable`; `key` is the armored key."""

    folder: Path
    key: str
    archive: DebianArchive

    def sources(self, path: Path, **fields: str) -> Path:
        """A .sources file for it."""
        key = "\n".join(f" {line or '.'}" for line in self.key.splitlines())
        own = {"Types": "deb", "URIs": f"file://{self.folder}/debian", "Suites": "stable", "Components": "main"}
        text = "".join(f"{name}: {value}\n" for name, value in {**own, **fields}.items())
        path.write_text(f"{text}Signed-By:\n{key}\n")
        return path


@pytest.fixture(scope="module")
def repository(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    folder = tmp_path_factory.mktemp("repository")
    with keys(folder / "gpg") as made:
        made.make("ours")
        made.make("theirs")
        archive = DebianArchive(folder, made)
        for version in ("1.0", "2.0"):
            (folder / "content").write_text(version)
            archive.add_package("debian", "stable", "mplskit-example", version, {"var/lib/example": folder / "content"})
        archive.publish("debian", "stable", "ours")
        yield Repository(folder, made.armored("ours"), archive)


def staged(folder: Path, sources: Path, *packages: str) -> Path:
    """A payload without a spec; returns its apply.sh."""
    stage(folder, None, apt=apt_of(sources, packages))
    return folder / "apply.sh"


def contained(apply: Path, script: str) -> list[Item | str]:
    """What a script says in there; $APPLY is the path of apply.sh, other lines than its own come as they are."""
    ended = process.run([*CONTAINED, GROUND + APT + script, "sh", apply], check=False)
    return [parse_line(line) if "\t" in line else line for line in ended.stdout.splitlines()]


def test_the_newest_is_installed_once_and_then_nothing_is_asked_for_again(
    repository: Repository, tmp_path: Path
) -> None:
    apply = staged(tmp_path / "stage", repository.sources(tmp_path / "x.sources"), "mplskit-example")
    script = (
        'sh "$APPLY" image; echo "exit $?"; cat /var/lib/example; echo; rm -r /var/lib/apt/lists\n'
        'sh "$APPLY" image; echo "exit $?"; ls -d /var/lib/apt/lists; cat /var/lib/mplskit/packages/mplskit-example'
    )
    assert contained(apply, script) == [
        Item("changed", "file", KEY, "written"),
        Item("changed", "file", SOURCES, "written"),
        Item("changed", "package", "mplskit-example", "2.0 installed by apt"),
        "exit 0",
        "2.0",
        Item("same", "file", KEY, ""),
        Item("same", "file", SOURCES, ""),
        Item("same", "package", "mplskit-example", "2.0"),
        "exit 0",
        "apt 2.0",
    ]


def test_a_version_that_is_named_is_installed_even_when_a_newer_one_is_there(
    repository: Repository, tmp_path: Path
) -> None:
    sources = repository.sources(tmp_path / "x.sources")
    newest = staged(tmp_path / "newest", sources, "mplskit-example")
    older = staged(tmp_path / "older", sources, "mplskit-example=1.0")
    said = contained(newest, f'for s in "$APPLY" {older} {older}; do sh $s image | grep package; done')
    assert said == [
        Item("changed", "package", "mplskit-example", "2.0 installed by apt"),
        Item("changed", "package", "mplskit-example", "1.0 installed by apt"),
        Item("same", "package", "mplskit-example", "1.0"),
    ]


def failed(apply: Path, before: str = "") -> str:
    """The detail of the one item that failed; nothing was installed."""
    said = contained(
        apply,
        before + '\nsh "$APPLY" image >/var/log/said; echo "exit $?"; grep failed /var/log/said; ls /var/lib/example',
    )
    assert said[0] == "exit 1"
    [item] = said[1:]
    assert isinstance(item, Item)
    assert (item.kind, item.name) == ("package", "mplskit-example")
    return item.detail


def test_a_repository_signed_by_another_key_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.archive.publish("debian", "stable", "theirs")
    try:
        said = failed(staged(tmp_path / "stage", repository.sources(tmp_path / "x.sources"), "mplskit-example"))
    finally:
        repository.archive.publish("debian", "stable", "ours")
    assert said.startswith("apt: The following signatures couldn't be verified because the public key is not available")
    assert said.endswith("stable InRelease' is not signed.")


def test_a_package_or_version_that_is_not_there_is_told(repository: Repository, tmp_path: Path) -> None:
    sources = repository.sources(tmp_path / "x.sources")
    said = failed(staged(tmp_path / "stage", sources, "mplskit-example=3.0"))
    assert said == "apt: E: Version '3.0' for 'mplskit-example' was not found"


def test_a_repository_that_cannot_be_reached_is_told(repository: Repository, tmp_path: Path) -> None:
    sources = repository.sources(tmp_path / "x.sources", URIs="http://127.0.0.1:1/debian")
    said = failed(staged(tmp_path / "stage", sources, "mplskit-example"))
    assert "127.0.0.1:1" in said
    assert "connect" in said
    assert said.endswith("'http://127.0.0.1:1/debian stable Release' does not have a Release file.")


def test_another_apt_that_is_at_work_is_waited_for(repository: Repository, tmp_path: Path) -> None:
    sources = repository.sources(tmp_path / "x.sources")
    apply = staged(tmp_path / "stage", sources, "mplskit-example")
    # apt and dpkg take POSIX locks, which flock(1) does not know.
    hold = (
        "import fcntl, os, sys, time\n"
        "for name in sys.argv[1:]: fcntl.lockf(os.open(name, os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)\n"
        "print(flush=True); time.sleep(3)"
    )
    locks = "/var/lib/apt/lists/lock /var/lib/dpkg/lock-frontend"
    script = (
        f"python3 -c '{hold}' {locks} >/var/log/held & while [ ! -s /var/log/held ]; do sleep 0.1; done\n"
        'sh "$APPLY" image | grep package; wait'
    )
    assert contained(apply, script) == [Item("changed", "package", "mplskit-example", "2.0 installed by apt")]
