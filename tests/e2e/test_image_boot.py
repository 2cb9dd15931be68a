"""Boots the image that the main job made, for real."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE

import pytest

from mplskit.errors import NotSo, OutsideFailed
from mplskit.image.boot import guest_of
from mplskit.image.image_record import Image, load_image
from mplskit.remote.host import Host
from mplskit.remote.session import shell
from mplskit.vm.hardware import KINDS
from mplskit.vm.machine import Machine, booted
from tests.worlds.checkout import ROOT, invoke, overlay


def test_the_image_boots_the_kernel_that_its_record_names(machine: Machine, image: Image) -> None:
    with shell(machine.host) as sh:
        assert sh.run(["uname", "-r"]).output == f"{image.release}\n"


def test_the_nodes_setup_is_there_after_the_first_boot(machine: Machine) -> None:
    with shell(machine.host) as sh:
        assert sh.run(["cat", "/proc/sys/net/mpls/platform_labels"]).output == "100000\n"


def test_root_has_no_password_and_nobody_logs_in_with_one(machine: Machine) -> None:
    with shell(machine.host) as sh:
        assert sh.run(["getent", "shadow", "root"]).output.startswith("root:*:")
        settings = sh.run(["sshd", "-T"]).output.splitlines()
    assert {"passwordauthentication no", "permitrootlogin without-password", "kbdinteractiveauthentication no"} <= set(
        settings
    )


def test_the_host_key_is_made_by_the_machine_itself(machine: Machine, image: Image) -> None:
    with shell(machine.host) as sh:
        assert sh.run(["sh", "-c", "ls /etc/ssh/ssh_host_*"]).output.split() == [
            "/etc/ssh/ssh_host_ed25519_key",
            "/etc/ssh/ssh_host_ed25519_key.pub",
        ]
    found = subprocess.run(["debugfs", "-R", "ls -p /etc/ssh", image.raw], capture_output=True, text=True, check=True)
    assert "ssh_host" not in found.stdout


def test_a_key_that_is_not_the_images_is_refused(machine: Machine, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    assert machine.host.ssh_config is not None
    config = machine.host.ssh_config.read_text()
    line = next(line for line in config.splitlines() if "IdentityFile" in line)
    (tmp_path / "config").write_text(config.replace(line, f"  IdentityFile {tmp_path / 'key'}"))
    with pytest.raises(OutsideFailed, match="ssh to vm failed"), shell(Host("vm", ssh_config=tmp_path / "config")):
        pass


def test_a_guest_that_panics_is_told_at_once_with_its_last_words(image: Image, tmp_path: Path) -> None:
    guest = replace(guest_of(image, 1024, 2, append="root=/dev/nonexistent"), initrd=None)
    with pytest.raises(NotSo) as ended, booted(guest, tmp_path):
        pass
    assert ended.value.message == "the guest ended before it answered by SSH"
    assert "Kernel panic - not syncing" in (tmp_path / "console.log").read_text(errors="replace")


def test_what_a_guest_writes_is_gone_unless_it_persists(image: Image, tmp_path: Path) -> None:
    before = image.qcow2.stat().st_mtime_ns
    guest = replace(guest_of(image, 1024, 2), disk=overlay(image.qcow2, tmp_path / "disk.qcow2"))
    marks = []
    for name, persist in (("one", False), ("two", True), ("three", False)):
        with booted(replace(guest, persist=persist), tmp_path / name) as running, shell(running.host) as sh:
            sh.run(["touch", f"/root/mark-{name}"])
            marks.append(sh.run(["sh", "-c", "cd /root && echo mark-*"]).output.split())
        assert "reboot: Power down" in (tmp_path / name / "console.log").read_text(errors="replace")
    assert marks == [["mark-one"], ["mark-two"], ["mark-three", "mark-two"]]
    assert image.qcow2.stat().st_mtime_ns == before


def test_image_boot_says_how_to_reach_it_and_ends_cleanly_on_sigterm(image: Image, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "invoke", "image.boot", "--image", str(image.raw.with_suffix(".json")), "--json"]
    words = tmp_path / "stderr"
    with (
        words.open("w") as stderr,
        subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=stderr, text=True) as running,
    ):
        assert running.stdout is not None
        document = ""
        for line in running.stdout:
            document += line
            if line == "}\n":
                break
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(timeout=120)
        finally:
            running.kill()
    assert (running.returncode, document[-2:]) == (0, "}\n"), words.read_text()
    report = json.loads(document)
    assert report["ssh"].endswith("/ssh_config vm")
    assert "reboot: Power down" in Path(report["console"]).read_text(errors="replace")


@pytest.mark.full
def test_an_image_boots_a_kernel_of_another_suite_than_its_own(tmp_path: Path) -> None:
    flags = ("--kernel", "debian:trixie", "--iproute2", "stock", "--name", "newer", "--bare")
    ran = invoke("image.build", "--suite", "bookworm", *flags, "--json")
    assert ran.code == 0, ran.err
    with booted(guest_of(load_image(ROOT / "dist" / "newer.json"), 1024, 2), tmp_path) as machine:
        with shell(machine.host) as sh:
            assert sh.run(["uname", "-r"]).output.startswith("6.12.")
            assert sh.run(["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"]).output == "bookworm\n"


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in KINDS if name != "virtio"])
def test_the_image_boots_on_other_hosts_hardware(image: Image, tmp_path: Path, name: str) -> None:
    guest = replace(guest_of(image, 1024, 2), hardware=KINDS[name])
    with booted(guest, tmp_path) as machine, shell(machine.host) as sh:
        assert sh.run(["findmnt", "-no", "SOURCE", "/"]).output == f"{KINDS[name].root}\n"
        driver = sh.run(["readlink", "/sys/class/net/eth0/device/driver"]).output.strip()
    assert driver.rpartition("/")[2] == {"virtio-net-pci": "virtio_net"}.get(KINDS[name].card, KINDS[name].card)
