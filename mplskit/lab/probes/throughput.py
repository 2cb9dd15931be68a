"""TCP throughput by iperf3: one connection, what the receiver got."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from mplskit.lab.evidence import Check
from mplskit.lab.probes.probe import FromTo, Look, Nodes, Probe, Seconds, Titled, first_line
from mplskit.node.grammar.addresses import Address
from mplskit.node.grammar.part import Part, RuledPart
from mplskit.wording import no_such
from mplskit.yaml.spec_file import Fault

PORT = "5201"
PATIENCE = 60

Mbits = Annotated[float, Field(gt=0)]


class Throughput(FromTo):
    """One TCP connection from an address of the node `from` to one of the node `at`, for `seconds`."""

    source: Address
    at: str
    seconds: Seconds = 3

    @property
    def at_node(self) -> str:
        """The other end."""
        return self.at


class Rate(RuledPart):
    """TCP throughput in Mbit/s, and as a multiple of that of an earlier step (its title) where that was measured."""

    at_least: Mbits | None = None
    at_most: Mbits | None = None
    times: Mbits | None = None
    of: str | None = None

    def faults(self) -> Iterator[Fault]:
        """What compares nothing."""
        if (self.times is None) != (self.of is None):
            yield Fault((), "times and of go together: how many times, of which step")
        elif self.at_least is None and self.at_most is None and self.of is None:
            yield Fault((), "should have at_least, at_most, or times and of")


class Asked(Titled):
    """In a step."""

    throughput: Throughput | None = None


class Expected(Part):
    """The `rate` of what arrived."""

    rate: Rate | None = None


def measure(nodes: Nodes, asked: Throughput) -> tuple[float | None, str]:
    """Mbit/s that arrived, or None and what was said. Raises Undone when iperf3 is not there, or does not listen."""
    for node in (asked.from_, asked.at):
        nodes.need(node, "iperf3", "iperf3")
    file = f"{nodes.home(asked.at)}/iperf3"
    server = ["iperf3", "--server", "--one-off", "--bind", str(asked.to), "--port", PORT]
    nodes.script(asked.at, "listen", file, PORT, *server)
    client = ["iperf3", "--json", "--client", str(asked.to), "--port", PORT, "--bind", str(asked.source)]
    answer = nodes.run(asked.from_, *client, "--time", str(asked.seconds), timeout=asked.seconds + PATIENCE)
    nodes.script(asked.at, "end", file)
    return parse_iperf(answer.output)


def parse_iperf(output: str) -> tuple[float | None, str]:
    """What `iperf3 --json` says: Mbit/s that arrived; None, and why, when there is no such number."""
    try:
        said = json.loads(output)
        if "error" in said:
            return None, str(said["error"])
        return round(float(said["end"]["sum_received"]["bits_per_second"]) / 1e6, 1), ""
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None, first_line("iperf3", output)


def judge_rate(
    asked: Throughput, rate: Rate, seen: float | None, said: str, earlier: Mapping[str, float | None]
) -> Check:
    """Whether TCP was as fast as the step expects; an earlier step that was left out (None) is not compared with."""
    rules = [
        *([f"at least {rate.at_least:g} Mbit/s"] if rate.at_least is not None else []),
        *([f"at most {rate.at_most:g} Mbit/s"] if rate.at_most is not None else []),
    ]
    passed = seen is not None
    if seen is not None:
        passed = (rate.at_least is None or seen >= rate.at_least) and (rate.at_most is None or seen <= rate.at_most)
    told = f"{seen:g} Mbit/s" if seen is not None else said
    if rate.of is not None and rate.times is not None:
        rules.append(f"{rate.times:g} times that of “{rate.of}”")
        there = earlier.get(rate.of)
        if there is not None:
            told += f"; {there:g} Mbit/s there"
            passed = passed and seen is not None and seen >= rate.times * there
        elif rate.of in earlier:
            told += "; that one was left out"
        else:
            told += "; nothing was measured there"
            passed = False
    return Check(f"TCP {asked.source} → {asked.to}", ", ".join(rules), told, passed)


def faults(step: Asked, expect: Expected, earlier: Sequence[Titled]) -> Iterator[Fault]:
    """What is compared with was measured before."""
    measured = [before.step for before in earlier if isinstance(before, Asked) and before.throughput]
    if expect.rate and expect.rate.of is not None and expect.rate.of not in measured:
        yield Fault(("expect", "rate", "of"), no_such("earlier step with a throughput", expect.rate.of, measured))


def checks(look: Look, step: Asked, expect: Expected) -> Iterator[Check]:
    """One measurement, which later steps can be compared with."""
    if (asked := step.throughput) is not None:
        seen, said = measure(look.nodes, asked)
        if seen is not None:
            look.rates[step.step] = seen
        if expect.rate:
            yield judge_rate(asked, expect.rate, seen, said, look.rates)


PROBE = Probe(Asked, Expected, checks, faults, tries="throughput", package="iperf3")
