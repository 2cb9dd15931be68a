"""The tools and headers that a configuration calls for beyond what every kernel is built with."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.config.kbuild import CLEAN
from mplskit.config.named_files import OWN_KEY
from mplskit.errors import MachineLacks


@dataclass(frozen=True)
class Tool:
    """A program, or a header in angle brackets, its Debian package, and the symbols that call for it where they are y.

    No symbols: every kernel does. `variable` is what the kernel's Makefile calls it by: `LZ4` is lz4c up to some 6.x.
    `named_in` is the file of the tree that calls it: a release whose file does not name it needs it no longer.
    """

    name: str
    package: str
    symbols: tuple[str, ...] = ()
    variable: str = ""
    named_in: str = ""


def _packer(name: str, package: str, variable: str, *suffixes: str) -> Tool:
    kinds = ("KERNEL", "MODULE_COMPRESS", "INITRAMFS_COMPRESSION")
    return Tool(name, package, tuple(f"{kind}_{suffix}" for kind in kinds for suffix in suffixes), variable)


SIGNING = ("MODULE_SIG", "MODULE_SIG_FORMAT", "SYSTEM_TRUSTED_KEYRING")
# What Kconfig itself looks for: where it is not here, the symbol cannot be had.
LOOKED_FOR = frozenset({"DEBUG_INFO_BTF", "RUST"})
RUST_SOURCES = "the sources of Rust's library"
OWN_KEY_MADE = "MODULE_SIG with a key that the build makes"
TOOLS = (
    # kernel/time/timeconst.bc
    Tool("bc", "bc", named_in="Kbuild"),
    _packer("gzip", "gzip", "KGZIP", "GZIP"),
    _packer("bzip2", "bzip2", "KBZIP2", "BZIP2"),
    _packer("lzma", "xz-utils", "LZMA", "LZMA"),
    _packer("xz", "xz-utils", "XZ", "XZ"),
    _packer("lzop", "lzop", "KLZOP", "LZO"),
    _packer("lz4", "lz4", "LZ4", "LZ4"),
    _packer("zstd", "zstd", "ZSTD", "ZSTD"),
    Tool("cpio", "cpio", ("IKHEADERS",), named_in="kernel/gen_kheaders.sh"),
    Tool("xz", "xz-utils", ("IKHEADERS",)),
    Tool("pahole", "pahole", ("DEBUG_INFO_BTF",), "PAHOLE"),
    Tool("rustc", "rustc", ("RUST",), "RUSTC"),
    Tool("bindgen", "bindgen", ("RUST",), "BINDGEN"),
    Tool(RUST_SOURCES, "rust-src", ("RUST",)),
    Tool("python3", "python3", ("DRM_MSM",), named_in="drivers/gpu/drm/msm/Makefile"),
    # drivers/scsi/aic7xxx/aicasm
    Tool("<db_185.h>", "libdb-dev", ("AIC7XXX_BUILD_FIRMWARE", "AIC79XX_BUILD_FIRMWARE")),
    # certs/extract-cert.c, scripts/sign-file.c
    Tool("<openssl/opensslv.h>", "libssl-dev", SIGNING),
    Tool("openssl", "openssl", (OWN_KEY_MADE,)),
    # tools/objtool, tools/bpf/resolve_btfids
    Tool("<gelf.h>", "libelf-dev", ("OBJTOOL", "STACK_VALIDATION", "UNWINDER_ORC", "DEBUG_INFO_BTF")),
    Tool("<zlib.h>", "zlib1g-dev", ("DEBUG_INFO_BTF",)),
    # scripts/gendwarfksyms
    Tool("<elfutils/libdwfl.h>", "libdw-dev", ("GENDWARFKSYMS",)),
)


@dataclass(frozen=True)
class Missing:
    """A tool that is not here, as the kernel calls it, and the symbols that call for it."""

    name: str
    package: str
    wanted_by: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}: for {', '.join(self.wanted_by) or 'every kernel'}"


def demand(config: Mapping[str, str], tree: Path) -> None:
    """Raise MachineLacks for the tools that a finished configuration calls for and this machine does not have."""
    wanted = {symbol for symbol, value in config.items() if value in ("y", "m")}
    if "MODULE_SIG" in wanted and config.get("MODULE_SIG_KEY", "").strip('"') == OWN_KEY:
        wanted.add(OWN_KEY_MADE)
    if missing := _missing(wanted, tree):
        raise _lacks(missing, "the build needs")


def demand_for(lost: set[str], detail: str) -> None:
    """Raise MachineLacks where symbols that were asked for and lost are those that Kconfig looks for a tool for."""
    if missing := [tool for tool in _missing(lost & LOOKED_FOR) if tool.wanted_by]:
        raise _lacks(missing, "what was asked needs", detail)


def _missing(wanted: set[str], tree: Path | None = None) -> list[Missing]:
    """What is not here of what these symbols, and every kernel, call for; in this tree, under the names that it has."""
    makefile = (tree / "Makefile").read_text(errors="replace") if tree else ""
    found = []
    for tool in TOOLS:
        by = tuple(symbol for symbol in tool.symbols if symbol in wanted)
        if (by or not tool.symbols) and _is_named(tool, tree) and not _is_here(name := _called(tool, makefile)):
            found.append(Missing(name, tool.package, by))
    return found


def _is_named(tool: Tool, tree: Path | None) -> bool:
    file = tree and tool.named_in and tree / tool.named_in
    return not file or (file.is_file() and tool.name in file.read_text(errors="replace").lower())


def _lacks(missing: Sequence[Missing], why: str, detail: str = "") -> MachineLacks:
    packages = " ".join(dict.fromkeys(tool.package for tool in missing))
    optional = any(tool.wanted_by for tool in missing)
    return MachineLacks(
        f"{why} what this machine lacks: {', '.join(dict.fromkeys(tool.name for tool in missing))}",
        detail="\n".join([*map(str, missing), *([detail] if detail else [])]),
        hint=f"apt-get install {packages}{', or leave out what calls for it' if optional else ''}; nothing was built",
    )


def _called(tool: Tool, makefile: str) -> str:
    found = tool.variable and re.search(rf"^{tool.variable}\s*[:?]?=\s*(\S+)", makefile, re.MULTILINE)
    return found[1] if found else tool.name


def _is_here(name: str) -> bool:
    if name == RUST_SOURCES:
        return _rust_sources_are_here()
    if not name.startswith("<"):
        return process.find(name) is not None
    argv = ["gcc", "-E", "-x", "c", "-o", "/dev/null", "-"]
    return process.run(argv, stdin=f"#include {name}\n".encode(), env=CLEAN, check=False).returncode == 0


def _rust_sources_are_here() -> bool:
    """Whether they lie where the kernel's Makefile looks (RUST_LIB_SRC)."""
    if process.find("rustc") is None:
        return False
    root = process.run(["rustc", "--print", "sysroot"], check=False).stdout.strip()
    library = os.environ.get("RUST_LIB_SRC") or f"{root}/lib/rustlib/src/rust/library"
    return Path(library, "core/src/lib.rs").is_file()
