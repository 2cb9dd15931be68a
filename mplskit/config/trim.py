"""Leaves out of a configuration the modules that a node does not use: localmodconfig's idea, with our own facts."""

import re
from collections.abc import Callable
from pathlib import Path

from mplskit.config.machine_kernel import MachineKernel, read_machine
from mplskit.errors import WrongInput
from mplskit.remote.host import Host

_LINE = re.compile(r"([A-Za-z0-9_-]+)[ \t]+[0-9]+[ \t]+[0-9]+(?:[ \t].*)?$")


def modules_of(node: Host | Path) -> frozenset[str]:
    """The modules that a node has loaded or lists to be loaded, or those of a file as lsmod prints it.

    Raises WrongInput when there are none; OutsideFailed for a node that cannot be reached.
    """
    found = _in_file(node) if isinstance(node, Path) else _used(read_machine(node))
    if not found:
        raise WrongInput(f"--trim-to {node}: no module is in use or listed there, so nothing can be kept")
    return found


def parse_lsmod(text: str) -> frozenset[str]:
    """The names in what lsmod or /proc/modules show: `NAME SIZE USERS …`. Raises ValueError for other lines."""
    names = set()
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.match(line)
        if found:
            names.add(found[1].replace("-", "_"))
        elif line.strip() and not line.startswith("Module"):
            raise ValueError(f"line {number} is {line[:60]!r}")
    return frozenset(names)


def _in_file(path: Path) -> frozenset[str]:
    try:
        return parse_lsmod(path.read_text())
    except ValueError as error:
        # Not text, too, is a ValueError: of it only the kind is told.
        detail = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise WrongInput(
            f"--trim-to {path}: not what lsmod prints", detail=detail, hint="`lsmod > FILE` on the node makes one"
        ) from None


def trim(config: Path, modules: frozenset[str], make: Callable[..., None]) -> None:
    """Let the kernel's own localmodconfig reduce `config`, which is complete, to these modules.

    `make` runs make with a target, more environment and an input.
    """
    listing = config.with_name("lsmod")
    listing.write_text("Module Size Used by\n" + "".join(f"{name} 0 0\n" for name in sorted(modules)))
    # Its last step asks for what has become open: an empty line takes the default.
    make("localmodconfig", {"LSMOD": str(listing)}, b"\n" * 10000)


def _used(machine: MachineKernel) -> frozenset[str]:
    return machine.loaded | machine.listed
