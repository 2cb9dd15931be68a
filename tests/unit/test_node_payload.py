"""What a carrier brings: the same files staged in a folder and in a tar stream."""

import io
import tarfile
from pathlib import Path

import pytest

from mplskit.node.payload import CHUNK, archive, stage
from mplskit.node.render import render
from mplskit.node.spec import NodeSpec

SPEC = NodeSpec(mpls_input=("eth0",))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "linux-image-6.12.1_1_amd64.deb"
    path.write_bytes(b"x" * (2 * CHUNK + 7))
    return path


def test_a_stage_holds_the_script_the_rendered_files_and_the_packages(tmp_path: Path, package: Path) -> None:
    stage(tmp_path / "stage", SPEC, [package])
    found = {str(path.relative_to(tmp_path / "stage")) for path in (tmp_path / "stage").rglob("*") if path.is_file()}
    assert found == {
        "apply.sh",
        "files/etc/modules-load.d/mplskit.conf",
        "files/etc/sysctl.d/90-mplskit.conf",
        "files/etc/udev/rules.d/90-mplskit.rules",
        "files/etc/mplskit/node.json",
        "packages/linux-image-6.12.1_1_amd64.deb",
    }
    for path, text in render(SPEC).items():
        assert (tmp_path / "stage" / "files" / path.lstrip("/")).read_text() == text


def test_the_stream_is_a_tar_archive_of_what_a_stage_holds(tmp_path: Path, package: Path) -> None:
    stage(tmp_path / "stage", SPEC, [package])
    staged = {
        str(path.relative_to(tmp_path / "stage")): path.read_bytes()
        for path in (tmp_path / "stage").rglob("*")
        if path.is_file()
    }
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive(SPEC, [package])))) as tar:
        received = {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry))}
    assert received == staged


def test_a_large_package_goes_in_pieces(package: Path) -> None:
    assert max(len(piece) for piece in archive(SPEC, [package])) == CHUNK
