"""Asks whether KVM really runs a guest here: a device node that opens proves nothing."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.errors import BuildFailed

# A boot sector: mov dx,0xf4; mov al,0x10; out dx,al; hlt; jmp $-1. QEMU's isa-debug-exit device on port 0xf4 ends
# QEMU with (value << 1) | 1, so 0x21 says that a guest instruction was executed.
BOOT_SECTOR = (bytes([0xBA, 0xF4, 0x00, 0xB0, 0x10, 0xEE, 0xF4, 0xEB, 0xFD]).ljust(510, b"\0")) + b"\x55\xaa"
EXECUTED = 0x21
PATIENCE = 8.0


@dataclass(frozen=True)
class Kvm:
    """The verdict, and what was seen."""

    usable: bool
    reason: str


def probe_kvm(device: Path = Path("/dev/kvm"), accelerator: str = "kvm") -> Kvm:
    """Boot a few bytes and see that they run; takes up to 8 s where KVM hangs, less than one where it works."""
    if not device.exists():
        return Kvm(False, f"no {device}")
    if not os.access(device, os.R_OK | os.W_OK):
        return Kvm(False, f"no permission to open {device}")
    qemu = process.find("qemu-system-x86_64")
    if qemu is None:
        return Kvm(False, "not probed: qemu-system-x86_64 is not installed")
    with tempfile.TemporaryDirectory() as folder:
        sector = Path(folder, "sector.raw")
        sector.write_bytes(BOOT_SECTOR)
        argv = [
            *(
                qemu,
                "-accel",
                accelerator,
                "-m",
                "16",
                "-display",
                "none",
                "-nodefaults",
                "-no-user-config",
                "-no-reboot",
            ),
            *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"),
            *("-drive", f"file={sector},format=raw,if=ide,readonly=off"),
        ]
        try:
            ended = process.run(argv, timeout=PATIENCE, check=False)
        except BuildFailed:
            return Kvm(False, f"{device} opens, but a guest hangs")
    if ended.returncode == EXECUTED:
        return Kvm(True, "a guest ran")
    return Kvm(
        False, ended.stderr.strip().splitlines()[-1] if ended.stderr.strip() else f"QEMU ended with {ended.returncode}"
    )
