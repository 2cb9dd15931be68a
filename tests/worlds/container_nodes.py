"""Nodes as containers in one VM (see container_nodes.sh), reached through it as a jump host."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.remote.host import Host
from mplskit.remote.session import once

SCRIPT = Path(__file__).with_suffix(".sh")


@dataclass(frozen=True)
class Fleet:
    """Nodes of a VM; `ssh_config` knows them as node-NUMBER, and has the VM as their jump host."""

    vm: Host
    ssh_config: Path

    def tell(self, what: str, numbers: Sequence[int]) -> None:
        """Start, stop or wipe nodes, or say what they are like: `dead`, `slow`, `sleepy`, `full`, `room`, `cut`."""
        words = ["exec", "sh", "-s", what, *map(str, numbers)]
        once(self.vm, process.quote(words), stdin=SCRIPT.read_bytes(), timeout=300)

    def on(self, number: int, command: str) -> str:
        """What a command says on a node."""
        host = Host(f"node-{number}", ssh_config=self.ssh_config)
        return once(host, command, timeout=120).stdout


@contextmanager
def fleet_of(vm: Host, folder: Path, numbers: Sequence[int]) -> Iterator[Fleet]:
    """The nodes of a running VM; `folder` gets their ssh_config.

    One connection to the VM, open as long as the block, carries the sessions with all of them.
    """
    assert vm.ssh_config is not None
    key = next(line for line in vm.ssh_config.read_text().splitlines() if "IdentityFile" in line)
    nodes = "".join(f"Host node-{number}\n  HostName 10.32.0.{100 + number}\n" for number in numbers)
    config = folder / "ssh_config"
    config.write_text(
        f"{nodes}Host node-*\n  User root\n  ProxyJump {vm.name}\n{key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile none\n"
        f"  StrictHostKeyChecking accept-new\n  LogLevel ERROR\n"
        f"Host {vm.name}\n  ControlMaster auto\n  ControlPath {folder}/jump\n  ControlPersist yes\n"
        f"Include {vm.ssh_config}\n"
    )
    # mplskit itself shares no connection: this one is of its own, before the sessions come all at once.
    # A master that goes to the background keeps its output open: a file, and no pipe that somebody waits for.
    ssh = ["ssh", "-F", str(config)]
    process.run([*ssh, vm.name, "true"], log=folder / "ssh.log")
    try:
        yield Fleet(vm, config)
    finally:
        process.run([*ssh, "-O", "exit", vm.name], check=False, log=folder / "ssh.log")
