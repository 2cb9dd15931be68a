"""Tasks in folders with names as people give them, and on file systems of all kinds, with the real tools below.

What each task asks of its folders is in tests/unit/test_task_folders.py; here it is seen to be right.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mplskit import process
from tests.command_line import ROOT, CommandLine
from tests.worlds.fake_linux import pack, plant, snapshot
from tests.worlds.package_file import make_deb

MOVES = ("MPLSKIT_BUILD", "MPLSKIT_DIST", "MPLSKIT_CACHE", "XDG_CACHE_HOME", "TMPDIR")


def mounting(kind: str, folder: Path) -> tuple[str, ...]:
    """What is put before a command for a tmpfs on `folder`, mounted `kind`, that it alone sees."""
    script = 'mount -t tmpfs -o "$0" none "$1" && shift && exec "$@"'
    return (
        "unshare",
        *(() if os.geteuid() == 0 else ("--map-root-user",)),
        "--mount",
        "sh",
        "-c",
        script,
        kind,
        str(folder),
    )


def can_mount() -> bool:
    return subprocess.run([*mounting("rw", Path("/mnt")), "true"], capture_output=True, check=False).returncode == 0


mounts = pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here")


@dataclass(frozen=True)
class Here(CommandLine):
    """mplskit in a folder as a user has it: build/ and dist/ are where they are by default; the cache is elsewhere."""

    elsewhere: Path = Path("/nonexistent")
    unset: tuple[str, ...] = field(default=MOVES)

    def environment(self) -> dict[str, str]:
        plain = {name: value for name, value in super().environment().items() if name not in self.unset}
        return {**plain, "MPLSKIT_CACHE": str(self.elsewhere / "cache"), **self.env}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    planted = plant(tmp_path / "origin")
    before = snapshot(planted)
    yield planted
    assert snapshot(planted) == before, "somebody wrote to the source tree"


def here(tmp_path: Path, name: str, **env: str) -> Here:
    (tmp_path / name).mkdir(parents=True, exist_ok=True)
    return Here(tmp_path / name, env, elsewhere=tmp_path)


def words(task: str, tree: Path, *more: str) -> list[str]:
    return [task, "--source", f"tree:{tree}", *(["--builder", "bindeb-pkg"] if task == "kernel.build" else []), *more]


@pytest.mark.parametrize(
    "name", ["Müller & Söhne, 100% #1: (a) [b] 'c' \"d\" $e;f", "ü/日本/a+b@c~d/" + "/".join(["deep" * 10] * 10)]
)
def test_a_kernel_is_built_in_a_folder_of_any_name(tmp_path: Path, tree: Path, name: str) -> None:
    mplskit = here(tmp_path, name)
    done = mplskit(*words("kernel.build", tree, "--json"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    delivered = sorted(path.name for path in (mplskit.folder / "dist").iterdir())
    assert delivered == [*(row["file"] for row in told["packages"]), "metadata.json"]


def test_it_is_said_where_the_build_folder_is_then_and_the_same_again_builds_nothing(
    tmp_path: Path, tree: Path
) -> None:
    mplskit = here(tmp_path, "my lab")
    first = mplskit(*words("kernel.build", tree))
    assert first.returncode == 0, first.stderr
    [build] = (tmp_path / "cache" / "build").iterdir()
    assert f"! make cannot stand a blank in {mplskit.folder}: what is built lies in {build}\n" in first.stderr
    assert "is built already" in mplskit(*words("kernel.build", tree)).stderr
    assert len(mplskit.journal()) == 1 and not (mplskit.folder / "build").exists()


def test_a_folder_that_is_a_link_to_one_with_a_blank_is_worked_in(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "link").symlink_to("a b")
    mplskit = here(tmp_path, "link")
    done = mplskit(*words("kernel.config", tree))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("task", "odd", "named"), [("kernel.config", " ", "a blank"), ("kernel.build", ":", "a colon")]
)
def test_a_tree_in_a_folder_that_make_cannot_stand_is_refused_before_anything_is_done(
    tmp_path: Path, task: str, odd: str, named: str
) -> None:
    tree = plant(tmp_path / f"my{odd}trees")
    mplskit = here(tmp_path, "plain")
    refused = mplskit(*words(task, tree))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"mplskit: error: {task} cannot work in {tree}: make cannot stand {named} in a path\n"
        "hint: move or copy the tree, and name the other place; letters, digits and . _ - + @ ~ are fine\n"
    )
    assert list(mplskit.folder.iterdir()) == [] and not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["t mp", "t:ü,%"])
def test_what_was_lost_is_explained_whatever_the_folder_for_temporary_files_is_called(
    tmp_path: Path, tree: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    mplskit = here(tmp_path, "plain", TMPDIR=str(tmp_path / name))
    lost = mplskit(*words("kernel.config", tree, "--set", "MPLS=n"))
    assert lost.returncode == 1
    assert "cannot be parsed" not in lost.stderr
    assert "mend: --set MPLS=y (against --set MPLS=n)" in lost.stderr
    assert list((tmp_path / name).iterdir()) == []


@mounts
@pytest.mark.parametrize(
    ("kind", "folder", "says"),
    [
        (
            "noexec",
            "plain",
            "cannot work in {}/build: its file system is mounted noexec: what is built there could not run",
        ),
        ("ro", "plain", "cannot write in {}/build: its file system is read-only"),
        (
            "noexec",
            "origin",
            "cannot work in {}/tree: its file system is mounted noexec: what is built there could not run",
        ),
    ],
)
def test_a_file_system_that_will_not_do_is_told_before_anything_is_done(
    tmp_path: Path, kind: str, folder: str, says: str
) -> None:
    (tmp_path / "origin").mkdir()
    mplskit = here(tmp_path, "plain")
    mounted = tmp_path / folder
    # The folder that we are in would be the one below the mount.
    entering = (
        "sh",
        "-c",
        'mkdir -p "$0/tree"; cd "$1" && shift && exec "$@"',
        str(tmp_path / "origin"),
        str(mplskit.folder),
    )
    prefix = (*mounting(kind, mounted), *entering)
    refused = Here(mplskit.folder, {}, prefix, elsewhere=tmp_path)(*words("kernel.build", tmp_path / "origin" / "tree"))
    assert (refused.returncode, refused.stdout) == (3, "")
    assert f"error: kernel.build {says.format(mounted)}\nhint: " in refused.stderr
    assert not (tmp_path / "cache").exists()


@mounts
def test_a_read_only_checkout_works_with_its_folders_elsewhere(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "plain").mkdir()
    elsewhere = {f"MPLSKIT_{name}": str(tmp_path / name.lower()) for name in ("BUILD", "DIST")}
    elsewhere["FAKELINUX_JOURNAL"] = str(tmp_path / "journal")
    entering = ("sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path / "plain"))
    mplskit = Here(tmp_path / "plain", elsewhere, (*mounting("ro", tmp_path / "plain"), *entering), elsewhere=tmp_path)
    done = mplskit(*words("kernel.build", tree))
    assert done.returncode == 0, done.stderr


@mounts
@pytest.mark.parametrize("other", ["cache", "build"])
def test_folders_may_be_on_different_file_systems(tmp_path: Path, tree: Path, other: str) -> None:
    archive = pack(tree, tmp_path / "linux-6.1.999.tar.xz")
    for name in ("plain", other):
        (tmp_path / name).mkdir()
    folders = {f"MPLSKIT_{name.upper()}": str(tmp_path / name) for name in ("cache", "dist", "build")}
    mplskit = Here(tmp_path / "plain", folders, mounting("rw,size=6g", tmp_path / other), elsewhere=tmp_path)
    done = mplskit("kernel.build", "--insecure-source", "--source", f"file:{archive}", "--builder", "bindeb-pkg")
    assert done.returncode == 0, done.stderr


@mounts
def test_a_packaged_ip_is_proven_though_temporary_files_lie_where_nothing_may_run(tmp_path: Path) -> None:
    found = process.find("ip")
    if found is None:
        pytest.skip("iproute2 is not installed (./run test installs it)")
    deb = make_deb(tmp_path, "iproute2", {"bin/ip": Path(found).resolve()})
    for name in ("plain", "tmp"):
        (tmp_path / name).mkdir()
    env = {"TMPDIR": str(tmp_path / "tmp")}
    mplskit = Here(tmp_path / "plain", env, mounting("noexec", tmp_path / "tmp"), elsewhere=tmp_path)
    done = mplskit("iproute2.verify", "--package", deb)
    assert done.returncode == 0, done.stderr


def test_a_package_for_another_architecture_is_told_as_such(tmp_path: Path) -> None:
    # The header of a 64-bit program for a machine that nobody has.
    ip = tmp_path / "ip"
    ip.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xff\xfe" + bytes(44))
    ip.chmod(0o755)
    told = here(tmp_path, "plain")("iproute2.verify", "--package", make_deb(tmp_path, "iproute2", {"bin/ip": ip}))
    assert told.returncode == 3
    assert "error: the packaged ip cannot be run on this machine\n" in told.stderr


LOOK = """
from mplskit.lab.this_machine import ThisMachine
from mplskit.node.verify.suite import Suite
with Suite() as suite:
    print(mplskit.__file__, len(suite.run(ThisMachine())))
"""


def test_the_checkout_itself_may_have_any_name(tmp_path: Path) -> None:
    checkout = tmp_path / "mpls kit [the 2nd] (ü), 100% #1"
    checkout.mkdir()
    for name in ("mplskit", "kconfig", "bootstrap", "topologies"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    program = "import mplskit.tasks; mplskit.tasks.program.run()"
    render = ["node.render", "--host", "192.0.2.1", "--mpls-input", "eth0"]
    for code, words in (
        (program, ["kernel.options", "--name", "lab"]),
        (program, render),
        (f"import mplskit{LOOK}", []),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )
        assert done.returncode == 0, done.stderr
    conditions = (ROOT / "bootstrap" / "checklist.yaml").read_text().count("- id: ")
    assert done.stdout.startswith(f"{checkout}/mplskit/__init__.py ")
    assert 0 < int(done.stdout.split()[-1]) <= conditions
