"""A source tree as every later part receives it."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.sources.arch_folders import own_arch_folder

# The files without which no kernel tree configures, from the kernel's own top-level Makefile.
KERNEL_FILES = ("Makefile", "Kconfig", "Kbuild", "scripts/kconfig/Makefile")


@dataclass(frozen=True)
class SourceTree:
    """An unpacked tree. `digest` is the SHA-256 (hex) of what it was unpacked from, or of the tree itself."""

    name: str
    version: str
    spec: str
    origin: str
    digest: str
    path: Path

    def as_json(self) -> dict[str, object]:
        """The tree as metadata.json records it."""
        return asdict(self)


def kernel_version(tree: Path, called: str) -> str:
    """The version in a kernel tree's Makefile, such as `6.1.192`. Raises WrongInput if it is no (clean) kernel.

    `called` is what the user knows the tree as: it may lie in a cache, or be gone when the error is read.
    """
    missing = [name for name in KERNEL_FILES if not (tree / name).is_file()]
    if missing:
        raise WrongInput(
            f"{called} is not a Linux source tree: it has no {missing[0]}",
            hint="give the folder that holds the kernel's top-level Makefile, or an archive of it",
        )
    text = (tree / "Makefile").read_text(errors="replace")
    parts = [_variable(text, name) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    if not all(part.isdigit() for part in parts):
        raise WrongInput(
            f"{called} is not a Linux source tree: its Makefile states no VERSION, PATCHLEVEL and SUBLEVEL"
        )
    _demand_clean(tree, called)
    return ".".join(parts) + _variable(text, "EXTRAVERSION")


def _demand_clean(tree: Path, called: str) -> None:
    """Raise WrongInput where the kernel would refuse to build out of tree, for what its `outputmakefile` looks at."""
    generated = f"arch/{own_arch_folder().partition(' ')[0]}/include/generated"
    left = [name for name in (".config", "include/config", generated) if (tree / name).exists()]
    if left:
        raise WrongInput(
            f"{called}: the tree has been built in ({', '.join(left)}), and an out-of-tree build would refuse it",
            hint="`make mrproper` in that tree cleans it, and takes its .config away (mplskit never writes to it)",
        )


def iproute2_version(tree: Path, called: str) -> str:
    """The version in an iproute2 tree's include/version.h (since 5.8), such as `6.1.0`.

    The archives of 5.8.0, 5.9.0 and 5.10.0 state the version before. Raises WrongInput if it is no iproute2; `called`
    is what the user knows the tree as.
    """
    header = tree / "include" / "version.h"
    found = re.search(r'^static const char version\[\] = "([^"]+)";', header.read_text()) if header.is_file() else None
    if not found or not (tree / "ip" / "iproute.c").is_file():
        raise WrongInput(
            f"{called} is not an iproute2 source tree of 5.8 or later: it has no include/version.h with a version",
            hint="give the folder that holds iproute2's top-level Makefile, or an archive of it",
        )
    return found[1]


def _variable(makefile: str, name: str) -> str:
    found = re.search(rf"^{name} *= *(.*)$", makefile, re.MULTILINE)
    return found[1].strip() if found else ""
