"""100,000 label routes on a stock Debian node: applied, changed ten at a time, and kept by the keeper in its memory."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mplskit.remote.session import once
from mplskit.vm.guest import Guest
from mplskit.vm.machine import Machine, booted
from tests.worlds.checkout import invoke

pytestmark = pytest.mark.full

FIRST, MANY = 1000, 100_000
NODES = """\
defaults: {platform_labels: 101000, mpls_input: [core1]}
nodes:
  vm:
    routes:
"""
ROUTE = "      - {{swap: {}, as: [{}], via: 10.96.0.2, dev: core1}}\n"
# Of an emulated machine that is busy: a bootstrap takes 40 s there, and so does the keeper.
PATIENCE = 1200

SCRIPT = """\
export LC_ALL=C
up() { ip link add core1 type dummy && ip address add 10.96.0.1/16 dev core1 && ip link set core1 up; }
usable() { ip -o -f mpls route show proto 77 | grep -vc dead; }
awaited() { until [ "$(usable)" = "$1" ]; do sleep 1; done; }
keeper=/sys/fs/cgroup/system.slice/mplskit-routes.service
used() { sed -n 's/^usage_usec //p' $keeper/cpu.stat; }
# The keeper has heard of what happened, done it, and sleeps again.
settled() { until a=$(used); sleep 5; [ "$a" = "$(used)" ]; do :; done; }
"""


@dataclass(frozen=True)
class Node:
    """The node that is set up, and how it is reached."""

    machine: Machine
    nodes: Path

    def __call__(self, command: str) -> str:
        """What a command says on the node."""
        return once(self.machine.host, f". /root/script; {command}", timeout=PATIENCE).stdout

    def bootstrapped(self, changed: int) -> Any:
        """Set it up, `changed` of the labels swapped another way than at first: every item of the run."""
        routes = (ROUTE.format(FIRST + n, 500_000 + n + (n < changed)) for n in range(MANY))
        self.nodes.write_text(NODES + "".join(routes))
        config = str(self.machine.host.ssh_config)
        ran = invoke("node.bootstrap", "--inventory", str(self.nodes), "--ssh-config", config, "--json")
        assert ran.code == 0, ran.err
        return ran.json["nodes"][0]["items"]


def states(items: Any) -> Counter[str]:
    """How many routes there are of each state."""
    return Counter(item["state"] for item in items if item["kind"] == "route")


@pytest.fixture(scope="module")
def machine(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A machine with an interface where the labels lead."""
    folder = tmp_path_factory.mktemp("many")
    with booted(replace(stock_guest, memory=2048), folder) as running:
        once(running.host, "cat >/root/script; modprobe dummy", stdin=SCRIPT.encode())
        node = Node(running, folder / "nodes.yaml")
        node("up")
        yield node


@pytest.fixture(scope="module")
def first(machine: Node) -> Any:
    """The items of the run that set it up."""
    return machine.bootstrapped(0)


@pytest.fixture
def node(machine: Node, first: Any) -> Node:
    """The node, set up."""
    return machine


def test_all_of_them_are_applied(node: Node, first: Any) -> None:
    assert states(first) == {"changed": MANY}
    assert node("usable") == "100000\n"


def test_ten_that_are_changed_are_the_ten_that_are_touched(node: Node) -> None:
    node.bootstrapped(0)
    node("systemd-run --quiet --unit=touched -p StandardOutput=file:/root/touched ip -o monitor route; sleep 2")
    items = node.bootstrapped(10)
    assert states(items) == {"changed": 10, "same": MANY - 10}
    assert [item["name"] for item in items if item["kind"] == "route" and item["state"] == "changed"] == [
        f"label {FIRST + n}" for n in range(10)
    ]
    assert node("sleep 2; systemctl stop touched; grep -c ' as to ' /root/touched") == "10\n"
    assert node("ip -f mpls route show 1009 | cut -d ' ' -f 1-4; ip -f mpls route show 1010 | cut -d ' ' -f 1-4") == (
        "1009 as to 500010\n1010 as to 500010\n"
    )


@pytest.mark.parametrize(
    "act",
    ["ip link set core1 down; sleep 1; ip link set core1 up", "ip link delete core1; sleep 1; up"],
    ids=["a link that was down", "an interface made anew"],
)
def test_the_keeper_has_all_of_them_back_and_its_memory_was_enough(act: str, node: Node) -> None:
    assert node("systemctl show -p MemoryMax --value mplskit-routes; cat $keeper/memory.max") == (
        "268435456\n268435456\n"
    )
    node(f"{act}; awaited {MANY}; settled")
    assert node("usable; systemctl is-active mplskit-routes; systemctl show -p NRestarts mplskit-routes") == (
        "100000\nactive\nNRestarts=0\n"
    )
    assert node("grep oom_kill $keeper/memory.events") == "oom_kill 0\n"
    print(f"{act}: {int(node('cat $keeper/memory.peak')) >> 20} MiB at most")
