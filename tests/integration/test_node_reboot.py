"""Reboots that do not happen, over a real sshd: `systemctl` and `reboot` there are scripts of ours."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mplskit.errors import OutsideFailed
from mplskit.node.verify.reboot import reboot
from mplskit.process_group import Group, grouped
from mplskit.remote.host import Host
from mplskit.remote.session import stream
from tests.command_line import awaited
from tests.worlds.sshd import Sshd

Fake = Callable[[str], Host]


@pytest.fixture
def fake(sshd: Sshd, tmp_path: Path) -> Fake:
    """A login for which `systemctl reboot` does what a script says; it is kept out when there is a file `down`."""
    name = f"reboots-{os.urandom(4).hex()}"
    forced = (
        f'[ ! -e {tmp_path}/down ] || exit 255; PATH={tmp_path}:$PATH; export PATH; eval \\"$SSH_ORIGINAL_COMMAND\\"'
    )
    sshd.login(sshd.folder / name, forced)

    def login(script: str) -> Host:
        for program in ("systemctl", "reboot"):
            (tmp_path / program).write_text(f"#!/bin/sh\ncd {tmp_path}\necho $0 $* >>asked\n{script}\n")
            (tmp_path / program).chmod(0o755)
        host = sshd.host(key=name)
        found: list[str] = []
        stream(host, "command -v systemctl; command -v reboot", [], found.append)
        # Nothing but these may be asked to reboot: it would be this machine.
        assert found == [f"{tmp_path}/systemctl", f"{tmp_path}/reboot"]
        return host

    return login


def test_a_node_that_refuses_to_reboot_is_told(fake: Fake) -> None:
    host = fake("echo Operation inhibited by a backup. >&2; exit 1")
    with pytest.raises(OutsideFailed) as failed:
        reboot(host, 5)
    assert failed.value.message == "node refuses to reboot"
    assert failed.value.detail.splitlines()[-1] == "Operation inhibited by a backup."


def test_a_node_that_runs_on_is_told(fake: Fake, tmp_path: Path) -> None:
    host = fake("exit 0")
    with pytest.raises(OutsideFailed, match=r"node runs on without having rebooted, [0-9]+ s after the reboot was"):
        reboot(host, 2)
    assert (tmp_path / "asked").read_text() == f"{tmp_path}/systemctl reboot\n"


def test_a_wait_for_a_node_ends_with_its_run(fake: Fake, tmp_path: Path) -> None:
    host = fake("touch down")
    group = Group()

    def end() -> None:
        awaited((tmp_path / "down").exists)
        group.end()

    ending = threading.Thread(target=end)
    ending.start()
    begin = time.monotonic()
    with grouped(group), pytest.raises(OutsideFailed):
        reboot(host, 60)
    ending.join()
    assert time.monotonic() - begin < 20


def test_a_node_that_does_not_come_back_is_told_with_the_seconds_waited(fake: Fake) -> None:
    host = fake("touch down")
    with pytest.raises(OutsideFailed, match=r"node is not back [0-9]+ s after the reboot was asked for\n") as failed:
        reboot(host, 2)
    assert failed.value.hint.startswith("look at its console")
