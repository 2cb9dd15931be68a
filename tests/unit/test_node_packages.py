"""Which files of a folder go to a node, and what is said where that is not clear: golden/node-packages-*.txt."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from mplskit.errors import Exit, WrongInput
from mplskit.node.payload.packages import node_packages
from tests.golden import assert_golden
from tests.worlds.package_file import make_deb

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


def record(folder: Path, file: str, *packages: tuple[Path, str]) -> None:
    rows = [
        {"package": "p", "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "role": role}
        for path, role in packages
    ]
    (folder / file).write_text(json.dumps({"packages": rows}))


def refusal(folder: Path) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        node_packages(folder)
    assert caught.value.code == Exit.WRONG_INPUT
    return caught.value


def test_the_records_say_which_packages_go_to_a_node(tmp_path: Path) -> None:
    old, new = make_deb(tmp_path, "linux-image-6.1"), make_deb(tmp_path, "linux-image-6.12")
    headers, tool = make_deb(tmp_path, "linux-headers-6.12"), make_deb(tmp_path, "iproute2")
    record(tmp_path, "metadata.json", (new, "image"), (headers, "headers"))
    record(tmp_path, "iproute2.json", (tool, "iproute2"))
    assert node_packages(tmp_path) == [new, tool]
    assert old.exists()


def test_without_records_the_packages_names_say_it(tmp_path: Path) -> None:
    image, tool = make_deb(tmp_path, "linux-image-6.12"), make_deb(tmp_path, "iproute2")
    for name in ("linux-image-6.12-dbg", "linux-libc-dev", "linux-headers-6.12"):
        make_deb(tmp_path, name)
    assert node_packages(tmp_path) == [image, tool]


def test_two_kernels_without_a_record_are_not_guessed_between(tmp_path: Path) -> None:
    make_deb(tmp_path, "linux-image-6.1")
    make_deb(tmp_path, "linux-image-6.12")
    assert_golden("node-packages-two-kernels", f"{refusal(tmp_path)}\n", {tmp_path: "DIR"})


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    assert_golden("node-packages-none", f"{refusal(tmp_path)}\n", {tmp_path: "DIR"})


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert_golden("node-packages-no-folder", f"{refusal(tmp_path / 'dist')}\n", {tmp_path: "DIR"})


def test_a_recorded_package_that_is_gone_is_told(tmp_path: Path) -> None:
    image = make_deb(tmp_path, "linux-image-6.12")
    record(tmp_path, "metadata.json", (image, "image"))
    image.unlink()
    assert_golden("node-packages-gone", f"{refusal(tmp_path)}\n", {tmp_path: "DIR"})


def test_a_recorded_package_that_is_another_file_now_is_told(tmp_path: Path) -> None:
    image = make_deb(tmp_path, "linux-image-6.12")
    record(tmp_path, "metadata.json", (image, "image"))
    image.write_bytes(image.read_bytes() + b"\n")
    assert_golden("node-packages-changed", f"{refusal(tmp_path)}\n", {tmp_path: "DIR"})


def test_a_record_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text("[]")
    assert_golden("node-packages-no-record", f"{refusal(tmp_path)}\n", {tmp_path: "DIR"})


def test_a_file_that_is_no_package_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_text("not a package")
    assert "x.deb" in refusal(tmp_path).message
