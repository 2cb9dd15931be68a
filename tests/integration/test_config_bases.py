"""Where a configuration starts: the kernel's default, a running kernel, Debian's own; on the real Kconfig."""

import json
import os
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.worlds.offered_linux import mplskit
from tests.worlds.sshd import Sshd

__all__ = ["mplskit"]


def configured(mplskit: CommandLine, *words: str | Path) -> tuple[str, list[str]]:
    """Where the configuration is from, and its lines."""
    done = mplskit("kernel.config", "--json", *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return told["from"], Path(told["config"]).read_text().splitlines()


def test_the_kernels_own_default_is_a_base(mplskit: CommandLine) -> None:
    origin, lines = configured(mplskit, "--base", "defconfig")
    assert origin == "make defconfig"
    assert "CONFIG_EFI_STUB=y" in lines and "CONFIG_MPLS_ROUTING=m" in lines


def test_debians_own_configuration_is_a_base_and_can_be_trimmed_to_the_modules_of_a_node(
    mplskit: CommandLine, tmp_path: Path
) -> None:
    origin, lines = configured(mplskit, "--base", "debian")
    assert origin.startswith("Debian package linux-config-")
    modules = [line for line in lines if line.endswith("=m")]
    assert len(modules) > 3000
    assert 'CONFIG_SYSTEM_TRUSTED_KEYS=""' in lines and "CONFIG_DEBUG_INFO_NONE=y" in lines
    listing = tmp_path / "lsmod"
    listing.write_text("Module                  Size  Used by\nvirtio_net 86016 0\next4 1 0\n")
    origin, lines = configured(mplskit, "--base", "debian", "--trim-to", listing, "--options", "lab")
    assert origin.endswith(f", trimmed to 2 modules of {listing}")
    kept = [line for line in lines if line.endswith("=m")]
    assert len(kept) < 100
    assert {"CONFIG_VIRTIO_NET=m", "CONFIG_EXT4_FS=m", "CONFIG_MPLS_ROUTING=m", "CONFIG_VETH=m"} <= set(kept)
    assert "CONFIG_E1000E=m" in modules and "CONFIG_E1000E=m" not in kept


def test_modules_of_the_guest_base_are_trimmed_too_and_what_is_asked_stays(
    mplskit: CommandLine, tmp_path: Path
) -> None:
    listing = tmp_path / "lsmod"
    listing.write_text("Module                  Size  Used by\nxfs 1 0\n")
    _, whole = configured(mplskit)
    done = mplskit("kernel.config", "--trim-to", listing, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    trimmed = Path(told["config"]).read_text().splitlines()
    rows = {row["symbol"]: (row["after"], row["reason"]) for row in told["base_lost"]}
    assert rows["BTRFS_FS"] == ("n", "trimmed away") and "XFS_FS" not in rows
    assert "! trimmed away: BTRFS_FS, OVERLAY_FS, SQUASHFS, for the root file system: " in done.stderr
    assert {"CONFIG_XFS_FS=m", "CONFIG_BTRFS_FS=m"} <= set(whole)
    assert "CONFIG_XFS_FS=m" in trimmed and "CONFIG_BTRFS_FS=m" not in trimmed
    assert {"CONFIG_MPLS_ROUTING=m", "CONFIG_MPLS_IPTUNNEL=m", "CONFIG_NET_MPLS_GSO=m"} <= set(trimmed)
    assert [line for line in trimmed if line.endswith(("=y", "=m")) and line not in whole] == []


def test_debug_information_of_a_file_is_left_out_unless_it_is_asked_for(mplskit: CommandLine, tmp_path: Path) -> None:
    wanted = ("--set", "DEBUG_INFO_DWARF5=y")
    _, lines = configured(mplskit, "--base", "defconfig", "--set", "DEBUG_KERNEL=y", *wanted)
    assert "CONFIG_DEBUG_INFO=y" in lines
    foreign = tmp_path / "config"
    foreign.write_text("\n".join([*lines, ""]))
    _, without = configured(mplskit, "--base", foreign)
    assert "CONFIG_DEBUG_INFO_NONE=y" in without and "CONFIG_DEBUG_INFO=y" not in without
    _, kept = configured(mplskit, "--base", foreign, *wanted)
    assert "CONFIG_DEBUG_INFO_DWARF5=y" in kept and "CONFIG_DEBUG_INFO=y" in kept


@pytest.mark.parametrize("where", ["this machine", "node"])
def test_a_running_kernel_is_a_base_here_or_over_ssh(mplskit: CommandLine, sshd: Sshd, where: str) -> None:
    config = sshd.host().ssh_config
    assert config is not None
    over = [] if where == "this machine" else ["--host", where, "--ssh-config", str(config)]
    done = mplskit("kernel.config", "--base", "running", *over, "--json")
    release = os.uname().release
    if Path("/proc/config.gz").exists() or Path(f"/boot/config-{release}").exists():
        assert json.loads(done.stdout)["from"].endswith(f" of {where}, which runs {release}"), done.stderr
    else:
        assert done.returncode == 1
        assert f"{where}: the configuration of its kernel {release} is nowhere to be read" in done.stderr
