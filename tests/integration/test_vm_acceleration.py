import json
import struct
from pathlib import Path

import pytest

from mplskit import process
from mplskit.vm.acceleration import TCG, choose, probe, unavailable

pytestmark = pytest.mark.skipif(process.find("qemu-system-x86_64") is None, reason="QEMU is not installed")

LOAD = 0x100000
SPEAK_AND_RESET = "Kernel panic - not syncing: VFS: Unable to mount root fs\n"


def kernel(path: Path, words: str, resets: bool = True) -> Path:
    """A few instructions that QEMU loads like a kernel: write words to the first serial port, then reset or hang."""
    header = struct.Struct("<8I")
    text = LOAD + header.size + 64
    speak = b"\xbe" + struct.pack("<I", text)  # mov esi, text
    speak += b"\xba\xf8\x03\x00\x00"  # mov edx, 0x3f8
    speak += b"\xac\x84\xc0\x74\x03\xee\xeb\xf8"  # again: lodsb; test al, al; jz on; out dx, al; jmp again
    reset = b"\x0f\x01\x1d" + struct.pack("<I", text + len(words)) + b"\xcc"  # lidt [zeros]; int3: a triple fault
    code = (speak + (reset if resets else b"\xeb\xfe")).ljust(64, b"\x90")
    magic, flags = 0x1BADB002, 0x00010000  # Multiboot, with load addresses in the header
    start = header.pack(magic, flags, -(magic + flags) & 0xFFFFFFFF, LOAD, LOAD, 0, 0, LOAD + header.size)
    path.write_bytes(start + code + words.encode() + b"\0" * 16)
    return path


def test_a_kernel_that_asks_for_its_root_and_resets_is_the_proof(tmp_path: Path) -> None:
    verdict = probe(kernel(tmp_path / "vmlinuz", SPEAK_AND_RESET), TCG)
    assert (verdict.usable, verdict.reason) == (True, "vmlinuz booted under KVM until it asked for its root")


def test_a_kernel_that_resets_without_a_word_proves_nothing(tmp_path: Path) -> None:
    verdict = probe(kernel(tmp_path / "vmlinuz", ""), TCG)
    assert (verdict.usable, verdict.reason) == (False, "vmlinuz ended under KVM without a word on the console")


def test_a_kernel_that_hangs_is_given_up_with_what_it_said_last(tmp_path: Path) -> None:
    verdict = probe(kernel(tmp_path / "vmlinuz", "Booting\nLinux version 6.1\n", resets=False), TCG, patience=1.0)
    assert not verdict.usable
    assert verdict.reason == "vmlinuz hangs under KVM (no end after 1 s; last seen: Linux version 6.1)"


def test_a_qemu_that_refuses_is_quoted(tmp_path: Path) -> None:
    verdict = probe(kernel(tmp_path / "vmlinuz", ""), ("-accel", "nonesuch"))
    assert not verdict.usable
    assert verdict.reason.startswith("QEMU fails with KVM: qemu-system-x86_64: ")


def test_a_machine_without_the_device_is_not_probed(tmp_path: Path) -> None:
    assert unavailable(tmp_path / "kvm") == f"no {tmp_path}/kvm"


def test_a_verdict_is_paid_for_once(tmp_path: Path) -> None:
    device, cache = tmp_path / "kvm", tmp_path / "cache"
    device.touch()
    boots = kernel(tmp_path / "vmlinuz", SPEAK_AND_RESET)
    assert choose(boots, cache, device, TCG).name == "kvm"
    [known] = (cache / "kvm").iterdir()
    known.write_text(json.dumps({"usable": False, "reason": "remembered"}))
    again = choose(boots, cache, device, TCG)
    assert (again.name, again.reason) == ("tcg", "remembered")
    assert again.argv == ("-accel", "tcg,thread=multi", "-cpu", "max")
    another = kernel(tmp_path / "vmlinuz", "")
    assert choose(another, cache, device, TCG).reason == "vmlinuz ended under KVM without a word on the console"
