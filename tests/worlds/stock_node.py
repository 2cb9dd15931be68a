"""A running VM of a stock Debian that is set up by its inventory, and all that can be seen of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mplskit.remote.session import once
from mplskit.vm.machine import Guest, Machine, booted
from tests.worlds.checkout import Ran, invoke, overlay

# Files with their modes, owners, sizes and what is in them. Folders of systemd's and of apt's change by themselves, and
# so does what the keeper counts.
TREE = r"""
look() {
    find /etc /usr/local /root /var/lib /run/mplskit \
        \( -path '/var/lib/systemd' -o -path '/var/lib/apt' -o -path '/var/lib/dpkg' -o -path /root/.ssh \
        -o -path /run/mplskit/starts \) -prune -o "$@" 2>/dev/null | sort
}
look -printf '%p %y %m %u %g %l\n'; look -type f -exec sha256sum {} +"""
# What counts by itself: counters, states of random, and what other interfaces' neighbours and dentries do.
SYSCTLS = r"""
sysctl -a 2>/dev/null | grep -Ev '^(fs\.(dentry-state|file-nr|inode-|quota|aio-nr)|kernel\.(random|ns_last_pid|pty\.nr|\
tainted|sched_domain)|net\.netfilter\.nf_conntrack_count|vm\.stat_refresh)' | sort"""
# The kernel makes its own routes of IPv6 by itself, some seconds after a boot.
ROUTES = """
ip -N -4 route show table all | sort; ip -N -6 route show table all | grep -Ev 'expires|proto 2 '; ip -f mpls route"""
ADDRESSES = "ip -o address show dev lo; lsmod | grep -o '^mpls[^ ]*' | sort; systemctl list-unit-files | grep mplskit"


@dataclass(frozen=True)
class Node:
    """A node, its inventory, and what there was to see on it before it was set up."""

    machine: Machine
    nodes: Path

    def on(self, command: str) -> str:
        """What a command says on the node."""
        return once(self.machine.host, f"{command}; true", timeout=600).stdout

    def seen(self) -> dict[str, str]:
        """Files, sysctls, routes and addresses of the node, as text."""
        return {name: self.on(command) for name, command in LOOKS.items()}

    def task(self, name: str, nodes: str) -> Ran:
        """A task of ours with an inventory."""
        self.nodes.write_text(nodes)
        config = str(self.machine.host.ssh_config)
        return invoke(name, "--inventory", str(self.nodes), "--ssh-config", config, "--json")


LOOKS = {"files": TREE, "sysctls": SYSCTLS, "routes": ROUTES, "more": ADDRESSES}


def changes(ran: Ran) -> set[tuple[str, str]]:
    """KIND and NAME of what a run changed, or would have."""
    items: Any = ran.json["nodes"][0]["items"]
    return {(item["kind"], item["name"]) for item in items if item["state"] == "changed"}


@pytest.fixture
def node(stock_guest: Guest, tmp_path: Path) -> Iterator[Node]:
    guest = replace(stock_guest, disk=overlay(stock_guest.disk, tmp_path / "disk.qcow2"), persist=True)
    with booted(guest, tmp_path / "vm") as machine:
        yield Node(machine, tmp_path / "nodes.yaml")
