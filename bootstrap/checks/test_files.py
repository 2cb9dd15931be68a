"""What makes the node the same after every boot: the files that mplskit wrote."""

import pytest

from mplskit.node.payload.render import MODULES_FILE, SPEC_FILE, SYSCTL_FILE, UDEV_FILE


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
    if facts.larger_table:
        seen(f"with a label table of {facts.larger_table}: it was larger than the spec's, and never shrinks by itself")


@pytest.mark.condition("N4")
def test_interfaces_that_appear_later_get_their_sysctls(facts, spec, seen):
    assert as_rendered(UDEV_FILE, facts, spec, seen)


@pytest.mark.condition("N6")
def test_everything_else_that_mplskit_brought_is_as_rendered(facts, spec, asked, seen):
    others = [path for path in facts.rendered if path not in (MODULES_FILE, SYSCTL_FILE, UDEV_FILE)]
    asked(others, "other file")
    wrong = [f"{path} is {how(path, facts)}" for path in others if not facts.as_rendered.get(path)]
    seen("; ".join(wrong) or f"{', '.join(others)}: as rendered")
    assert not wrong


def as_rendered(path, facts, spec, seen):
    seen(f"{path} is {how(path, facts)}")
    return bool(facts.as_rendered.get(path))


def how(path, facts):
    return {None: "not there", False: "not as rendered", True: "as rendered"}[facts.as_rendered.get(path)]
