"""How QEMU runs a guest here: by KVM when that was proven with the very kernel that is to be booted, else emulated.

A device node that opens proves nothing, and a few instructions that run do not either: where virtualisation is nested
badly, boot sectors run while kernels hang at their first steps. So the proof is that kernel itself, booted without a
disk: it must print that it cannot go on, and `panic=-1 -no-reboot` must then end QEMU.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from mplskit import process
from mplskit.errors import BuildFailed
from mplskit.files import digest_file, digest_of, write_atomically
from mplskit.vm import console
from mplskit.vm.qemu import QEMU, machine

DEVICE = Path("/dev/kvm")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
KVM = ("-accel", "kvm", "-cpu", "host")
TCG = ("-accel", "tcg,thread=multi", "-cpu", "max")
PATIENCE = 10.0
PANIC = "Kernel panic - not syncing"


@dataclass(frozen=True)
class Verdict:
    """Whether KVM can be used, and what was seen."""

    usable: bool
    reason: str


@dataclass(frozen=True)
class Accelerator:
    """What QEMU is told, and why."""

    name: str
    argv: tuple[str, ...]
    reason: str


def choose(kernel: Path, cache: Path, device: Path = DEVICE, argv: tuple[str, ...] = KVM) -> Accelerator:
    """KVM, which is `device` to us and `argv` to QEMU, if it boots this kernel, else TCG."""
    verdict = proven(kernel, cache, device, argv)
    return Accelerator("kvm" if verdict.usable else "tcg", argv if verdict.usable else TCG, verdict.reason)


def proven(kernel: Path, cache: Path, device: Path = DEVICE, argv: tuple[str, ...] = KVM) -> Verdict:
    """The verdict on KVM with this kernel, looked up in `cache` for as long as the machine and QEMU stay the same."""
    absent = unavailable(device)
    if absent:
        return Verdict(False, absent)
    version = process.run([QEMU, "--version"]).stdout
    key = digest_of([BOOT_ID.read_text(), version, digest_file(kernel), *argv])
    known = cache / "kvm" / f"{key}.json"
    try:
        return Verdict(**json.loads(known.read_text()))
    except (OSError, ValueError, TypeError):
        verdict = probe(kernel, argv)
        write_atomically(known, json.dumps(asdict(verdict)))
        return verdict


def unavailable(device: Path = DEVICE) -> str:
    """Why KVM cannot even be tried; empty when it can."""
    if process.find(QEMU) is None:
        return f"not probed: {QEMU} is not installed"
    if not device.exists():
        return f"no {device}"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"no permission to open {device}"
    return ""


def probe(kernel: Path, argv: tuple[str, ...] = KVM, patience: float = PATIENCE) -> Verdict:
    """Boot the kernel without a disk, for at most `patience` seconds, and see it say that it finds no root."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "console.log")
        boot = ["-m", "512", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1", "-serial", f"file:{log}"]
        try:
            ended = process.run([*machine(argv), *boot], timeout=patience, check=False)
        except BuildFailed:
            last = console.tail(log, 1)
            return Verdict(False, f"{kernel.name} hangs under KVM (no end after {patience:g} s; last seen: {last})")
        if ended.returncode != 0:
            words = ended.stderr.strip().splitlines()
            return Verdict(False, f"QEMU fails with KVM: {words[0] if words else f'exit {ended.returncode}'}")
        if PANIC not in console.plain(log.read_bytes()):
            return Verdict(False, f"{kernel.name} ended under KVM without a word on the console")
    return Verdict(True, f"{kernel.name} booted under KVM until it asked for its root")
