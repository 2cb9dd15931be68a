"""Finds the configuration that a kernel carries inside itself (CONFIG_IKCONFIG=y), however it is compressed.

The layout is that of the kernel's kernel/configs.c: a gzip stream between two marks, in an image that the boot code
unpacks. So the image is looked for its marks, then for compressed streams with the marks in them.
"""

import bz2
import lzma
import mmap
import os
import re
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mplskit import process
from mplskit.config.dotconfig import Word, lines
from mplskit.errors import MachineLacks

Image = bytes | mmap.mmap

BEGIN = b"IKCFG_ST"
GZIP = b"\x1f\x8b\x08"
# No packed kernel unpacks to more; a stream that does is none. A vmlinux with debug information is larger.
LIMIT = 1 << 28
# Each is tried this often, at most: bytes that look like its beginning are elsewhere, too.
TRIES = 16
STEP = 1 << 16

# What a kernel begins with, at which offset: x86 (bzImage), arm64 and RISC-V (Image), EFI with a payload, ARM (zImage),
# U-Boot.
SIGNS = (
    (0x202, b"HdrS"),
    (0x38, b"ARM\x64"),
    (0x38, b"RSC\x05"),
    (4, b"zimg"),
    (0x24, b"\x18\x28\x6f\x01"),
    (0, b"\x27\x05\x19\x56"),
)
ELF, PE = b"\x7fELF", b"MZ"


@dataclass(frozen=True)
class Unpacked:
    """What came out of a stream, and whether that is all of it."""

    content: bytes
    whole: bool


@dataclass(frozen=True)
class Packing:
    """A way to compress a kernel: how its streams begin (a regular expression), and what unpacks one."""

    name: str
    begins: re.Pattern[bytes]
    unpack: Callable[[bytes], "Unpacked"]


def configuration_in(image: Image) -> str | None:
    """The text of the configuration inside a vmlinuz, vmlinux, Image.gz, configs.ko or config.gz; None where none is.

    A file that begins as none of these do is not looked through: a disk image holds kernels, and is none.
    Raises MachineLacks when the program for its compression is not there.
    """
    if not (is_kernel(image) or image[:4] == ELF or image[:2] == PE or any(p.begins.match(image) for p in PACKINGS)):
        return None
    found = _between_marks(image)
    if not isinstance(image, bytes) or len(image) > LIMIT:
        return found
    lacking: MachineLacks | None = None
    for packing in PACKINGS:
        for stream in _streams(image, packing):
            if found is not None:
                break
            try:
                unpacked = packing.unpack(stream)
            except MachineLacks as error:
                lacking = lacking or error
                break
            found = _between_marks(unpacked.content)
            if found is None and stream is image and unpacked.whole:
                found = as_text(unpacked.content)
    if found is None and lacking:
        raise lacking
    return found


def packed_by(image: Image) -> str:
    """How a kernel is packed that is none of PACKINGS, as far as it says; else empty."""
    if image[4:8] == b"zimg":
        # EFI's compressed images name it (drivers/firmware/efi/libstub/zboot-header.S).
        name = image[0x18:0x38].split(b"\0")[0].decode("ascii", "replace")
        return "" if name.startswith(tuple(packing.name for packing in PACKINGS)) else name
    if image[0x202:0x206] != b"HdrS" or len(image) < 0x250:
        return ""
    # Documentation/arch/x86/boot.rst: the payload, from the end of the part that sets up.
    begin = ((image[0x1F1] or 4) + 1) * 512 + int.from_bytes(image[0x248:0x24C], "little")
    payload = image[begin : begin + 16]
    known = payload[:4] == ELF or any(packing.begins.match(payload) for packing in PACKINGS)
    return "" if known or not payload.strip(b"\0") else f"what begins with {payload[:4].hex(' ')}"


def kernel_of_uki(image: Image) -> Image:
    """The kernel in the section .linux of a unified kernel image (systemd's UAPI.5); any other file as it is."""
    if image[:2] != PE:
        return image
    header = int.from_bytes(image[0x3C:0x40], "little")
    if image[header : header + 4] != b"PE\0\0":
        return image
    count, optional = (int.from_bytes(image[header + at : header + at + 2], "little") for at in (6, 20))
    for number in range(count):
        row = header + 24 + optional + 40 * number
        if image[row : row + 8] == b".linux\0\0":
            size, begin = (int.from_bytes(image[row + at : row + at + 4], "little") for at in (16, 20))
            return image[begin : begin + size]
    return image


def is_kernel(image: Image) -> bool:
    """Whether a file begins as kernels do, or is a vmlinux."""
    begins = any(image[offset : offset + len(sign)] == sign for offset, sign in SIGNS)
    return begins or (image[:4] == ELF and image.find(b"Linux version ") >= 0)


def as_text(content: bytes) -> str | None:
    """A configuration that is plain text; None for anything else. Bytes that are no UTF-8 survive in it."""
    if b"\0" in content:
        return None
    text = content.decode(errors="surrogateescape")
    return text if any(isinstance(line, Word) for line in lines(text)) else None


def _between_marks(content: Image) -> str | None:
    for mark in re.finditer(BEGIN + re.escape(GZIP), content):
        config = _gunzip(content, mark.start() + len(BEGIN))
        text = as_text(config.content)
        if config.whole and text is not None:
            return text
    return None


def _streams(image: bytes, packing: Packing) -> Iterator[bytes]:
    for number, begin in enumerate(packing.begins.finditer(image)):
        if number == TRIES:
            break
        yield image[begin.start() :] if begin.start() else image


def _gunzip(image: Image, begin: int = 0) -> Unpacked:
    return _unpacked(zlib.decompressobj(31), image, begin)


def _unpacked(
    unpacker: "zlib._Decompress | lzma.LZMADecompressor | bz2.BZ2Decompressor", image: Image, begin: int = 0
) -> Unpacked:
    """What comes out of the stream that begins there until it ends, breaks or grows beyond LIMIT."""
    content = bytearray()
    try:
        for start in range(begin, len(image), STEP):
            content += unpacker.decompress(image[start : start + STEP])
            if unpacker.eof or len(content) > LIMIT:
                break
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError):
        pass
    return Unpacked(bytes(content), unpacker.eof)


def _by_program(*argv: str, package: str) -> Callable[[bytes], Unpacked]:
    """Unpacks by a program, up to LIMIT. It fails when something comes after the stream, as in a kernel."""

    def unpack(stream: bytes) -> Unpacked:
        process.require(argv[0], package=package)
        with os.fdopen(os.memfd_create("stream"), "w+b") as file:
            file.write(stream)
            file.seek(0)
            with process.started(argv, stdin=file, stderr=subprocess.DEVNULL) as child:
                assert child.stdout
                content = child.stdout.read(LIMIT + 1)
                return Unpacked(content, len(content) <= LIMIT and child.wait() == 0)

    return unpack


PACKINGS = (
    Packing("gzip", re.compile(rb"\x1f\x8b\x08[\x00-\x1f]"), _gunzip),
    Packing("xz", re.compile(rb"\xfd7zXZ\0"), lambda s: _unpacked(lzma.LZMADecompressor(lzma.FORMAT_XZ), s)),
    Packing("zstd", re.compile(rb"\x28\xb5\x2f\xfd"), _by_program("zstd", "-qdc", package="zstd")),
    Packing("lz4", re.compile(rb"\x02\x21\x4c\x18"), _by_program("lz4", "-qdc", package="lz4")),
    Packing("lzo", re.compile(rb"\x89LZO\0\r\n\x1a\n"), _by_program("lzop", "-qdc", package="lzop")),
    Packing("bzip2", re.compile(rb"BZh[1-9]1AY&SY"), lambda s: _unpacked(bz2.BZ2Decompressor(), s)),
    # lc/lp/pb as all make them, a dictionary of 64 KiB to 64 MiB, and a size that is unknown or below 4 GiB.
    Packing(
        "lzma",
        re.compile(rb"\x5d\0\0[\0-\x80][\0-\x04](?:\xff{8}|.{4}\0{4})", re.DOTALL),
        lambda s: _unpacked(lzma.LZMADecompressor(lzma.FORMAT_ALONE), s),
    ),
)
