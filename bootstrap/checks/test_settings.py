"""What is set on the node now: the label table, the interfaces, lo."""

import pytest


@pytest.mark.condition("S1")
def test_the_label_table_is_large_enough(facts, spec, live, seen):
    seen(f"net.mpls.platform_labels = {facts.platform_labels}, wanted {spec.platform_labels}")
    assert facts.platform_labels >= spec.platform_labels


@pytest.mark.condition("S11")
def test_labelled_packets_are_accepted_on_each_named_interface(facts, spec, live, seen):
    states = {name: facts.inputs.get(name) for name in spec.mpls_input}
    words = {True: "on", False: "off", None: "not there now"}
    seen(
        "input " + ", ".join(f"{name}: {words[state]}" for name, state in states.items()) if states else "none is named"
    )
    assert False not in states.values()


@pytest.mark.condition("X1")
def test_labelled_packets_are_accepted_nowhere_else(facts, spec, live, seen):
    others = [name for name, on in facts.inputs.items() if on and name not in spec.mpls_input]
    seen(f"input is on for {', '.join(others) or 'no other interface'}")
    assert not others


@pytest.mark.condition("L2")
def test_lo_is_up(facts, seen):
    flags = int(facts.read("/sys/class/net/lo/flags") or "0", 16)
    seen("lo is up" if flags & 1 else "lo is down")
    assert flags & 1
