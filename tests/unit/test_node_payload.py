"""What a carrier brings: the same files staged in a folder and in a tar stream."""

import io
import tarfile
from pathlib import Path

import pytest

from mplskit.debian.package_file import Deb, Package, Role
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import CHUNK, archive, contents, stage
from mplskit.node.payload.render import render
from mplskit.paths import data

SPEC = NodeSpec(mpls_input=("eth0",))
SCRIPTS = {path.name for path in (data("bootstrap") / "payload").glob("*.sh")}


@pytest.fixture
def package(tmp_path: Path) -> Deb:
    path = tmp_path / "linux-image-6.12.1_1_amd64.deb"
    path.write_bytes(b"x" * (2 * CHUNK + 7))
    return Deb(path, Package("linux-image-6.12.1", "1", path.name, "0" * 64, 2 * CHUNK + 7, Role.IMAGE))


def test_a_stage_holds_the_script_the_rendered_files_and_the_packages(tmp_path: Path, package: Deb) -> None:
    stage(tmp_path / "stage", SPEC, [package])
    found = {str(path.relative_to(tmp_path / "stage")) for path in (tmp_path / "stage").rglob("*") if path.is_file()}
    assert found == {
        *SCRIPTS,
        "files/etc/modules-load.d/mplskit.conf",
        "files/etc/sysctl.d/90-mplskit.conf",
        "files/etc/udev/rules.d/90-mplskit.rules",
        "files/etc/mplskit/node.json",
        "files/etc/systemd/system/mplskit-routes.service",
        "files/usr/local/lib/mplskit/keep.sh",
        "files/usr/local/lib/mplskit/live.sh",
        "files/usr/local/lib/mplskit/routes.sh",
        "want/packages",
        "want/services",
        "packages/linux-image-6.12.1_1_amd64.deb",
    }
    for path, text in render(SPEC).items():
        assert (tmp_path / "stage" / "files" / path.lstrip("/")).read_text() == text


def test_the_stream_is_a_tar_archive_of_what_a_stage_holds(tmp_path: Path, package: Deb) -> None:
    stage(tmp_path / "stage", SPEC, [package])
    staged = {
        str(path.relative_to(tmp_path / "stage")): path.read_bytes()
        for path in (tmp_path / "stage").rglob("*")
        if path.is_file()
    }
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive(SPEC, [package])))) as tar:
        received = {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry))}
    assert received == staged


def test_a_large_package_goes_in_pieces(package: Deb) -> None:
    assert max(len(piece) for piece in archive(SPEC, [package])) == CHUNK


def test_a_package_that_is_not_sent_is_named_all_the_same(package: Deb) -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive(SPEC, [package], sent=[])))) as tar:
        names = tar.getnames()
        want = tar.extractfile("want/packages")
        assert want is not None
        assert want.read() == b"linux-image-6.12.1\t1\t" + b"0" * 64 + b"\tlinux-image-6.12.1_1_amd64.deb\n"
    assert not [name for name in names if name.startswith("packages/")]


def test_the_script_comes_last_so_that_half_an_archive_runs_nothing(package: Deb) -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive(SPEC, [package])))) as tar:
        assert tar.getnames()[-1] == "apply.sh"


def test_a_unit_is_named_with_the_files_that_it_reads() -> None:
    found = dict(contents(SPEC))
    assert found["want/services"] == (
        b"mplskit-routes.service\t/etc/systemd/system/mplskit-routes.service /usr/local/lib/mplskit/keep.sh "
        b"/usr/local/lib/mplskit/live.sh /usr/local/lib/mplskit/routes.sh\n"
    )


def test_without_a_spec_there_are_packages_alone(package: Deb) -> None:
    assert {name for name, _ in contents(None, [package])} == {
        "want/packages",
        "packages/linux-image-6.12.1_1_amd64.deb",
        *SCRIPTS,
    }
