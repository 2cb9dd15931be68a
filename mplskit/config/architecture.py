"""Which architecture a configuration is for: mplskit builds for the machine's own."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mplskit.config.dotconfig import read
from mplskit.config.kbuild import CLEAN, OF_MAKE
from mplskit.errors import WrongInput
from mplskit.progress import note
from mplskit.sources.arch_folders import X86_32, folder_of, own_arch_folder

_HEADER = re.compile(r"^# Linux/(\S+) \S+ Kernel Configuration\r?$", re.MULTILINE)
# The symbol that an architecture's Kconfig sets for itself; by the names of the folders in arch/.
OF_SYMBOL = {
    "ALPHA": "alpha",
    "ARC": "arc",
    "ARM": "arm",
    "ARM64": "arm64",
    "CSKY": "csky",
    "HEXAGON": "hexagon",
    "IA64": "ia64",
    "LOONGARCH": "loongarch",
    "M68K": "m68k",
    "MICROBLAZE": "microblaze",
    "MIPS": "mips",
    "NIOS2": "nios2",
    "OPENRISC": "openrisc",
    "PARISC": "parisc",
    "PPC": "powerpc",
    "RISCV": "riscv",
    "S390": "s390",
    "SPARC": "sparc",
    "SUPERH": "sh",
    "X86": "x86",
    "X86_32": X86_32,
    "XTENSA": "xtensa",
    "UML": "um",
}
_DEFINED = re.compile(r"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)


def architecture_in(text: str) -> str:
    """The architecture that a configuration says itself; empty for one that does not, as a savedefconfig."""
    values = read(text).values
    named = [name for symbol, name in OF_SYMBOL.items() if values.get(symbol) == "y"]
    if named:
        return named[-1]
    header = _HEADER.search(text)
    found = folder_of(header[1]) if header else ""
    return X86_32 if found == "x86" and values.get("64BIT") == "n" else found


def architectures_by_tree(values: Mapping[str, str], tree: Path) -> list[str]:
    """The architectures whose symbols a configuration names most, of those in this tree; none where it names none.

    More than one, where they share the symbols (ARCH_ROCKCHIP is one of arm and of arm64): the likeliest comes first.
    """
    defined = {file.parent.name: _symbols(file.parent) & values.keys() for file in sorted(tree.glob("arch/*/Kconfig"))}
    common = set.intersection(*defined.values()) if defined else set()
    scores = {name: len(symbols - common) for name, symbols in defined.items()}
    most = max(scores.values(), default=0)
    best = [name for name, score in scores.items() if most and score == most]
    if best == ["x86"] and values.get("64BIT") == "n":
        return [X86_32]
    # A longer name is a later architecture: arm64 before arm.
    return [own_arch_folder()] if own_arch_folder() in best else sorted(best, key=len, reverse=True)


def _symbols(folder: Path) -> set[str]:
    found: set[str] = set()
    for root, _, names in os.walk(folder):
        for name in names:
            if name.startswith("Kconfig"):
                found.update(_DEFINED.findall(Path(root, name).read_text(errors="replace")))
    return found


def demand_environment() -> None:
    """Name what the environment says to the kernel's build and is not taken.

    Raises WrongInput where it asks for another architecture.
    """
    for name in ("ARCH", "SUBARCH", "CROSS_COMPILE"):
        value = os.environ.get(name, "")
        asked = folder_of(Path(value).name.partition("-")[0] if name == "CROSS_COMPILE" else value)
        if value and asked != own_arch_folder() and (name != "CROSS_COMPILE" or asked in OF_SYMBOL.values()):
            raise WrongInput(
                f"{name}={value} in the environment: kernels are built here for {own_arch_folder()}",
                hint=f"unset {name}, or build on a machine of {asked}",
            )
    others = [f"{name}={os.environ[name]}" for name in CLEAN if os.environ.get(name) and name not in OF_MAKE]
    if others:
        note(f"! in the environment and not taken: {', '.join(others)}")


def demand(architectures: Sequence[str], what: str) -> None:
    """Raise WrongInput where `what` is for other architectures than this machine's."""
    if architectures and own_arch_folder() not in architectures:
        named = " or ".join(architectures)
        raise WrongInput(
            f"{what} is for {named}, and kernels are built here for {own_arch_folder()}",
            detail="its options for other processors and boards would be lost without a word",
            hint=f"give a configuration for {own_arch_folder()}, or build on a machine of {named}",
        )
