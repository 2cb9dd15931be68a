"""kernel.audit of a machine: here and over a real SSH session, with kernels, modules and files of a namespace's own."""

import gzip
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from mplskit.config.machine_kernel import read_machine
from mplskit.errors import OutsideFailed
from tests.command_line import CommandLine
from tests.worlds.kernel_packages import MPLS, PLAIN, config, modules
from tests.worlds.sshd import Sshd

RELEASE = "6.8.0-50-generic"
# What a machine has instead of this one's: the folder's etc, boot, modules and proc; uname says another release.
GROUND = """\
set -e
folder=$1
shift
mount --bind "$folder/boot" /boot
mkdir -p "$folder/layer"
mount -t tmpfs none "$folder/layer"
mkdir "$folder/layer/upper" "$folder/layer/work"
mount -t overlay -o "lowerdir=/lib,upperdir=$folder/layer/upper,workdir=$folder/layer/work" none /lib
mkdir -p /lib/modules
mount --bind "$folder/modules" /lib/modules
mount --bind "$folder/os-release" /etc/os-release
mount --bind "$folder/proc" /proc
PATH=$folder/bin:$PATH
set +e
"""
CONTAINED = ("unshare", "--map-root-user", "--mount", "sh")


@dataclass(frozen=True)
class Machine:
    """A pretended machine in `folder`; commands run in it by the script `enter`."""

    folder: Path

    @property
    def enter(self) -> Path:
        return self.folder / "enter"

    def have(self, *, boot: str = "", proc: str = "", files: Mapping[str, str] | None = None, loaded: str = "") -> None:
        """Give it a configuration in /boot or in /proc, files below /lib/modules, and loaded modules."""
        for name in ("boot", "modules", "bin", "proc"):
            (self.folder / name).mkdir()
        if boot:
            (self.folder / "boot" / f"config-{RELEASE}").write_text(boot)
        for path, content in (files or {}).items():
            target = self.folder / "modules" / path.removeprefix("lib/modules/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        if proc:
            (self.folder / "proc" / "config.gz").write_bytes(gzip.compress(proc.encode()))
        (self.folder / "os-release").write_text('ID=ubuntu\nVERSION_CODENAME="noble"\n')
        (self.folder / "proc" / "modules").write_text(loaded)
        (self.folder / "bin" / "uname").write_text(
            f'#!/bin/sh\ncase $1 in -r) echo {RELEASE};; *) exec /usr/bin/uname "$@";; esac\n'
        )
        (self.folder / "bin" / "uname").chmod(0o755)
        self.enter.write_text(GROUND + 'exec "$@"\n')


@pytest.fixture
def pretended(tmp_path: Path) -> Machine:
    folder = tmp_path / "machine"
    folder.mkdir()
    if process.run([*CONTAINED, "-c", "mount -t tmpfs none /mnt"], check=False).returncode != 0:
        pytest.skip("this machine gives no user and mount namespaces to us")
    return Machine(folder)


def audit_here(machine: Machine, *words: str) -> "subprocess.CompletedProcess[str]":
    return CommandLine(machine.folder, prefix=(*CONTAINED, str(machine.enter), str(machine.folder)))(
        "kernel.audit", *words
    )


def whole() -> dict[str, str]:
    builtin = {f"lib/modules/{RELEASE}/modules.builtin": "kernel/net/mpls/mpls_gso.ko\n"}
    return {**modules(RELEASE, [*PLAIN, *MPLS]), **builtin}


def test_a_machine_with_everything_is_ready(pretended: Machine) -> None:
    pretended.have(boot=config(), files=whole())
    ended = audit_here(pretended)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"this machine: kernel {RELEASE}; configuration: /boot/config-{RELEASE}\n")
    assert ended.stdout.endswith("MPLS-ready, nothing to build: ./run node.bootstrap --host localhost\n")


def test_a_machine_without_its_extra_modules_is_told_where_ubuntu_has_them(pretended: Machine) -> None:
    pretended.have(boot=config(), files=modules(RELEASE, PLAIN))
    ended = audit_here(pretended)
    assert ended.returncode == 1
    assert "no mpls_router in /lib/modules/6.8.0-50-generic" in ended.stdout
    assert ended.stderr == (
        "mplskit: error: this machine is not MPLS-ready: transit, edge\n"
        f"hint: install linux-modules-extra-{RELEASE}, where Ubuntu has mpls_router, mpls_iptunnel\n"
    )


def test_a_machine_that_was_upgraded_and_not_rebooted_is_to_be(pretended: Machine) -> None:
    pretended.have(boot=config(), files=modules("6.8.0-51-generic", MPLS))
    ended = audit_here(pretended)
    assert ended.returncode == 1
    assert "hint: boot a kernel that is whole on this machine (6.8.0-51-generic): " in ended.stderr


def test_the_running_kernel_knows_its_configuration_better_than_boot_does(pretended: Machine) -> None:
    pretended.have(boot=config(), proc=config(NET_MPLS_GSO="n"), files=whole())
    document = json.loads(audit_here(pretended, "--json").stdout)
    assert (document["config_from"], document["ready"]) == ("/proc/config.gz", False)
    assert [f["feature"] for f in document["features"] if f["verdict"] != "ready"] == ["gso"]


def test_a_kernel_that_was_built_without_mpls_is_told_to_be_built_though_nothing_has_its_configuration(
    pretended: Machine,
) -> None:
    builtin = {f"lib/modules/{RELEASE}/modules.builtin": "kernel/fs/ext4/ext4.ko\n"}
    pretended.have(files={**modules(RELEASE, PLAIN), **builtin})
    ended = audit_here(pretended)
    assert ended.returncode == 1
    assert f"no mpls_router in /lib/modules/{RELEASE}, nor built in" in ended.stdout
    assert ended.stderr == (
        "mplskit: error: this machine is not MPLS-ready: transit, edge, gso\n"
        "hint: ./run kernel.build --base debian, then ./run node.bootstrap --host localhost --packages dist\n"
    )


def test_a_container_that_shows_nothing_but_loaded_modules_is_judged_by_them(pretended: Machine) -> None:
    names = ("mpls_router", "mpls_iptunnel", "mpls_gso")
    pretended.have(loaded="".join(f"{name} 20480 0 - Live 0x0000000000000000\n" for name in names))
    ended = audit_here(pretended)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "mpls_router is loaded" in ended.stdout
    assert "as mpls_iptunnel shows" in ended.stdout


def test_a_host_is_judged_over_ssh(sshd: Sshd, pretended: Machine) -> None:
    pretended.have(boot=config(), files=whole(), loaded="mpls_router 40960 0 - Live 0x0000000000000000\n")
    pretended.enter.write_text(GROUND + 'echo "Mind the gap."\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    key = sshd.folder / f"key-{pretended.folder.parent.name}"
    sshd.login(key, f"exec {process.quote([*CONTAINED, pretended.enter, pretended.folder])}")
    host = sshd.host(key=key.name)
    assert read_machine(host).loaded == {"mpls_router"}
    ended = CommandLine(pretended.folder)("kernel.audit", "--host", "node", "--ssh-config", str(host.ssh_config))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"node: kernel {RELEASE}; configuration: /boot/config-{RELEASE}\n")
    assert ended.stdout.endswith("MPLS-ready, nothing to build: ./run node.bootstrap --host node\n")


def test_a_host_without_a_shell_is_told(sshd: Sshd) -> None:
    sshd.login(sshd.folder / "menu-key", "echo No shell here.")
    with pytest.raises(OutsideFailed) as failed:
        read_machine(sshd.host(key="menu-key"))
    assert failed.value.message == "node did not answer as a Linux machine with a POSIX shell does"
    assert "No shell here." in failed.value.detail.splitlines()
