"""Several machines, linked by cables that nobody else can reach: socket pairs whose ends two QEMUs inherit."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from mplskit import progress
from mplskit.errors import Failure, WrongInput
from mplskit.process_group import Group, grouped
from mplskit.vm.guest import Guest, Plug
from mplskit.vm.machine import Machine, booted

MANAGEMENT = "mgmt"
MANAGEMENT_MAC = "02:6d:70:ff:ff:ff"


@dataclass(frozen=True)
class Card:
    """A network card of a guest: the cable `link` is in it, `dev` is its name there, `mtu` in bytes."""

    link: str
    dev: str
    address: IPv4Interface | IPv6Interface
    mtu: int = 1500


@contextmanager
def linked(
    guests: Mapping[str, tuple[Guest, Sequence[Card]]], folder: Path, timeout: float = 600
) -> Iterator[dict[str, Machine]]:
    """Boot guests at the same time, each into `folder`/NAME; their cards have names and addresses from the start.

    The way to their SSH is a card called `mgmt`. The guests need systemd-networkd. Raises what `booted` raises, with
    the name of the guest; the others are ended then, as all are when the block is left.
    """
    ready: dict[str, Machine] = {}
    errors: dict[str, BaseException] = {}
    there, leave, group = threading.Condition(), threading.Event(), Group()

    def keep(name: str, guest: Guest) -> None:
        # The thread lives as long as its machine: QEMU ends when the thread that started it does.
        try:
            with grouped(group), progress.told_to(lambda text: None), booted(guest, folder / name, timeout) as machine:
                with there:
                    ready[name] = machine
                    there.notify()
                leave.wait()
        except BaseException as error:
            with there:
                errors[name] = error
                there.notify()

    with _plugged(guests) as wired:
        threads = [threading.Thread(target=keep, args=item, name=item[0]) for item in wired.items()]
        try:
            with progress.step(f"boot {len(guests)} machines"):
                for thread in threads:
                    thread.start()
                with there:
                    there.wait_for(lambda: bool(errors) or len(ready) == len(guests))
                _raise(errors)
            yield ready
        finally:
            leave.set()
            if len(ready) < len(guests):
                # The others are not waited for: one failed, or the user interrupts.
                group.end()
            with progress.step(f"end {len(guests)} machines"):
                for thread in threads:
                    if thread.ident is not None:
                        thread.join()


def _raise(errors: Mapping[str, BaseException]) -> None:
    for name, error in errors.items():
        if isinstance(error, Failure):
            raise type(error)(f"{name}: {error.message}", detail=error.detail, hint=error.hint) from None
        raise error


@contextmanager
def _plugged(guests: Mapping[str, tuple[Guest, Sequence[Card]]]) -> Iterator[dict[str, Guest]]:
    """The guests with their cards; the ends of the cables are closed here when the block is left."""
    links = [card.link for _, cards in guests.values() for card in cards]
    for link in links:
        if links.count(link) != 2:
            raise WrongInput(f"the cable {link} has {links.count(link)} ends: it needs two")
    for name, (_, cards) in guests.items():
        devs = [MANAGEMENT, *(card.dev for card in cards)]
        for dev in devs:
            if devs.count(dev) != 1:
                raise WrongInput(f"{name}: two cards are called {dev}", hint=f"{MANAGEMENT} is the way to its SSH")
    ends: dict[str, list[socket.socket]] = {}
    try:
        for link in dict.fromkeys(links):
            ends[link] = list(socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
        free = {link: list(pair) for link, pair in ends.items()}
        yield {
            name: _wired(name, number, guest, cards, free)
            for number, (name, (guest, cards)) in enumerate(guests.items(), 1)
        }
    finally:
        for end in (end for pair in ends.values() for end in pair):
            end.close()


def _wired(
    name: str, number: int, guest: Guest, cards: Sequence[Card], free: Mapping[str, list[socket.socket]]
) -> Guest:
    plugs = {MANAGEMENT: Plug(mac=MANAGEMENT_MAC)}
    words = [f"systemd.hostname={name}", "systemd.wants=systemd-network-generator.service"]
    for index, card in enumerate(cards):
        mac = f"02:6d:70:{number >> 8:02x}:{number & 255:02x}:{index:02x}"
        plugs[card.dev] = Plug(free[card.link].pop().fileno(), mac)
        words += [f"ifname={card.dev}:{mac}", _address(card)]
    words += [f"ifname={MANAGEMENT}:{MANAGEMENT_MAC}", f"ip={MANAGEMENT}:dhcp"]
    order = in_order([*(card.dev for card in cards), MANAGEMENT])
    return replace(guest, plugs=tuple(plugs[dev] for dev in order), append=" ".join([guest.append, *words]).strip())


def _address(card: Card) -> str:
    """See dracut.cmdline(7): client, peer, gateway, length, host, device, method, MTU."""
    ip = f"[{card.address.ip}]" if card.address.version == 6 else str(card.address.ip)
    return f"ip={ip}:::{card.address.network.prefixlen}::{card.dev}:none:{card.mtu}"


def in_order(devs: Sequence[str]) -> list[str]:
    """Names of cards so that each ethN is where the kernel calls it ethN: no name is taken when it is given."""
    own = {f"eth{index}": index for index in range(len(devs))}
    placed = {own[dev]: dev for dev in devs if dev in own}
    others = [dev for dev in devs if dev not in own]
    return [placed.get(index) or others.pop(0) for index in range(len(devs))]
