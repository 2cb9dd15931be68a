"""What is set on the node now: the label table, the interfaces, lo."""

import pytest

from mplskit.node.payload.render import SYSCTL_FILE
from mplskit.wording import several


@pytest.mark.condition("S1")
def test_the_label_table_is_large_enough(facts, spec, live, seen):
    seen(f"net.mpls.platform_labels = {facts.platform_labels}, wanted {spec.platform_labels}")
    assert facts.platform_labels >= spec.platform_labels


@pytest.mark.condition("S11")
def test_labelled_packets_are_accepted_on_each_named_interface(facts, spec, live, seen):
    states = {name: accepts(name, facts, spec) for name in spec.mpls_input}
    seen(several([what for _, what in states.values()]) if states else "none is named")
    assert all(good for good, _ in states.values())


def accepts(name, facts, spec):
    """Whether labelled packets that come in by an interface are accepted, and what to say of it."""
    there = facts.interfaces
    if name not in there.by_name:
        if there.real(name) != name:
            real = there.real(name)
            return False, f"{name} is an altname of {real}: labels are accepted by names of their own: write {real}"
        if name in spec.optional:
            return True, f"waits for {name}, which may come later"
        return False, f"waits for {name}: {there.absent(name)}"
    on = facts.inputs.get(name)
    if on is None:
        return False, f"{name}: this kernel accepts no labels on such an interface"
    receiver = there.receiver(name)
    if receiver != name:
        return receiver in spec.mpls_input, f"{name} is {there.part(name)}: labelled packets are received on {receiver}"
    # Which of both the labels come by cannot be seen: frames of a VLAN are never received on what it stands on.
    vlans = [vlan for vlan in there.vlans(name) if vlan not in spec.mpls_input]
    note = f" (what comes in by {', '.join(vlans)} is received there, and not accepted)" if vlans else ""
    return on, f"{name}: input {'on' if on else 'off'}{note}"


@pytest.mark.condition("X1")
def test_labelled_packets_are_accepted_nowhere_else(facts, spec, live, seen):
    others = [name for name, on in facts.inputs.items() if on and name not in spec.mpls_input]
    seen(f"input is on for {', '.join(others) or 'no other interface'}")
    assert not others


@pytest.mark.condition("L2")
def test_lo_is_up(facts, seen):
    flags = int(facts.links.get("lo", {}).get("flags", "0"), 16)
    seen("lo is up" if flags & 1 else "lo is down")
    assert flags & 1


@pytest.mark.condition("L3")
def test_packets_that_come_out_of_a_label_are_not_dropped_for_their_source(facts, spec, asked, seen):
    asked(spec.delivers, "packet that comes out of a label here")
    values = {name: facts.ip_settings[f"net/ipv4/conf/{name}/rp_filter"] for name in ("all", "lo")}
    seen(f"rp_filter is {values['all']} on all and {values['lo']} on lo: {max(values.values())} counts")
    assert max(values.values()) != "1"


@pytest.mark.condition("L5")
def test_packets_that_have_a_label_left_when_they_are_popped_are_accepted(facts, spec, asked, seen):
    asked(spec.delivers, "packet that comes out of a label here")
    if facts.platform_labels is None:
        pytest.skip("mpls_router is not live: see K3")
    if facts.inputs.get("lo"):
        seen("lo accepts labelled packets")
        return
    dropped = facts.counters.get("lo", {}).get("rx.dropped")
    if dropped is None:
        pytest.skip("it could not be read: lo has no MPLS counters")
    seen(f"lo has dropped {dropped} packets that had a label left" if dropped else "no packet had a label left so far")
    assert not dropped


@pytest.mark.condition("L6")
def test_packets_are_forwarded(facts, spec, asked, seen):
    lines = facts.rendered[SYSCTL_FILE].splitlines()
    keys = [key for key in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding") if f"{key} = 1" in lines]
    asked(keys, "forwarding")
    values = {key: facts.ip_settings.get(key, "not there") for key in keys}
    seen(", ".join(f"{key} is {value}" for key, value in values.items()))
    assert set(values.values()) == {"1"}


@pytest.mark.condition("S17")
def test_the_node_may_set_its_own_sysctls(facts, live, seen):
    if facts.user != 0:
        pytest.skip("only root may: log in as root, or give --sudo")
    writable = facts.run("test -w /proc/sys/net/mpls/platform_labels")[0] == 0
    kind = facts.run("systemd-detect-virt --container 2>/dev/null")[1].strip()
    place = f"in a container ({kind})" if kind not in ("", "none") else "in no container that is known"
    seen(f"/proc/sys/net/mpls is {'writable' if writable else 'read-only'}, {place}")
    assert writable
