"""What is known of the packages before they are brought."""

import json
from pathlib import Path

import pytest

from mplskit.node.bootstrap import brings_guest_kernel


def record(folder: Path, base: str | None, file: str = "linux-image-6.12_1_amd64.deb") -> Path:
    """The path of a kernel package, and beside it the record of the build."""
    made = {} if base is None else {"base": base}
    rows = [{"file": file, "sha256": "0" * 64, "role": "image"}]
    (folder / "metadata.json").write_text(json.dumps({**made, "packages": rows}))
    return folder / file


@pytest.mark.parametrize(("base", "guest"), [("guest", True), ("debian", False), (None, False)])
def test_a_kernel_of_the_guest_base_is_one_for_virtual_machines(base: str | None, guest: bool, tmp_path: Path) -> None:
    assert brings_guest_kernel([record(tmp_path, base)]) is guest


def test_a_record_says_nothing_of_other_packages(tmp_path: Path) -> None:
    record(tmp_path, "guest")
    assert not brings_guest_kernel([tmp_path / "iproute2_6.1.0-3+mpls1_amd64.deb"])
    assert not brings_guest_kernel([])


def test_packages_without_a_record_are_no_ones_for_virtual_machines(tmp_path: Path) -> None:
    assert not brings_guest_kernel([tmp_path / "linux-image-6.12_1_amd64.deb"])
