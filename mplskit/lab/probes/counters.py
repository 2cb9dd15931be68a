"""MPLS counters of interfaces: which of them rise while something is tried, and by how much."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from mplskit.lab.evidence import Check, Counter
from mplskit.lab.probes.probe import Look, OnInterface, Probe, Titled
from mplskit.node.grammar.part import Part
from mplskit.node.verify import mpls_counters
from mplskit.wording import no_such
from mplskit.yaml.spec_file import Fault

Counters = Mapping[str, Mapping[str, int]]


class Rise(OnInterface):
    """A counter of an interface that must rise while the step runs."""

    name: str
    at_least: Annotated[int, Field(strict=True, ge=1)] = 1


class Expected(Part):
    """What must rise."""

    counters: tuple[Rise, ...] = ()


def read(look: Look) -> dict[str, Counters]:
    """The counters of every node: interface -> name -> value."""
    command = ("sh", "-c", mpls_counters.command())
    return {node: mpls_counters.parse(look.nodes.run(node, *command).output) for node in look.names}


def changed(before: Mapping[str, Counters], after: Mapping[str, Counters]) -> Iterator[Counter]:
    """Each counter that is not what it was."""
    for node, devices in after.items():
        for dev, values in devices.items():
            earlier = before[node].get(dev, {})
            for name, value in values.items():
                if value != earlier.get(name, 0):
                    yield Counter(node, dev, name, earlier.get(name, 0), value)


def judge_counter(rise: Rise, before: Counters, after: Counters) -> Check:
    """Whether a counter has risen by as much as the step expects."""
    about = f"counter {rise.name} of {rise.on} {rise.dev}"
    wanted = f"a rise of {rise.at_least} or more"
    first, last = (known.get(rise.dev, {}).get(rise.name) for known in (before, after))
    if first is None or last is None:
        return Check(about, wanted, "no MPLS counters: is mpls_router loaded?", False)
    return Check(about, wanted, f"{first} → {last}, by {last - first}", last - first >= rise.at_least)


def faults(step: Titled, expect: Expected, earlier: Sequence[Titled]) -> Iterator[Fault]:
    """The kernel counts so."""
    for i, rise in enumerate(expect.counters):
        if rise.name not in mpls_counters.NAMES:
            yield Fault(("expect", "counters", i, "name"), no_such("counter", rise.name, mpls_counters.NAMES))


def checks(look: Look, step: Titled, expect: Expected) -> Iterator[Check]:
    """All counters of all nodes, read before and after; those that changed are told in any case."""
    return _compared(look, read(look), expect)


def _compared(look: Look, before: Mapping[str, Counters], expect: Expected) -> Iterator[Check]:
    after = read(look)
    look.counters += changed(before, after)
    yield from (judge_counter(rise, before[rise.on], after[rise.on]) for rise in expect.counters)


PROBE = Probe(Titled, Expected, checks, faults)
