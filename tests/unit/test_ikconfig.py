import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mplskit import process
from mplskit.config import ikconfig
from mplskit.config.ikconfig import as_text, configuration_in, is_kernel, kernel_of_uki, packed_by
from mplskit.errors import MachineLacks
from tests.worlds.kernel_packages import bzimage

CONFIG = "#\n# Linux/x86 6.12.1 Kernel Configuration\n#\nCONFIG_MPLS=y\n# CONFIG_LWTUNNEL is not set\n"
# What is between the code and the marks: bytes that do not compress, and some that begin as streams do.
NOISE = (
    os.urandom(100_000) + b"\x1f\x8b\x08\x00BZh91AY&SY\xfd7zXZ\0\x28\xb5\x2f\xfd\x02\x21\x4c\x18IKCFG_ST" + b"\0" * 5000
)
VMLINUX = b"\x7fELF" + NOISE + b"IKCFG_ST" + gzip.compress(CONFIG.encode()) + b"IKCFG_ED" + NOISE


def through(*argv: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        if shutil.which(argv[0]) is None:
            pytest.skip(f"{argv[0]} is not installed (./run test installs it)")
        with process.started(argv, stdin=-1) as child:
            return child.communicate(content)[0]

    return pack


# As scripts/Makefile.lib of the kernel packs: lz4 in its legacy format, lzma without a container.
PACKED = {
    "gzip": gzip.compress,
    "xz": lambda content: lzma.compress(content, check=lzma.CHECK_CRC32),
    "lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": through("zstd", "-qc"),
    "lz4": through("lz4", "-qlc"),
    "lzo": through("lzop", "-qc"),
}


@pytest.mark.parametrize("packing", PACKED)
def test_a_configuration_is_found_in_a_kernel_packed_by(packing: str) -> None:
    packed = PACKED[packing](VMLINUX)
    boot = b"MZ" + os.urandom(0x200) + b"HdrS" + os.urandom(17_000)
    assert configuration_in(boot + packed + len(VMLINUX).to_bytes(4, "little") + b"\0" * 4096) == CONFIG


def zboot(name: bytes, payload: bytes) -> bytes:
    """An EFI image with a packed payload, which names how it is packed."""
    return b"MZ\0\0zimg" + b"\0" * 16 + name.ljust(32, b"\0") + b"\0" * 200 + payload


def uki(**sections: bytes) -> bytes:
    """A unified kernel image: a PE file with these sections."""
    rows, content, begin = b"", b"", 0x40 + 24 + 40 * len(sections)
    for name, section in sections.items():
        place = (begin + len(content)).to_bytes(4, "little")
        rows += f".{name}".encode().ljust(8, b"\0") + bytes(8) + len(section).to_bytes(4, "little") + place + bytes(16)
        content += section
    head = b"MZ".ljust(0x3C, b"\0") + (0x40).to_bytes(4, "little") + b"PE\0\0" + b"\x64\x86"
    return head + len(sections).to_bytes(2, "little") + bytes(16) + rows + content


@pytest.mark.parametrize(
    ("image", "packing"),
    [
        (bzimage(b"\x37\x11\x22\x33 and on"), "what begins with 37 11 22 33"),
        (bzimage(gzip.compress(VMLINUX)), ""),
        (bzimage(VMLINUX), ""),
        (zboot(b"snappy", b"\xff\x06"), "snappy"),
        (zboot(b"zstd22", b"\x28\xb5\x2f\xfd"), ""),
        (b"\0" * 0x202 + b"HdrS", ""),
        (VMLINUX, ""),
    ],
    ids=["unknown", "gzip", "not packed", "zboot of something", "zboot of zstd", "stub", "vmlinux"],
)
def test_a_packing_that_is_not_known_is_named(image: bytes, packing: str) -> None:
    assert packed_by(image) == packing


@pytest.mark.parametrize("packing", ["gzip", "zstd", "xz"])
def test_a_configuration_is_found_in_a_zboot_image(packing: str) -> None:
    assert configuration_in(zboot(packing.encode(), PACKED[packing](VMLINUX))) == CONFIG


def test_a_configuration_is_found_in_the_kernel_of_a_unified_image_and_not_beside_it() -> None:
    other = VMLINUX.replace(gzip.compress(CONFIG.encode()), gzip.compress(b"CONFIG_OTHER=y\n"))
    image = uki(osrel=b"ID=debian", initrd=gzip.compress(other), linux=bzimage(gzip.compress(VMLINUX)))
    assert configuration_in(kernel_of_uki(image)) == CONFIG
    for not_one in (zboot(b"gzip", b""), b"MZ", VMLINUX, uki(text=b"code"), image[:100]):
        assert kernel_of_uki(not_one) == not_one


def test_an_image_gz_of_arm64_is_looked_into() -> None:
    assert configuration_in(gzip.compress(b"\0" * 0x38 + b"ARM\x64" + NOISE + VMLINUX[4:])) == CONFIG


def test_a_configuration_is_found_in_a_vmlinux_and_in_configs_ko() -> None:
    assert configuration_in(VMLINUX) == CONFIG


def test_a_disk_image_with_a_kernel_in_it_is_none() -> None:
    assert configuration_in(b"QFI\xfb" + VMLINUX) is None


@pytest.mark.parametrize("packing", ["gzip", "xz", "zstd"])
def test_a_packed_configuration_is_one(packing: str) -> None:
    assert configuration_in(PACKED[packing](CONFIG.encode())) == CONFIG


def test_a_kernel_without_a_configuration_has_none() -> None:
    image = b"\0" * 0x202 + b"HdrS" + gzip.compress(b"\x7fELF" + b"IKCFG_ST" + NOISE)
    assert configuration_in(image) is None
    assert is_kernel(image)


@pytest.mark.parametrize("packing", ["gzip", "xz", "zstd"])
def test_half_a_configuration_is_none(packing: str) -> None:
    packed = PACKED[packing]("".join(f"CONFIG_{os.urandom(8).hex()}=y\n" for _ in range(1000)).encode())
    assert configuration_in(packed[: len(packed) // 2]) is None
    assert configuration_in(b"\x7fELFIKCFG_ST" + packed[: len(packed) // 2]) is None


def test_a_stream_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ikconfig, "LIMIT", 1 << 20)
    assert configuration_in(gzip.compress(b"\0" * (64 << 20) + VMLINUX)) is None


@pytest.mark.parametrize("packing", ["zstd", "lz4"])
def test_a_program_whose_output_never_ends_is_given_up(packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = PACKED[packing](b"\0" * (64 << 20) + VMLINUX)
    monkeypatch.setattr(ikconfig, "LIMIT", 1 << 20)
    [unpack] = [known.unpack for known in ikconfig.PACKINGS if known.name == packing]
    unpacked = unpack(stream)
    assert (len(unpacked.content), unpacked.whole) == ((1 << 20) + 1, False)
    assert configuration_in(stream) is None


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = PACKED["zstd"](VMLINUX)
    monkeypatch.setattr(process, "find", lambda program: None)
    with pytest.raises(MachineLacks) as failed:
        configuration_in(packed)
    assert failed.value.message == "this machine lacks zstd"


@pytest.mark.parametrize(
    "image",
    [
        b"\0" * 0x38 + b"ARM\x64",
        b"\0" * 0x24 + b"\x18\x28\x6f\x01",
        b"MZ\0\0zimg",
        b"\x27\x05\x19\x56",
        b"\x7fELF...Linux version 6.1 (gcc)",
    ],
)
def test_kernels_of_other_machines_are_known(image: bytes) -> None:
    assert is_kernel(image)


@pytest.mark.parametrize("image", [b"", b"\x7fELF a program", b"MZ a program", b"CONFIG_MPLS=y\n"])
def test_other_files_are_no_kernels(image: bytes) -> None:
    assert not is_kernel(image)


@pytest.mark.parametrize("text", ["", "MPLS=y\n", "CONFIG_\n", "a CONFIG_MPLS=y\n", "CONFIG_MPLS=y\0\n"])
def test_other_text_is_no_configuration(text: str) -> None:
    assert as_text(text.encode()) is None


@settings(max_examples=200)
@given(st.binary())
def test_any_bytes_are_looked_through(content: bytes) -> None:
    assert configuration_in(content) is None or b"CONFIG_" in content


@settings(max_examples=50)
@given(
    st.binary(),
    st.sampled_from(
        [b"\x1f\x8b\x08\0", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x5d\0\0\x10\0" + b"\xff" * 8, b"IKCFG_ST\x1f\x8b\x08"]
    ),
)
def test_any_bytes_after_the_beginning_of_a_stream_are_looked_through(content: bytes, begin: bytes) -> None:
    assert configuration_in(begin + content) is None
    assert configuration_in(b"\x7fELF" + begin + content) is None


@given(st.binary(max_size=100), st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_configuration_comes_out_as_it_went_in(noise: bytes, text: str) -> None:
    config = f"CONFIG_A=y\n{text}"
    assert (
        configuration_in(b"\x7fELF" + noise.replace(b"IKCFG", b"") + b"IKCFG_ST" + gzip.compress(config.encode()))
        == config
    )
