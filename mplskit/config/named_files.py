"""Options whose values name files that the kernel's build reads: where it looks for them, and what is wrong with them.

A path without / at its begin is one of the source tree (make's VPATH), unless a case below says otherwise.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from mplskit import files
from mplskit.config.fragment import Setting
from mplskit.errors import WrongInput
from mplskit.progress import note
from mplskit.sources.source_tree import SourceTree

# The kernel makes this one itself (certs/Makefile).
OWN_KEY = "certs/signing_key.pem"
FIRMWARE, FIRMWARE_DIR = "EXTRA_FIRMWARE", "EXTRA_FIRMWARE_DIR"
# What make and the shell take for something else than a part of a path.
_SPECIAL = re.compile(r"""[][\s:;#$%*?\\'"|&()<>`]""")
LARGEST_LIST = 1 << 20
_CERTIFICATE = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----")


class Kind(Enum):
    """How a value is read."""

    FILE = auto()
    FOLDER = auto()
    # Names below EXTRA_FIRMWARE_DIR, with blanks between (drivers/base/firmware_loader/builtin/Makefile).
    FIRMWARE = auto()
    # An archive, or lists and folders with blanks between (usr/Makefile).
    INITRAMFS = auto()
    # What `#include` finds (drivers/acpi/tables.c).
    INCLUDED = auto()


@dataclass(frozen=True)
class Named:
    """How an option names files, what a base is given instead of one that is not there, and what a file must hold."""

    kind: Kind = Kind.FILE
    instead: str = ""
    holds: tuple[tuple[re.Pattern[bytes], str], ...] = ()


NAMED = {
    "SYSTEM_TRUSTED_KEYS": Named(holds=((_CERTIFICATE, "certificate in PEM"),)),
    "SYSTEM_REVOCATION_KEYS": Named(holds=((_CERTIFICATE, "certificate in PEM"),)),
    "SYSTEM_BLACKLIST_HASH_LIST": Named(),
    "MODULE_SIG_KEY": Named(
        instead=OWN_KEY, holds=((_KEY, "private key in PEM"), (_CERTIFICATE, "certificate in PEM"))
    ),
    FIRMWARE: Named(Kind.FIRMWARE),
    "INITRAMFS_SOURCE": Named(Kind.INITRAMFS),
    "ACPI_CUSTOM_DSDT_FILE": Named(Kind.INCLUDED),
    "UNUSED_KSYMS_WHITELIST": Named(),
    "BOOT_CONFIG_EMBED_FILE": Named(),
    "CFG80211_EXTRA_REGDB_KEYDIR": Named(Kind.FOLDER),
    "IPE_BOOT_POLICY": Named(),
    "EFI_SBAT_FILE": Named(),
    "LOGO_LINUX_MONO_FILE": Named(instead="drivers/video/logo/logo_linux_mono.pbm"),
    "LOGO_LINUX_VGA16_FILE": Named(instead="drivers/video/logo/logo_linux_vga16.ppm"),
    "LOGO_LINUX_CLUT224_FILE": Named(instead="drivers/video/logo/logo_linux_clut224.ppm"),
}


@dataclass(frozen=True)
class Fault:
    """A file that an option names as `word`, where it was looked for, and why it cannot be taken."""

    symbol: str
    word: str
    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def settled(base: Mapping[str, str], called: str, asked: Sequence[Setting], tree: Path) -> list[Setting]:
    """Settings that take out of a base (its values, as `parse_config` has them) the files that are not there.

    Each is said. Raises WrongInput for those that the user asked for.
    """
    wanted = {setting.symbol: setting for setting in asked}
    config = {**base, **{symbol: setting.value for symbol, setting in wanted.items()}}
    found: dict[str, list[Fault]] = {}
    for fault in faults(config, tree):
        found.setdefault(fault.symbol, []).append(fault)
    by = {symbol: wanted.get(symbol) or (symbol == FIRMWARE and wanted.get(FIRMWARE_DIR)) for symbol in found}
    if blamed := {symbol: setting for symbol, setting in by.items() if setting}:
        raise _refused(found, blamed)
    return [_cleared(symbol, wrong, config, called) for symbol, wrong in found.items()]


def faults(config: Mapping[str, str], tree: Path) -> Iterator[Fault]:
    """The files that a configuration names and the build could not read."""
    for symbol, named in NAMED.items():
        for word, path in _paths(symbol, config, tree):
            if why := _why(word, path, named):
                yield Fault(symbol, word, path, why)


def contents(config: Mapping[str, str], source: SourceTree) -> dict[str, str]:
    """What the named files hold that lie outside the source tree, by path: digests, for the identity of a build."""
    named = [path for symbol in NAMED for _, path in _paths(symbol, config, source.path)]
    return {str(path): _digest(path) for path in named if path.exists() and not path.is_relative_to(source.path)}


def _digest(path: Path) -> str:
    if path.is_file():
        return files.digest_file(path)
    # A root file system may hold devices, and be large: what make itself looks at.
    inside = sorted(path.rglob("*"))
    return files.digest_of([(str(file), *_look(file.lstat())) for file in inside])


def _look(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_mode, stat.st_size, stat.st_mtime_ns


def _paths(symbol: str, config: Mapping[str, str], tree: Path) -> list[tuple[str, Path]]:
    """What a configuration names by this option: each word, and where the build will look for it."""
    value = _plain(config.get(symbol, ""))
    if not value or value == OWN_KEY or (symbol == "MODULE_SIG_KEY" and value.startswith("pkcs11:")):
        return []
    match NAMED[symbol].kind:
        case Kind.FIRMWARE:
            folder = tree / _plain(config.get(FIRMWARE_DIR, '"/lib/firmware"'))
            # Not joined as Path does: a word with / at its begin is below that folder as well.
            return [(word, Path(f"{folder}/{word}")) for word in value.split()]
        case Kind.INITRAMFS:
            # Where the archive is made, in the objects, make's VPATH does not count.
            words = value.split()
            whole = len(words) == 1 and re.search(r"\.cpio(\.[^/]*)?$", value)
            named = [(word, tree / word if whole else Path(word)) for word in words]
            return [*named, *([] if whole else [(word, Path(word)) for _, path in named for word in _listed(path)])]
        case Kind.INCLUDED:
            places = [tree / folder / value for folder in ("drivers/acpi", "include")]
            return [(value, next((place for place in places if place.exists()), places[-1]))]
        case _:
            return [(value, tree / value)]


def _listed(path: Path) -> list[str]:
    """The files that a list for the kernel's gen_init_cpio packs: `file NAME LOCATION MODE UID GID`."""
    if not path.is_file() or path.stat().st_size > LARGEST_LIST or not os.access(path, os.R_OK):
        return []
    rows = (line.split() for line in path.read_text(errors="replace").splitlines())
    return [row[2] for row in rows if len(row) > 2 and row[0] == "file" and "$" not in row[2]]


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value.removeprefix('"').removesuffix('"'))


def _why(word: str, path: Path, named: Named) -> str:
    """Why the build could not take this file; empty where it can."""
    if not path.is_absolute():
        return "what is packed into an initramfs is named by its whole path"
    given = str(path) if named.kind is Kind.FIRMWARE else word
    if named.kind is not Kind.INCLUDED and (special := _SPECIAL.search(given)):
        return f"make cannot take {special[0]!r} in a path"
    if not path.exists():
        packed = [path.with_name(path.name + end) for end in (".xz", ".zst") if named.kind is Kind.FIRMWARE]
        there = next((file for file in packed if file.exists()), None)
        return (
            f"only {there.name} is there, and it must be unpacked to be built in" if there else "there is no such file"
        )
    if path.is_dir() != (named.kind is Kind.FOLDER) and not (path.is_dir() and named.kind is Kind.INITRAMFS):
        return "it is a folder" if path.is_dir() else "it is no folder"
    if not os.access(path, os.R_OK):
        return "no permission to read it"
    text = path.read_bytes() if named.holds else b""
    absent = [what for pattern, what in named.holds if not pattern.search(text)]
    return f"there is no {' and no '.join(absent)} in it" if absent else ""


def _refused(found: Mapping[str, Sequence[Fault]], blamed: Mapping[str, Setting]) -> WrongInput:
    wrong = [fault for symbol in blamed for fault in found[symbol]]
    guessed = {Path(re.sub(r"^~(?=/)", str(Path.home()), fault.word)).absolute(): fault.path for fault in wrong}
    here = [path for path, looked_for in guessed.items() if path.exists() and path != looked_for]
    meant = f" (did you mean {', '.join(map(str, here))}?)" if here else ""
    return WrongInput(
        f"the kernel cannot be built with the files of {', '.join(blamed)}",
        detail="\n".join(f"{fault.symbol} ({blamed[fault.symbol].asked_by}): {fault}" for fault in wrong),
        hint=f"put them there, or give whole paths{meant}: others are those of the source tree, and EXTRA_FIRMWARE "
        "those of EXTRA_FIRMWARE_DIR; nothing was configured",
    )


def _cleared(symbol: str, wrong: Sequence[Fault], config: Mapping[str, str], called: str) -> Setting:
    value = config[symbol]
    absent = {fault.word for fault in wrong}
    kept = [word for word in _plain(value).split() if word not in absent] if symbol == FIRMWARE else []
    instead = '"' + (" ".join(kept) or NAMED[symbol].instead) + '"'
    said = "; ".join(map(str, wrong))
    note(f"! {symbol}={value} of the base: {said}; {instead} is taken")
    return Setting(symbol, instead, f"base {called}: {said}")
