"""How a machine's key is named to ssh, whatever the folder is called in which it lies."""

import subprocess
from pathlib import Path

import pytest

from mplskit.vm.guest import Guest
from mplskit.vm.machine import _ssh_config


@pytest.mark.parametrize("name", ["a b", 'the "new" one', "${HOME}", "100%", "it's", "#1", "ü\\n"])
def test_ssh_finds_the_key_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / "vm").mkdir()
    key = tmp_path / name / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    guest = Guest(disk=key, kernel=key, key=key)
    for _ in range(2):
        config = _ssh_config(guest, tmp_path / "vm", 2222)
    told = subprocess.run(["ssh", "-G", "-F", config, "vm"], capture_output=True, text=True, check=True).stdout
    [found] = [line.removeprefix("identityfile ") for line in told.splitlines() if line.startswith("identityfile ")]
    assert Path(found).read_text() == key.read_text()
