"""Leaves out of a configuration the modules that a node does not use: localmodconfig's idea, with our own facts."""

import re
from collections.abc import Callable
from pathlib import Path

from mplskit.config.machine import MachineKernel, read_machine
from mplskit.errors import WrongInput
from mplskit.remote.host import Host


def modules_of(node: Host | Path) -> frozenset[str]:
    """The modules that a node has loaded or lists to be loaded, or those of a file as lsmod prints it.

    Raises WrongInput when there are none; OutsideFailed for a node that cannot be reached.
    """
    found = parse_lsmod(node.read_text()) if isinstance(node, Path) else _used(read_machine(node))
    if not found:
        raise WrongInput(f"--trim-to {node}: no module is in use or listed there, so nothing can be kept")
    return found


def parse_lsmod(text: str) -> frozenset[str]:
    """The names in what lsmod or /proc/modules show, one at the beginning of each line."""
    names = (line.split()[0] for line in text.splitlines() if line.strip())
    return frozenset(name.replace("-", "_") for name in names if re.fullmatch(r"[\w-]+", name) and name != "Module")


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
