"""A machine's folder is its own: console, port and host key of two machines would be mixed up."""

from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import MachineLacks
from mplskit.files import locked
from mplskit.vm.machine import Guest, booted

pytestmark = pytest.mark.skipif(process.find("qemu-system-x86_64") is None, reason="QEMU is not installed")


def test_a_second_machine_in_the_same_folder_is_refused_and_the_first_ones_files_stay(tmp_path: Path) -> None:
    for name in ("disk", "vmlinuz", "key"):
        (tmp_path / name).touch()
    folder = tmp_path / "vm"
    guest = Guest(disk=tmp_path / "disk", kernel=tmp_path / "vmlinuz", key=tmp_path / "key")
    with locked(folder / ".lock"):
        (folder / "console.log").write_text("the first one's")
        with pytest.raises(MachineLacks) as refused, booted(guest, folder):
            pass
    assert refused.value.message == f"another mplskit process works in {folder}"
    assert (folder / "console.log").read_text() == "the first one's"
