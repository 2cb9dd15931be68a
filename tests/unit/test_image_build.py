from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import BuildFailed
from mplskit.image.build import recipe_digest
from mplskit.image.disk import size_for
from mplskit.image.rootfs import finds_root, kernel_release

MEBIBYTE = 1 << 20


def test_a_kernel_with_its_disk_built_in_needs_no_initramfs() -> None:
    built_in = "CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\n# CONFIG_XFS_FS is not set\nCONFIG_EXT4_FS=y\n"
    assert finds_root(built_in)
    assert not finds_root(built_in.replace("BLK=y", "BLK=m"))


@pytest.mark.parametrize(("content", "size"), [(0, 1024), (1, 1280), (400 * MEBIBYTE, 1536), (2048 * MEBIBYTE, 3584)])
def test_a_disk_has_a_gibibyte_to_spare(content: int, size: int) -> None:
    assert size_for(content) == size * MEBIBYTE


@given(st.integers(0, 1 << 40))
def test_a_disk_always_holds_its_content(content: int) -> None:
    assert size_for(content) >= content + (1 << 30)


def test_the_recipe_is_its_files_and_not_what_python_leaves_beside_them(tmp_path: Path) -> None:
    (tmp_path / "rootfs.py").write_text("one")
    first = recipe_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "rootfs.pyc").write_text("compiled")
    assert recipe_digest(tmp_path) == first
    (tmp_path / "rootfs.py").write_text("two")
    assert recipe_digest(tmp_path) != first


def test_an_image_has_exactly_one_kernel(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    with pytest.raises(BuildFailed, match="the image has 0 kernels"):
        kernel_release(tmp_path)
    (tmp_path / "boot" / "vmlinuz-6.1.1-mpls").touch()
    assert kernel_release(tmp_path) == "6.1.1-mpls"
    (tmp_path / "boot" / "vmlinuz-6.1.0-50-amd64").touch()
    with pytest.raises(BuildFailed, match="the image has 2 kernels"):
        kernel_release(tmp_path)
