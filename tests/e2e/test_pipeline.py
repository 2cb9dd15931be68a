"""The main job, from a kernel source to a label on the wire."""

from pathlib import Path
from typing import Any

from tests.e2e.conftest import ROOT, invoke

DIST = ROOT / "dist"


def test_the_main_job_leaves_packages_an_image_their_description_and_a_capture(pipeline: Any) -> None:
    present = sorted(path.name for path in DIST.rglob("*") if path.is_file())
    assert any(name.startswith("linux-image-") and name.endswith(".deb") for name in present)
    assert any(name.startswith("iproute2_") and "+mpls1" in name for name in present)
    assert "mplskit-bookworm.qcow2" in present
    assert "metadata.json" in present
    assert list((DIST / "labs" / "hello-world").glob("*.pcap"))


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
    assert ran.code == 0
    assert {row["step"]: row["made"] for row in ran.json["steps"] if "made" in row and row["step"] in BUILDS} == {
        "kernel": "reused",
        "iproute2": "reused",
        "image": "reused",
    }
    assert {path: path.stat().st_mtime_ns for path in _products()} == made


BUILDS = ("kernel", "iproute2", "image")


def _products() -> list[Path]:
    return [path for pattern in ("*.deb", "*.qcow2") for path in sorted(DIST.glob(pattern))]
