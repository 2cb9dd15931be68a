import json
from dataclasses import replace
from pathlib import Path

import pytest

from mplskit.errors import WrongInput
from mplskit.image.image_record import Image, load_image, same_image, write_record


@pytest.fixture
def image(tmp_path: Path) -> Image:
    for suffix in ("raw", "qcow2", "vmlinuz", "key"):
        (tmp_path / f"a.{suffix}").write_text(suffix)
    return Image(
        name="a",
        suite="bookworm",
        raw=tmp_path / "a.raw",
        qcow2=tmp_path / "a.qcow2",
        kernel=tmp_path / "a.vmlinuz",
        initrd=None,
        key=tmp_path / "a.key",
        release="6.1.1-mpls",
        packages={"iproute2": "6.1.0-3+mpls1"},
        seconds=40.5,
    )


def test_a_record_that_is_written_can_be_read(image: Image, tmp_path: Path) -> None:
    write_record(image, "inputs", tmp_path / "a.json")
    assert load_image(tmp_path / "a.json") == image


def test_a_record_tells_digests_and_no_folders(image: Image, tmp_path: Path) -> None:
    write_record(image, "inputs", tmp_path / "a.json")
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["key"] == "a.key"
    assert record["files"]["qcow2"] == {
        "file": "a.qcow2",
        "size": 5,
        "sha256": "bddbfd77c2fbc6cdf3061d9f3d53d9de47343e139277c662463425c078626f4f",
    }


def test_a_key_of_the_users_own_is_found_where_it_is(image: Image, tmp_path: Path) -> None:
    own = replace(image, key=Path("/home/me/.ssh/id_ed25519"))
    write_record(own, "inputs", tmp_path / "a.json")
    assert load_image(tmp_path / "a.json").key == Path("/home/me/.ssh/id_ed25519")


def test_an_image_is_the_same_only_with_the_same_inputs_and_untouched_files(image: Image, tmp_path: Path) -> None:
    record = tmp_path / "a.json"
    assert same_image(record, "inputs", key_made=True) is None
    write_record(image, "inputs", record)
    assert same_image(record, "inputs", key_made=True) == image
    assert same_image(record, "others", key_made=True) is None
    image.qcow2.write_text("QCOW2")
    assert same_image(record, "inputs", key_made=True) is None
    image.qcow2.write_text("qcow2")
    assert same_image(record, "inputs", key_made=True) == image
    image.kernel.unlink()
    assert same_image(record, "inputs", key_made=True) is None


def test_a_made_key_is_part_of_the_image_and_the_users_own_is_not(image: Image, tmp_path: Path) -> None:
    record = tmp_path / "a.json"
    write_record(image, "inputs", record)
    image.key.unlink()
    assert same_image(record, "inputs", key_made=True) is None
    assert same_image(record, "inputs", key_made=False) == image


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {"raw": 1}}', "null"])
def test_what_is_no_record_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(WrongInput, match="is no record of an image"):
        load_image(tmp_path / "a.json")
