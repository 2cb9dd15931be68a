"""The routes of the node, and what they go through."""

import pytest

from mplskit.node.verify.facts import IP_ALONE
from mplskit.node.verify.kernel_routes import beyond, missing
from mplskit.wording import several as names_of

LATER = "waits for it, which may come later"
IFF_UP = 1  # linux/if.h


@pytest.mark.condition("R1")
def test_the_loopback_addresses_are_there(facts, spec, asked, seen):
    asked(spec.loopbacks, "loopback address")
    absent = [str(address) for address in spec.loopbacks if str(address) not in facts.lo_addresses]
    seen(f"lo has no {several(absent)}" if absent else f"lo has {several(map(str, spec.loopbacks))}")
    assert not absent


@pytest.mark.condition("R2")
def test_each_route_of_the_spec_is_in_the_kernel_as_it_was_written(facts, spec, asked, seen):
    asked(facts.wanted_routes, "route")
    wrong = missing(facts.wanted_routes, facts.routes)
    later = {route: names[0] for route in wrong if (names := comes_later(route, facts, spec))}
    told = several(f"{route.name} {why}" for route, why in wrong.items() if route not in later)
    waits = several(f"{route.name} waits for {name}, which may come later" for route, name in later.items())
    seen(told or waits or f"all {len(facts.wanted_routes)} are as written")
    assert not told


@pytest.mark.condition("R3")
def test_no_other_route_has_the_protocol_number_of_mplskit(facts, spec, seen):
    others = beyond(facts.wanted_routes, facts.routes)
    seen(several(map(str, others)) or "no other route does")
    assert not others


@pytest.mark.condition("F11")
def test_the_interfaces_of_the_routes_are_up(facts, spec, asked, seen):
    names = devices(facts)
    asked(names, "route")
    states = {name: state(name, facts, spec) for name in names}
    shown = {hop.dev: " ".join(sorted(hop.down)) for route in facts.routes for hop in route.hops if hop.down}
    wrong = {**shown, **{name: state for name, state in states.items() if state not in ("up", LATER)}}
    seen(several(f"{name}: {state}" for name, state in (wrong or states).items()))
    assert not wrong


@pytest.mark.condition("F5")
def test_the_interfaces_carry_labelled_packets(facts, spec, asked, seen):
    # What leaves without a label after a pop is plain IP, which any of them carries.
    labelled = devices(facts, lambda hop: bool(hop.labels))
    inward = map(facts.interfaces.real, spec.mpls_input)
    names = [name for name in dict.fromkeys((*inward, *labelled)) if name != "lo"]
    asked(names, "interface with labelled packets")
    wrong = [
        name for name in names if facts.links.get(name, {}).get("type") == IP_ALONE and not is_bareudp(name, facts)
    ]
    absent = [name for name in names if name not in facts.links and name not in spec.optional]
    if absent and not wrong:
        pytest.skip(f"{', '.join(absent)}: not there: see S11, F11")
    seen(f"{', '.join(wrong)}: tun or WireGuard" if wrong else f"{', '.join(names)}: none is tun or WireGuard")
    assert not wrong


@pytest.mark.condition("F9")
def test_no_next_hop_has_failed_to_answer(facts, spec, asked, seen):
    vias = {hop.via for route in facts.wanted_routes for hop in route.hops if hop.via}
    asked(vias, "next hop")
    keys = {route.key for route in facts.wanted_routes}
    hops = {(hop.via, hop.dev) for route in facts.routes if route.key in keys for hop in route.hops}
    failed = sorted(facts.unresolved & hops)
    seen(several(f"{via} on {name}" for via, name in failed) or f"none of {len(vias)}, as far as was tried")
    assert not failed


@pytest.mark.condition("M1")
def test_the_mtus_leave_room_for_the_labels(facts, spec, asked, seen):
    # Whoever made a label route, LDP or a hand: labels leave by it.
    routes = [*facts.routes, *facts.other_labels]
    asked(facts.wanted_routes or facts.other_labels, "route")
    sizes = {name: int(link["mtu"]) for name, link in facts.links.items()}
    # What comes in: an IP packet of 1500 bytes and the label that is swapped, where the interface lets that through.
    largest = min(1504, max((sizes[name] for name in spec.mpls_input if name in sizes), default=0))
    wrong = {}
    for route in routes:
        for hop in route.hops:
            labels = 4 * len(hop.labels)
            push = not route.dst.isdigit()
            needed = (route.mtu or 0) if push else largest - 4 + labels if len(hop.labels) > 1 else 0
            if hop.dev in sizes and sizes[hop.dev] < needed:
                wrong[f"{hop.dev} for {route.dst}"] = f"{sizes[hop.dev]}, wanted {needed}"
    tight = narrower(routes, facts, spec, sizes)
    # What a spec cannot be right with needs no counter.
    lost = {} if wrong else {name: facts.counters.get(name, {}).get("tx.errors", 0) for name in tight}
    wrong |= {name: f"{tight[name]}; {count} did not leave (tx errors)" for name, count in lost.items() if count}
    told = wrong or {name: f"{why}; none was lost so far" for name, why in tight.items()}
    seen(several(f"MTU of {name}: {why}" for name, why in told.items()) or "they do")
    assert not wrong


def narrower(routes, facts, spec, sizes):
    """Interfaces that are narrower than what may come in by another one: name -> what of it.

    Most edges are so where a label is taken off, and there the counter rises whenever the link is down, too: one that
    was is left out.
    """
    widest = max((name for name in spec.mpls_input if name in sizes and name != "lo"), key=sizes.get, default=None)
    found = {}
    for hop in [hop for route in routes if route.dst.isdigit() for hop in route.hops]:
        largest = sizes[widest] - 4 + 4 * len(hop.labels) if widest else 0
        was_down = int(facts.links.get(hop.dev, {}).get("carrier_down_count", 0)) > 1
        if hop.dev in sizes and hop.dev != "lo" and largest > sizes[hop.dev] and (hop.labels or not was_down):
            found[hop.dev] = f"{sizes[hop.dev]}, and what comes in by {widest} may need {largest}"
    return found


def is_bareudp(name, facts):
    """It has no hardware address either, and carries labels."""
    known = facts.interfaces.by_name.get(name)
    return known is not None and known.kind == "bareudp"


def devices(facts, counts=lambda hop: True):
    """The interfaces through which the spec's routes go, those that the kernel found for them included."""
    keys = {route.key for route in facts.wanted_routes}
    routes = [*facts.wanted_routes, *(route for route in facts.routes if route.key in keys)]
    found = [hop.dev for route in routes for hop in route.hops if counts(hop)]
    return [name for name in dict.fromkeys(found) if name]


def comes_later(route, facts, spec):
    """The interfaces of a route that are not there and may come later; a route needs all of its interfaces."""
    return [hop.dev for hop in route.hops if hop.dev in spec.optional and hop.dev not in facts.interfaces.by_name]


def state(name, facts, spec):
    link = facts.links.get(name)
    if link is None:
        return LATER if name in spec.optional else facts.interfaces.absent(name)
    if "flags" not in link or "operstate" not in link:
        pytest.skip(f"what {name} is like could not be read")
    if not int(link["flags"], 16) & IFF_UP:
        return "down"
    # Of lo, of a dummy, of many virtual ones the state is unknown; one that is dormant takes packets.
    return "up" if link["operstate"] in ("up", "unknown", "dormant") else "no carrier"


def several(texts):
    """The first five, and how many more there are; nothing of none."""
    words = list(texts)
    return names_of(words, 5, "; ") if words else ""
