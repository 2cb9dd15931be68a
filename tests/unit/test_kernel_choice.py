"""Which kernel package is meant by the words that every --kernel takes."""

from pathlib import Path

import pytest

from mplskit.debian.kernel_choice import FileKernel, chosen_kernel, is_word, packages_of
from mplskit.debian.kernel_packages import SuiteKernel, suite_kernel
from mplskit.debian.package_file import read_deb
from mplskit.debian.package_records import write_record
from mplskit.errors import WrongInput
from mplskit.files import digest_file
from tests.golden import assert_golden
from tests.worlds.package_file import make_deb

IMAGE, HEADERS = "linux-image-6.1.1-mpls", "linux-headers-6.1.1-mpls"


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty dist/ in the current folder, which holds a kernel image and its headers."""
    monkeypatch.chdir(tmp_path)
    for name in (IMAGE, HEADERS):
        make_deb(tmp_path, name)
    (tmp_path / "dist").mkdir()
    return tmp_path / "dist"


def built(dist: Path) -> Path:
    """The package of a kernel.build that left its record in dist/."""
    path = make_deb(dist, IMAGE)
    row = {"package": IMAGE, "file": path.name, "role": "image", "sha256": digest_file(path)}
    write_record(dist / "metadata.json", {"packages": [row]})
    return path


@pytest.mark.parametrize("text", ["", "dist"])
def test_the_kernel_that_was_built_here_is_meant_by_its_word_and_by_none(text: str, dist: Path) -> None:
    path = built(dist)
    assert chosen_kernel(text, dist, "bookworm") == FileKernel(read_deb(path))


def test_a_file_is_a_kernel_though_another_was_built(dist: Path) -> None:
    built(dist)
    chosen = chosen_kernel(f"{IMAGE}_1_all.deb", dist, "bookworm")
    assert isinstance(chosen, FileKernel) and chosen.deb.path == dist.parent / f"{IMAGE}_1_all.deb"
    assert packages_of(chosen, dist / "cache") == (chosen.deb,)


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("stock", SuiteKernel("bookworm", "linux-image-amd64")),
        ("debian:trixie", SuiteKernel("trixie", "linux-image-amd64")),
        ("debian:bookworm-backports", SuiteKernel("bookworm-backports", "linux-image-amd64")),
        ("debian:sid/linux-image-cloud-amd64", SuiteKernel("sid", "linux-image-cloud-amd64")),
        ("apt:linux-image-6.1.0-50-rt-amd64", SuiteKernel(None, "linux-image-6.1.0-50-rt-amd64")),
    ],
)
def test_debians_own_kernels_are_meant_by_suite_and_package(text: str, kernel: SuiteKernel, dist: Path) -> None:
    assert is_word(text)
    assert chosen_kernel(text, dist, "bookworm") == kernel
    assert text == "stock" or suite_kernel(str(kernel)) == kernel


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("none-built", ""),
        ("none-built", "dist"),
        ("no-such-file", "linux.deb"),
        ("no-such-word", "debian:Trixie"),
        ("headers", f"{HEADERS}_1_all.deb"),
    ],
)
def test_what_is_no_kernel_is_refused_with_what_is_allowed(case: str, text: str, dist: Path) -> None:
    with pytest.raises(WrongInput) as refused:
        chosen_kernel(text, dist, "bookworm", also="here (this machine's own)")
    assert_golden(f"choice-{case}", f"{refused.value}\n", {dist.parent: "/FOLDER"})
