"""What a machine says of its kernel, read in one go by machine.sh: of this machine, or of a host over SSH."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.remote.host import Host
from mplskit.remote.session import stream

PATIENCE = 600.0

SCRIPT = Path(__file__).with_name("machine.sh")


@dataclass(frozen=True)
class MachineKernel:
    """What a machine says of the kernel that it runs; `name` is the host, or `this machine`.

    `config` is the text of `config_from` (/proc/config.gz, /boot/config-…, /lib/modules/…/config), or None where there
    is none. Modules go by their names with `_` for `-`: those loaded; those listed to be loaded at boot; `module_files`
    with their paths below /lib/modules/RELEASE; those built in. `other_kernels` are the releases, not the running one,
    that have mpls_router on disk. `os` holds the fields of /etc/os-release.
    """

    name: str
    release: str
    architecture: str
    config: str | None
    config_from: str
    loaded: frozenset[str]
    listed: frozenset[str]
    module_files: Mapping[str, str]
    builtin: frozenset[str]
    other_kernels: tuple[str, ...] = ()
    os: Mapping[str, str] = field(default_factory=dict)


def read_machine(host: Host | None) -> MachineKernel:
    """Ask `host`, or this machine; no root is needed, nothing is changed.

    Raises OutsideFailed when the host cannot be reached, or is no Linux machine with a POSIX shell.
    """
    if host is None:
        done = process.run(["sh"], stdin=SCRIPT.read_bytes(), timeout=PATIENCE, failure=OutsideFailed)
        return parse("this machine", done.stdout.split("\n"), done.stderr)
    lines: list[str] = []
    _, words = stream(host, "exec sh", [SCRIPT.read_bytes()], lines.append, PATIENCE)
    return parse(str(host), lines, words)


def parse(name: str, lines: Iterable[str], stderr: str = "") -> MachineKernel:
    """What machine.sh has said, as values; lines of other form (a login message) are passed over.

    Raises OutsideFailed when it did not come to its end, or not on Linux.
    """
    said: dict[str, list[str]] = {}
    other = []
    for line in lines:
        kind, tab, rest = line.rstrip("\r").partition("\t")
        if tab:
            said.setdefault(kind, []).append(rest)
        else:
            other.append(line)
    system, release = (said.get(kind, [""])[0] for kind in ("system", "release"))
    if system not in ("Linux", ""):
        raise OutsideFailed(f"{name} runs {system}, not Linux")
    if not (system and release and "end" in said):
        detail = [line for line in [*other, *stderr.strip().splitlines()] if line.strip()]
        raise OutsideFailed(
            f"{name} did not answer as a Linux machine with a POSIX shell does",
            detail="\n".join(detail[-process.TAIL_LINES :]),
            hint="a login that runs a command of its own (a menu, a restricted shell) cannot be asked",
        )
    config = "\n".join(said.get("config", []))
    routers = [path.removeprefix("/lib/modules/").partition("/")[0] for path in said.get("router", [])]
    return MachineKernel(
        name=name,
        release=release,
        architecture=said.get("architecture", [""])[0],
        config=f"{config}\n" if config else None,
        config_from=said.get("config_from", [""])[0],
        loaded=_names(said.get("loaded", [])),
        listed=_names(said.get("listed", [])),
        module_files={module_name(path): path.removeprefix("./") for path in said.get("file", []) if is_module(path)},
        builtin=frozenset(module_name(path) for path in said.get("builtin", []) if is_module(path)),
        other_kernels=tuple(sorted({found for found in routers if found != release})),
        os={key: value.strip("\"'") for key, _, value in (line.partition("=") for line in said.get("os", []))},
    )


def is_module(path: str) -> bool:
    """Whether a path is that of a module, compressed or not."""
    return path.endswith((".ko", ".ko.xz", ".ko.zst", ".ko.gz"))


def module_name(path: str) -> str:
    """The name by which the kernel knows the module in a file: `kernel/net/mpls/mpls_router.ko.xz` -> mpls_router."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def _names(lines: Iterable[str]) -> frozenset[str]:
    """The first word of each line that is no comment."""
    words = (line.split()[0] for line in lines if line.strip() and line.strip()[0] not in "#;")
    return frozenset(word.replace("-", "_") for word in words)
