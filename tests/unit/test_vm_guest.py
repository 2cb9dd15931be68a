from dataclasses import replace
from pathlib import Path

import pytest

from mplskit.errors import WrongInput
from mplskit.vm.acceleration import TCG, Accelerator
from mplskit.vm.guest import Guest, Plug, cards, command, direct_boot, disk
from mplskit.vm.hardware import hardware

EMULATED = Accelerator("tcg", TCG, "no /dev/kvm")


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    for name in ("disk", "vmlinuz", "key"):
        (tmp_path / name).write_bytes(b"QFI\xfb\0\0\0\3" if name == "disk" else b"")
    return Guest(disk=tmp_path / "disk", kernel=tmp_path / "vmlinuz", key=tmp_path / "key", append="quiet")


LINE = "root=/dev/vda rw console=ttyS0 no_timer_check panic=-1 systemd.crash_reboot=yes net.ifnames=0"


def test_the_command_is_the_whole_machine(guest: Guest, tmp_path: Path) -> None:
    assert command(guest, EMULATED, tmp_path / "console.log", 7) == [
        *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-smp", "2", "-m", "1024"),
        *("-kernel", f"{tmp_path}/vmlinuz"),
        *("-append", f"{LINE} quiet"),
        *("-drive", f"file={tmp_path}/disk,format=qcow2,if=none,id=root,snapshot=on,cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=root"),
        *("-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:0-:22", "-device", "virtio-net-pci,netdev=net,romfile="),
        *("-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"),
        *("-chardev", f"file,id=console,path={tmp_path}/console.log", "-serial", "chardev:console"),
        *("-chardev", "socket,id=qmp,fd=7", "-mon", "chardev=qmp,mode=control"),
    ]


def test_an_initramfs_is_loaded_where_there_is_one(guest: Guest) -> None:
    with_initrd = Guest(disk=guest.disk, kernel=guest.kernel, key=guest.key, initrd=Path("initrd"))
    assert direct_boot(with_initrd)[2:4] == ["-initrd", "initrd"]


def test_only_a_guest_that_persists_writes_to_its_disk(guest: Guest, tmp_path: Path) -> None:
    raw = tmp_path / "a,b.raw"
    raw.write_bytes(b"\0" * 512)
    persisting = Guest(disk=raw, kernel=guest.kernel, key=guest.key, persist=True)
    assert disk(persisting)[1] == f"file={tmp_path}/a,,b.raw,format=raw,if=none,id=root,snapshot=off"


def test_a_file_that_is_missing_is_named_before_qemu_starts(guest: Guest) -> None:
    guest.check()
    guest.kernel.unlink()
    with pytest.raises(WrongInput, match=f"no kernel {guest.kernel}"):
        guest.check()


def test_other_hosts_have_other_controllers_cards_and_names(guest: Guest, tmp_path: Path) -> None:
    line = command(replace(guest, hardware=hardware("vmware")), EMULATED, tmp_path / "console.log", 7)
    devices = [line[index + 1] for index, word in enumerate(line) if word == "-device"]
    assert devices[:3] == ["pvscsi,id=controller", "scsi-hd,bus=controller.0,drive=root", "vmxnet3,netdev=net,romfile="]
    assert line[line.index("-append") + 1].startswith("root=/dev/sda rw ")


def test_cables_are_sockets_that_qemu_inherits_and_cards_are_found_in_the_order_given(guest: Guest) -> None:
    plugs = (Plug(5, "02:00:00:00:00:01"), Plug(mac="02:00:00:00:00:02"), Plug(9, "02:00:00:00:00:03"))
    assert cards(replace(guest, plugs=plugs)) == [
        *("-netdev", "socket,id=link0,fd=5"),
        *("-device", "virtio-net-pci,netdev=link0,romfile=,mac=02:00:00:00:00:01"),
        *("-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:0-:22"),
        *("-device", "virtio-net-pci,netdev=net,romfile=,mac=02:00:00:00:00:02"),
        *("-netdev", "socket,id=link2,fd=9"),
        *("-device", "virtio-net-pci,netdev=link2,romfile=,mac=02:00:00:00:00:03"),
    ]


def test_a_command_line_that_the_kernel_would_cut_off_is_refused(guest: Guest) -> None:
    before = len(direct_boot(guest)[-1]) - len("quiet")
    replace(guest, append="x" * (2047 - before)).check()
    with pytest.raises(WrongInput, match=r"the kernel command line has 2048 characters; 2047 are allowed"):
        replace(guest, append="x" * (2048 - before)).check()


def test_a_host_that_nobody_knows_is_refused() -> None:
    with pytest.raises(WrongInput) as refused:
        hardware("xbox")
    assert refused.value.hint == "allowed: virtio, virtio-scsi, nvme, vmware, sata"
