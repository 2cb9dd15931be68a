"""What is known of a kernel that is judged, wherever it is: on a machine, in a file, in packages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mplskit.config.dotconfig import Odd, read
from mplskit.config.fragment import parse_config
from mplskit.config.machine_kernel import MachineKernel
from mplskit.remote.host import Host

_HEADER = re.compile(r"^# Linux/(\S+) (\S+) Kernel Configuration\r?$", re.MULTILINE)


@dataclass(frozen=True)
class Kernel:
    """`name` is what the user calls it; `release` its release or version, empty when nothing says it.

    `config` has the values of `config_from` by symbol, None where there is no configuration to be read. `modules` are
    the module files by module name, None where nobody has looked; `modules_from` says where they are. `elsewhere`
    names the package of a module that is not installed with this kernel; `absent_packages` belong to this kernel and
    were not looked at. `rebuild` are the flags of kernel.build for a kernel like this one, `bootstrap` the host for
    node.bootstrap, `distribution` a subject of kernel.audit that may be ready. `partial` says why the configuration is
    not whole, so that what is not in it is not known; `odd` are lines of it that the kernel passes over.
    """

    name: str
    release: str
    config: Mapping[str, str] | None = None
    config_from: str = ""
    modules: Mapping[str, str] | None = None
    modules_from: str = ""
    builtin: frozenset[str] = frozenset()
    loaded: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    absent_packages: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    other_kernels: tuple[str, ...] = ()
    system: str = ""
    rebuild: tuple[str, ...] = ()
    bootstrap: str = "HOST"
    distribution: str = ""
    partial: str = ""
    odd: tuple[Odd, ...] = ()

    @property
    def is_machine(self) -> bool:
        """Whether it runs, so that what is missing is missing on a disk."""
        return self.bootstrap != "HOST"


def of_machine(machine: MachineKernel, host: Host | None) -> Kernel:
    """The kernel that a machine runs."""
    there = ["--host", str(host)] if host else []
    if host and host.ssh_config:
        there += ["--ssh-config", str(host.ssh_config)]
    if host and host.become:
        there += ["--become", host.become]
    return Kernel(
        name=machine.name,
        release=machine.release,
        config=parse_config(machine.config) if machine.config else None,
        config_from=machine.config_from,
        modules=machine.module_files,
        modules_from=f"/lib/modules/{machine.release}",
        builtin=machine.builtin,
        loaded=machine.loaded,
        other_kernels=machine.other_kernels,
        system=machine.os.get("ID", ""),
        rebuild=("--base", "running", *there) if machine.config else ("--base", "debian"),
        bootstrap=str(host) if host else "localhost",
        distribution=_distribution(machine),
    )


def of_config(name: str, text: str, config_from: str = "") -> Kernel:
    """A kernel of which there is a configuration and nothing else."""
    config = read(text)
    return Kernel(name, release_in(text), config.set, config_from or name, partial=config.partial, odd=config.odd)


def release_in(config: str) -> str:
    """The version that a `.config` says in its third line, with its CONFIG_LOCALVERSION; empty when it does not."""
    found = _HEADER.search(config)
    local = parse_config(config).get("LOCALVERSION", "").strip('"')
    return found[2] + local if found else ""


def _distribution(machine: MachineKernel) -> str:
    """Debian's own kernel for a machine of Debian that runs another one; empty elsewhere."""
    suite = machine.os.get("VERSION_CODENAME", "")
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine.architecture, "")
    own = re.search(r"-(amd64|arm64)$", machine.release)
    wanted = machine.os.get("ID") == "debian" and suite and architecture and not own
    return f"debian:{suite}/linux-image-{architecture}" if wanted else ""
