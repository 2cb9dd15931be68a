"""32 nodes as containers in one VM: what ails some of them is told of them, and keeps no other from being set up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mplskit.image.boot import guest_of
from mplskit.image.image_record import Image
from mplskit.vm.machine import booted
from tests.worlds.checkout import Ran, invoke
from tests.worlds.container_nodes import Fleet, fleet_of

# The quick tier has nodes that ail in the same ways over a real sshd; these take minutes of a slow machine.
pytestmark = pytest.mark.full

NUMBERS = range(1, 33)
AILING = {"dead": (3, 17), "slow": (5, 18, 29), "sleepy": (8, 24), "full": (11, 23), "cut": (14, 31)}
UNDONE = {3, 17, 11, 23, 14, 31}


@pytest.fixture(scope="module")
def fleet(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """All of them, started, and some of them ailing."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "vm").mkdir()
    with booted(guest_of(image, memory=2048, cpus=2), folder / "vm") as machine:
        with fleet_of(machine.host, folder, NUMBERS) as nodes:
            for kind, numbers in AILING.items():
                nodes.tell(kind, numbers)
            nodes.tell("start", NUMBERS)
            yield nodes


@pytest.fixture(scope="module")
def inventory(fleet: Fleet) -> Path:
    """Pairs: each pushes the label that the other one pops."""
    text = "defaults: {user: root, platform_labels: 1000, mpls_input: [eth0]}\nnodes:\n"
    for number in NUMBERS:
        other = number + 1 if number % 2 else number - 1
        text += (
            f"  node-{number}:\n    loopbacks: [10.33.0.{number}/32]\n    routes:\n"
            f"      - {{push: [{100 + other}], to: 10.33.0.{other}/32, via: 10.32.0.{100 + other}}}\n"
            f"      - {{pop: {100 + number}, dev: lo}}\n"
        )
    path = fleet.ssh_config.with_name("nodes.yaml")
    path.write_text(text)
    return path


def bootstrap(fleet: Fleet, inventory: Path, *words: str) -> Ran:
    # Eight at a time: two emulated CPUs shake no more hands in the ten seconds that ssh has for it.
    where = ["--inventory", str(inventory), "--ssh-config", str(fleet.ssh_config)]
    return invoke("node.bootstrap", *where, "--parallel", "8", "--json", *words)


def states(ran: Ran) -> dict[int, str]:
    """Number -> state."""
    return {int(row["node"].removeprefix("node-")): row["state"] for row in ran.json["nodes"]}


def rows(ran: Ran, kind: str) -> list[dict[str, Any]]:
    """What is said of the ailing ones of a kind."""
    names = [f"node-{number}" for number in AILING[kind]]
    return [row for row in ran.json["nodes"] if row["node"] in names]


@pytest.fixture(scope="module")
def first(fleet: Fleet, inventory: Path) -> Ran:
    """The first run over all nodes."""
    return bootstrap(fleet, inventory)


def test_the_nodes_that_can_be_set_up_are(first: Ran) -> None:
    assert first.code == 1
    assert {number for number, state in states(first).items() if state == "changed"} == set(NUMBERS) - UNDONE


def test_of_each_that_cannot_the_report_says_why(first: Ran) -> None:
    for row in rows(first, "dead"):
        assert (row["state"], row["code"]) == ("unreachable", 4)
        assert row["hint"].startswith("the jump host does not reach the node")
    for row in rows(first, "full"):
        assert (row["state"], row["code"]) == ("failed", 1)
        assert row["hint"].startswith("free some space on the node")
    for row in rows(first, "cut"):
        assert row["state"] in ("failed", "unreachable")
        assert row["code"] == 4
        assert "cut" in row["error"] + row["hint"]


def test_a_cut_session_leaves_no_folder_on_the_node(fleet: Fleet, first: Ran) -> None:
    for number in AILING["cut"]:
        assert fleet.on(number, "ls -d /root/was-cut /var/tmp/mplskit.* || true") == "/root/was-cut\n"


def test_labelled_packets_go_from_node_to_node(fleet: Fleet, first: Ran) -> None:
    # The way back has a label, too; the hop of each is counted where the label is popped.
    assert "ttl=63" in fleet.on(1, "ping -c 1 -W 10 -I 10.33.0.1 10.33.0.2")


@pytest.fixture(scope="module")
def second(fleet: Fleet, inventory: Path, first: Ran) -> Ran:
    """What failed, taken up again; there is room on the full disks now."""
    fleet.tell("room", AILING["full"])
    return bootstrap(fleet, inventory, "--failed")


def test_a_second_run_takes_up_what_failed_and_finishes_those_that_can(second: Ran) -> None:
    assert second.code == 4
    assert states(second) == {
        3: "unreachable",
        11: "changed",
        14: "changed",
        17: "unreachable",
        23: "changed",
        31: "changed",
    }


def test_a_third_run_over_all_changes_nothing(fleet: Fleet, inventory: Path, second: Ran) -> None:
    third = bootstrap(fleet, inventory)
    assert third.code == 4
    assert states(third) == {number: "unreachable" if number in AILING["dead"] else "ok" for number in NUMBERS}
