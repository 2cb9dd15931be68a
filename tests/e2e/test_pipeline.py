"""The main job, from a kernel source to a label on the wire."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mplskit.image.image_record import Image
from tests.worlds.checkout import ROOT, invoke

pytestmark = pytest.mark.usefixtures("labs_to_itself")

DIST = ROOT / "dist"
BUILDS = ("kernel", "iproute2", "image")


def test_the_main_job_leaves_packages_an_image_their_description_and_a_capture(
    pipeline: Any, image: Image, began: int
) -> None:
    records = {name: read(DIST / f"{name}.json") for name in ("metadata", "iproute2", image.name)}
    for name in ("metadata", "iproute2"):
        assert (DIST / f"{name}.json").stat().st_mtime_ns > began
    packages = {row["role"]: row for name in ("metadata", "iproute2") for row in records[name]["packages"]}
    assert {"image", "headers", "iproute2"} <= set(packages)
    for row in (*packages.values(), *records[image.name]["files"].values()):
        assert (row["file"], sha256(DIST / row["file"])) == (row["file"], row["sha256"])

    installed = records[image.name]["packages"]
    for role in ("image", "iproute2"):
        assert installed[packages[role]["package"]] == packages[role]["version"]
    assert records[image.name]["release"] == records["metadata"]["release"]

    made = {row["step"]: row["made"] for row in pipeline["steps"]}
    assert made["kernel"] in ("reused", *(row["file"] for row in records["metadata"]["packages"]))
    assert made["iproute2"] in ("reused", packages["iproute2"]["file"])
    assert made["image"] in ("reused", records[image.name]["files"]["qcow2"]["file"])
    captures = list((DIST / "labs" / "hello-world").glob("*.pcap"))
    assert made["hello-world"] == f"{len(captures)} captures"
    assert captures
    assert all(path.stat().st_mtime_ns > began for path in captures)


def test_every_step_of_the_main_job_proved_something(pipeline: Any) -> None:
    assert [row["step"] for row in pipeline["steps"]] == [
        "kernel",
        "iproute2",
        "image",
        "boot",
        "bootstrap",
        "verify",
        "hello-world",
    ]
    assert all(row["proven"] for row in pipeline["steps"])


def test_a_second_run_builds_nothing_again_but_proves_everything_again(pipeline: Any) -> None:
    made = {path: path.stat().st_mtime_ns for path in _products()}
    ran = invoke("ci.pipeline", "--json")
    assert ran.code == 0, ran.err
    first, second = ({row["step"]: row for row in report["steps"]} for report in (pipeline, ran.json))
    assert {step: second[step]["made"] for step in BUILDS} == dict.fromkeys(BUILDS, "reused")
    assert {step: row["proven"] for step, row in second.items() if step in BUILDS} == {
        step: row["proven"] for step, row in first.items() if step in BUILDS
    }
    assert all(row["proven"] for row in second.values())
    assert {path: path.stat().st_mtime_ns for path in _products()} == made


def read(path: Path) -> Any:
    """A record, as JSON."""
    return json.loads(path.read_text())


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _products() -> list[Path]:
    return [path for pattern in ("*.deb", "*.qcow2") for path in sorted(DIST.glob(pattern))]
