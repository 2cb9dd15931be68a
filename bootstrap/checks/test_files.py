"""What makes the node the same after every boot: the files that mplskit wrote."""

import pytest

from mplskit.node.render import MODULES_FILE, SPEC_FILE, SYSCTL_FILE, UDEV_FILE, render


@pytest.mark.condition("N1")
def test_mplskit_has_set_this_node_up(facts, seen):
    there = facts.read(SPEC_FILE) is not None
    seen(
        f"{SPEC_FILE} " + ("describes the node" if facts.spec else "cannot be understood" if there else "is not there")
    )
    assert facts.spec is not None


@pytest.mark.condition("N2")
def test_the_modules_are_loaded_at_every_boot(facts, spec, seen):
    assert as_rendered(MODULES_FILE, facts, spec, seen)


@pytest.mark.condition("N3")
def test_the_sysctls_are_set_at_every_boot(facts, spec, seen):
    assert as_rendered(SYSCTL_FILE, facts, spec, seen)


@pytest.mark.condition("N4")
def test_interfaces_that_appear_later_get_their_sysctls(facts, spec, seen):
    assert as_rendered(UDEV_FILE, facts, spec, seen)


def as_rendered(path, facts, spec, seen):
    found = facts.read(path)
    wanted = render(spec)[path]
    seen(f"{path} is " + ("as rendered" if found == wanted else "not there" if found is None else "not as rendered"))
    return found == wanted
