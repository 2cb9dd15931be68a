from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import BuildFailed
from mplskit.image.build import deliver, recipe_digest
from mplskit.image.disk import size_for
from mplskit.image.image_record import Image
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


def staged(folder: Path, key: Path | None = None) -> Image:
    """An image named `a` as it is before its delivery; without a key, one is made with it."""
    folder.mkdir()
    for suffix in ("raw", "qcow2", "vmlinuz", *(() if key else ("key", "key.pub"))):
        (folder / f"a.{suffix}").write_text("new")
    return Image(
        name="a",
        suite="bookworm",
        raw=folder / "a.raw",
        qcow2=folder / "a.qcow2",
        kernel=folder / "a.vmlinuz",
        initrd=None,
        key=key or folder / "a.key",
        release="6.1.1-mpls",
        packages={},
        seconds=1.0,
    )


def test_a_delivery_replaces_the_files_of_its_image_and_no_others(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    others = ["a.b.json", "a.b.key", "a.b.raw", "a.pub", "a.txt"]
    for name in (*others, "a.json", "a.raw", "a.initrd", "a.key", "a.key.pub"):
        (dist / name).write_text("old")
    image = deliver(staged(tmp_path / "staging"), dist, None)
    assert (image.raw, image.key, image.initrd) == (dist / "a.raw", dist / "a.key", None)
    assert {path.name: path.read_text() for path in dist.iterdir()} == {
        **dict.fromkeys(others, "old"),
        **dict.fromkeys(["a.raw", "a.qcow2", "a.vmlinuz", "a.key", "a.key.pub"], "new"),
    }


def test_a_delivery_leaves_the_users_key_alone_though_it_is_named_like_the_images(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    for name in ("a.key", "a.key.pub"):
        (dist / name).write_text("mine")
    image = deliver(staged(tmp_path / "staging", dist / "a.key"), dist, dist / "a.key.pub")
    assert image.key == dist / "a.key"
    assert [(dist / name).read_text() for name in ("a.key", "a.key.pub", "a.raw")] == ["mine", "mine", "new"]
