"""Machines of the image that the main job made, linked by cables: names, addresses and large packets, and reboots."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from mplskit.errors import MachineLacks
from mplskit.image.boot import guest_of
from mplskit.image.image_record import Image
from mplskit.node.verify.reboot import reboot
from mplskit.remote.session import once
from mplskit.vm.linked_machines import Card, linked
from mplskit.vm.machine import Machine
from tests.command_line import awaited
from tests.worlds.checkout import ROOT

# Each name takes the place that the kernel would give to another card.
TWO = {
    "left": [
        Card("four", "eth1", ip_interface("10.20.0.1/24"), 1600),
        Card("six", "core", ip_interface("2001:db8::1/64"), 9000),
    ],
    "right": [
        Card("six", "eth2", ip_interface("2001:db8::2/64"), 9000),
        Card("four", "eth0", ip_interface("10.20.0.2/24"), 1600),
    ],
}
RING = {
    "r1": [Card("1", "eth0", ip_interface("10.1.0.1/24"), 1600), Card("4", "eth1", ip_interface("10.4.0.1/24"))],
    "r2": [Card("1", "eth0", ip_interface("10.1.0.2/24"), 1600), Card("2", "eth1", ip_interface("10.2.0.2/24"))],
    "r3": [Card("2", "eth0", ip_interface("10.2.0.3/24")), Card("3", "eth1", ip_interface("10.3.0.3/24"))],
    "r4": [Card("3", "eth0", ip_interface("10.3.0.4/24")), Card("4", "vpn0", ip_interface("10.4.0.4/24"))],
}
BOOTS_TWO = """
import sys
from ipaddress import ip_interface
from pathlib import Path
from mplskit.image.boot import guest_of
from mplskit.image.image_record import load_image
from mplskit.vm.linked_machines import Card, linked
record, folder = map(Path, sys.argv[1:])
guest = guest_of(load_image(record), memory=512, cpus=1)
card = Card("x", "eth0", ip_interface("10.0.0.1/24"))
with linked({name: (guest, [card]) for name in ("left", "right")}, folder):
    pass
"""


def boot(image: Image, cards: Mapping[str, Sequence[Card]], folder: Path) -> AbstractContextManager[dict[str, Machine]]:
    guest = guest_of(image, memory=512, cpus=1)
    return linked({name: (guest, has) for name, has in cards.items()}, folder)


def on(machine: Machine, command: str) -> str:
    return once(machine.host, command, timeout=60).stdout


def seen(machine: Machine) -> dict[str, Any]:
    """Its name, what the default routes go by, and MTU, state and global addresses of each card."""
    name, addresses, routes = on(machine, "hostname; ip -j address show; ip -j route show default").splitlines()
    cards: dict[str, tuple[object, ...]] = {
        card["ifname"]: (
            card["mtu"],
            card["operstate"],
            [f"{each['local']}/{each['prefixlen']}" for each in card["addr_info"] if each["scope"] == "global"],
        )
        for card in json.loads(addresses)
        if card["ifname"] != "lo"
    }
    # The network that QEMU gives the way in has addresses of QEMU's choice.
    cards["mgmt"] = cards["mgmt"][:2]
    return {"name": name, "default": [route["dev"] for route in json.loads(routes)], **cards}


def pings(machine: Machine, to: str, size: int) -> bool:
    """Whether two packets of `size` bytes, unfragmented, are answered."""
    header = 48 if ":" in to else 28
    return on(machine, f"ping -q -c 2 -w 20 -M do -s {size - header} {to}").count(" 0% packet loss") == 1


def left_over(folder: Path) -> list[str]:
    """The processes whose command line names the folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [line for line in lines if str(folder) in line]


def test_when_one_machine_does_not_start_the_others_are_ended_and_it_is_named(image: Image, tmp_path: Path) -> None:
    guest = guest_of(image, memory=512, cpus=1)
    (tmp_path / "no-kernel").write_text("nothing that QEMU could load")
    broken = replace(guest, kernel=tmp_path / "no-kernel")
    guests = {"left": (guest, TWO["left"]), "right": (broken, TWO["right"])}
    with pytest.raises(MachineLacks) as failed, linked(guests, tmp_path):
        pass
    assert failed.value.message == "right: QEMU did not start (exit 1)"
    assert left_over(tmp_path) == []


def test_an_interrupt_while_they_boot_ends_them_at_once(image: Image, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", BOOTS_TWO, str(ROOT / "dist" / f"{image.name}.json"), str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        assert awaited(lambda: sum("qemu-system" in line for line in left_over(tmp_path)) == 2)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert left_over(tmp_path) == []


def again(machines: Mapping[str, Machine]) -> None:
    """Reboot all at the same time."""
    for machine in machines.values():
        machine.let_reboot()
    with ThreadPoolExecutor(len(machines)) as pool:
        assert all(seconds > 0 for seconds in pool.map(lambda machine: reboot(machine.host), machines.values()))


def check_ring(machines: Mapping[str, Machine]) -> None:
    assert pings(machines["r1"], "10.1.0.2", 1600)
    assert pings(machines["r2"], "10.2.0.3", 1500)
    assert pings(machines["r3"], "10.3.0.4", 1500)
    assert pings(machines["r4"], "10.4.0.1", 1500)


@pytest.mark.full
def test_four_machines_in_a_ring_reach_their_neighbours_before_and_after_a_reboot(image: Image, tmp_path: Path) -> None:
    with boot(image, RING, tmp_path) as machines:
        check_ring(machines)
        again(machines)
        check_ring(machines)
        assert seen(machines["r4"]) == {
            "name": "r4",
            "default": ["mgmt"],
            "eth0": (1500, "UP", ["10.3.0.4/24"]),
            "vpn0": (1500, "UP", ["10.4.0.4/24"]),
            "mgmt": (1500, "UP"),
        }
    assert left_over(tmp_path) == []


@pytest.fixture(scope="module")
def two(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Machine]]:
    folder = tmp_path_factory.mktemp("two")
    with boot(image, TWO, folder) as machines:
        assert len(left_over(folder)) == 2
        yield machines
    assert [machine.process.returncode for machine in machines.values()] == [0, 0]
    assert left_over(folder) == []


def check_two(two: Mapping[str, Machine]) -> None:
    assert seen(two["left"]) == {
        "name": "left",
        "default": ["mgmt"],
        "core": (9000, "UP", ["2001:db8::1/64"]),
        "eth1": (1600, "UP", ["10.20.0.1/24"]),
        "mgmt": (1500, "UP"),
    }
    assert seen(two["right"]) == {
        "name": "right",
        "default": ["mgmt"],
        "eth0": (1600, "UP", ["10.20.0.2/24"]),
        "eth2": (9000, "UP", ["2001:db8::2/64"]),
        "mgmt": (1500, "UP"),
    }
    assert pings(two["left"], "10.20.0.2", 1600)
    assert pings(two["right"], "10.20.0.1", 1600)
    assert pings(two["left"], "2001:db8::2", 9000)


def test_cards_have_their_names_addresses_and_mtu_before_anybody_logs_in(two: dict[str, Machine]) -> None:
    check_two(two)


@pytest.mark.full
def test_after_a_reboot_of_both_everything_is_the_same_and_what_was_written_is_there(two: dict[str, Machine]) -> None:
    boots = {name: on(machine, "cat /proc/sys/kernel/random/boot_id") for name, machine in two.items()}
    on(two["left"], "echo kept >/var/tmp/kept")
    again(two)
    for name, machine in two.items():
        assert on(machine, "cat /proc/sys/kernel/random/boot_id") != boots[name]
    assert on(two["left"], "cat /var/tmp/kept") == "kept\n"
    check_two(two)
