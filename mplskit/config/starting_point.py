"""What a configuration starts from: nothing, the kernel's own default, Debian's, a running kernel's, or a file."""

from dataclasses import dataclass
from pathlib import Path

from mplskit.config import architecture
from mplskit.config.config_request import Base, Start
from mplskit.config.dotconfig import read
from mplskit.config.fragment import Setting, read_fragment
from mplskit.config.machine_kernel import MachineKernel, read_machine
from mplskit.errors import NotSo
from mplskit.progress import note
from mplskit.sources.debian_config import kernel_config
from mplskit.sources.source_tree import SourceTree


@dataclass(frozen=True)
class StartingPoint:
    """A whole `.config`, or (text None) the make target that writes one; then `settings` of the base's fragment.

    `origin` says where it is from.
    """

    origin: str
    text: str | None
    settings: tuple[Setting, ...]


def starting_point(base: Base, source: SourceTree, cache: Path) -> StartingPoint:
    """Find what the base stands for, for this source.

    Raises OutsideFailed (mirror, host), NotSo (the running kernel's configuration is nowhere to be read).
    """
    over = tuple(read_fragment(base.fragment, f"bases/{base.name}.config")) if base.fragment else ()
    match base.start:
        case Start.NOTHING | Start.DEFCONFIG:
            return StartingPoint(f"make {base.start}", None, over)
        case Start.DEBIAN:
            text, origin = kernel_config(source, cache)
        case Start.RUNNING:
            text, origin = running(read_machine(base.host))
        case Start.FILE:
            text, origin = base.text, str(base.file)
    _check(text, source.path, base.name)
    return StartingPoint(origin, text, over)


def _check(text: str, tree: Path, called: str) -> None:
    """Tell what the kernel will pass over, and what it makes whole. Raises WrongInput for another architecture."""
    config = read(text)
    said = architecture.architecture_in(text)
    named = [said] if said else architecture.architectures_by_tree(config.values, tree)
    architecture.demand(named, f"the base {called}")
    for line in config.remarks(called, "the rest is as this kernel has it by default"):
        note(f"! {line}")


def running(machine: MachineKernel) -> tuple[str, str]:
    """The configuration of a machine's running kernel, and where it was read. Raises NotSo when it is nowhere."""
    if machine.config is None:
        raise NotSo(
            f"{machine.name}: the configuration of its kernel {machine.release} is nowhere to be read",
            detail=f"looked at: /proc/config.gz, /boot/config-{machine.release}, /lib/modules/{machine.release}/config",
            hint="a kernel shows it with IKCONFIG_PROC=y, and packages bring it in /boot; or give the file as --base",
        )
    return machine.config, f"{machine.config_from} of {machine.name}, which runs {machine.release}"
