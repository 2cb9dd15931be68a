"""Source packages of Debian, through the host's apt."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.host_with_apt import CONTROL, World, published, world

__all__ = ["published", "world"]

FETCH_IPROUTE2 = """
import json, sys
from mplskit.errors import Failure
from mplskit.paths import Workspace
from mplskit.sources.iproute2_source import fetch_iproute2
from mplskit.sources.source_spec import parse_spec
try:
    print(json.dumps(fetch_iproute2(parse_spec(sys.argv[1]), Workspace.here().cache).as_json(), default=str))
except Failure as failure:
    sys.exit(str(failure))
"""


def fetch_iproute2(world: World, spec: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-c", FETCH_IPROUTE2, spec]
    env = world.mplskit.environment()
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=world.mplskit.folder, env=env)


@pytest.mark.parametrize(
    ("spec", "version"),
    [("debian", "6.1.0+3"), ("debian:trixie", "6.15.0+1"), ("debian:trixie/6.15", "6.15.0+1")],
)
def test_a_source_package_is_fetched_with_its_packaging(world: World, spec: str, version: str) -> None:
    done = fetch_iproute2(world, spec)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["version"], told["origin"]) == (version, f"Debian source package iproute2 {version}, verified by apt")
    assert (Path(told["path"]) / "debian" / "control").read_text() == CONTROL
    assert sorted(path.name for path in Path(told["path"]).parent.iterdir()) == ["source.json", "tree"]


def test_a_source_package_that_was_changed_is_not_unpacked(world: World) -> None:
    file = next(world.archive.folder.glob("debian/pool/trixie/iproute2_*.tar.*"))
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    failed = fetch_iproute2(world, "debian:trixie")
    assert failed.returncode == 1
    assert "Hash Sum mismatch" in failed.stderr
    assert world.trees() == []


def test_a_version_of_a_source_package_that_is_not_offered_is_told_with_those_that_are(world: World) -> None:
    failed = fetch_iproute2(world, "debian:trixie/6.1")
    assert failed.stderr.endswith(
        "error: source debian:trixie/6.1: trixie has no version 6.1\n"
        "  | offered:\n  | 6.15.0+1\nhint: for example: debian:trixie/6.15.0+1\n"
    )
