"""One step of a lab: nodes get what it adds, captures begin, something is tried, and what was seen is judged."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mplskit.files import write_atomically
from mplskit.lab.grammar.steps import Ping, Step
from mplskit.lab.grammar.topology import nodes_at
from mplskit.lab.judge import (
    Counters,
    judge_capture,
    judge_counter,
    judge_log,
    judge_ping,
    judge_rate,
    judge_table,
    judge_traceroute,
)
from mplskit.lab.probes import iperf, tables, tcpdump, traceroute
from mplskit.lab.probes.pcap import Packet, read_pcap
from mplskit.lab.report import Check, Counter
from mplskit.lab.stage.stage import Stage
from mplskit.node.verify import counters

# A ping that is never answered takes count × interval + the wait for the last one; an emulated machine is slow.
INTERVAL, WAIT, PATIENCE = 0.2, 2, 120
PAUSE = 0.5


class LeftOut(Exception):
    """There is nothing to try here, for the reason in it."""


@dataclass
class Play:
    """What is known while the steps of a lab are gone through: `rates` has the throughput of each that measured one,
    and None for each that was left out.
    """

    stage: Stage
    folder: Path
    rates: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """What a step showed."""

    checks: tuple[Check, ...]
    captures: tuple[str, ...] = ()
    counters: tuple[Counter, ...] = ()


def set_up(play: Play, number: int) -> None:
    """Give the nodes what step `number` (from 1) adds. Raises Undone."""
    step = play.stage.topology.steps[number - 1]
    nodes = nodes_at(play.stage.topology, number)
    changed = {node: nodes[node] for node in step.add}
    if changed:
        play.stage.apply(changed)


def run_step(play: Play, number: int, prefix: str = "step") -> Shown:
    """Try step `number` (from 1) until all is as expected, or its time is over; what was seen the last time.

    Captures are kept as PREFIX-NUMBER.NODE.DEV.pcap. Raises Undone when something could not be done at all, LeftOut
    when there is nothing to try here.
    """
    step = play.stage.topology.steps[number - 1]
    deadline = time.monotonic() + max(step.within or 0, play.stage.patience)
    try:
        with _without(play.stage, step):
            while True:
                shown = _try(play, step, f"{prefix}-{number}")
                if all(check.passed for check in shown.checks) or time.monotonic() > deadline:
                    return shown
                time.sleep(PAUSE)
    except LeftOut:
        play.rates[step.step] = None
        raise


def _try(play: Play, step: Step, name: str) -> Shown:
    stage, expect = play.stage, step.expect
    before = _counters(stage)
    running = [tcpdump.start(stage, capture) for capture in step.capture]
    checks = list(_tried(play, step))
    packets: dict[tuple[str, str], tuple[Packet, ...]] = {}
    files = []
    for item in running:
        file = play.folder / f"{name}.{item.capture.on}.{item.capture.dev}.pcap"
        write_atomically(file, tcpdump.stop(stage, item))
        packets[item.capture.on, item.capture.dev] = read_pcap(file.read_bytes(), str(file))
        files.append(file.name)
    after = _counters(stage)
    checks += [judge_capture(item, packets[item.on, item.dev]) for item in expect.captured]
    checks += [judge_counter(rise, before[rise.on], after[rise.on]) for rise in expect.counters]
    checks += [judge_table(item, _tables(stage, item.on)) for item in expect.tables]
    checks += [judge_log(item, stage.log(item.on, item.dev)) for item in expect.logged]
    return Shown(tuple(checks), tuple(sorted(files)), tuple(_changed(before, after)))


def _tried(play: Play, step: Step) -> Iterator[Check]:
    stage, expect = play.stage, step.expect
    if step.ping:
        yield from judge_ping(step.ping, expect, [_ping(stage, step.ping, str(source)) for source in step.ping.source])
    if step.traceroute:
        wanted = step.traceroute
        stage.need(wanted.from_, "traceroute", "traceroute")
        words = traceroute.command(str(wanted.source), str(wanted.to))
        output = stage.run(wanted.from_, *words).output
        if expect.hops is not None:
            yield judge_traceroute(wanted, expect.hops, output)
    if step.throughput:
        seen, said = iperf.measure(stage, step.throughput)
        if seen is not None:
            play.rates[step.step] = seen
        if expect.rate:
            yield judge_rate(step.throughput, expect.rate, seen, said, play.rates)


def _ping(stage: Stage, ping: Ping, source: str) -> str:
    words = ["-n", "-c", str(ping.count), "-i", str(INTERVAL), "-W", str(WAIT), "-I", source]
    words += ["-s", str(ping.size - ping.header)] if ping.size else []
    words += [] if ping.fragment else ["-M", "do"]
    words += ["-t", str(ping.ttl)] if ping.ttl else []
    timeout = ping.count * (INTERVAL + WAIT) + PATIENCE
    return stage.run(ping.from_, "ping", *words, str(ping.to), timeout=timeout).output


def _counters(stage: Stage) -> dict[str, Counters]:
    command = ("sh", "-c", counters.command())
    return {node: counters.parse(stage.run(node, *command).output) for node in stage.topology.nodes}


def _changed(before: Mapping[str, Counters], after: Mapping[str, Counters]) -> Iterator[Counter]:
    for node, devices in after.items():
        for dev, values in devices.items():
            earlier = before[node].get(dev, {})
            for name, value in values.items():
                if value != earlier.get(name, 0):
                    yield Counter(node, dev, name, earlier.get(name, 0), value)


def _tables(stage: Stage, node: str) -> str:
    return stage.run(node, "sh", "-c", tables.COMMAND).output


@contextmanager
def _without(stage: Stage, step: Step) -> Iterator[None]:
    """Without a module, on every machine, as long as the block runs. Raises LeftOut where it is built in."""
    module = step.without_module
    if module is None:
        yield
        return
    nodes = stage.machines()
    try:
        for node in nodes:
            if stage.ground(node).run(["modprobe", "-r", module]).returncode != 0:
                raise LeftOut(f"{module} cannot be taken out of this kernel: it is built in, in use, or not there")
        yield
    finally:
        for node in nodes:
            stage.ground(node).run(["modprobe", module])
