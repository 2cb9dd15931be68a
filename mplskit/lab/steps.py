"""One step of a lab: routes are added, captures begin, the ping runs, and what was seen is judged."""

from pathlib import Path

from mplskit.files import write_atomically
from mplskit.lab import counters, tcpdump
from mplskit.lab.capture import Packet, read_pcap
from mplskit.lab.judge import Counters, judge_capture, judge_counter, judge_ping
from mplskit.lab.report import Check
from mplskit.lab.stage import Stage
from mplskit.lab.topology import Ping, Rise, Topology, nodes_at

# A ping that is never answered takes count × interval + the wait for the last one; an emulated machine is slow.
INTERVAL, WAIT, PATIENCE = 0.2, 2, 120


def run_step(topology: Topology, number: int, stage: Stage, folder: Path) -> list[Check]:
    """Do step `number` (from 1): routes, counters, captures, ping, counters again; the verdicts.

    Captures are kept as step-NUMBER.NODE.DEV.pcap in `folder`. Raises Undone when something could not be done at all.
    """
    step = topology.steps[number - 1]
    for node, spec in nodes_at(topology, number).items():
        if node in step.routes:
            stage.apply(node, spec)
    expect = step.expect
    before = [_counters(stage, rise) for rise in expect.counters]
    running = [tcpdump.start(stage, capture) for capture in step.capture]
    output = _ping(stage, step.ping) if step.ping else ""
    packets: dict[tuple[str, str], tuple[Packet, ...]] = {}
    for item in running:
        file = folder / f"step-{number}.{item.capture.on}.{item.capture.dev}.pcap"
        write_atomically(file, tcpdump.stop(stage, item))
        packets[item.capture.on, item.capture.dev] = read_pcap(file.read_bytes(), str(file))
    after = [_counters(stage, rise) for rise in expect.counters]
    return [
        *(judge_ping(step.ping, expect, output) if step.ping else ()),
        *(judge_capture(item, packets[item.on, item.dev]) for item in expect.captured),
        *(judge_counter(*known) for known in zip(expect.counters, before, after, strict=True)),
    ]


def _ping(stage: Stage, ping: Ping) -> str:
    options = ["-n", "-c", str(ping.count), "-i", str(INTERVAL), "-W", str(WAIT), "-I", str(ping.source)]
    argv = stage.inside(ping.from_, "ping", *options, str(ping.to))
    return stage.ground.run(argv, timeout=ping.count * (INTERVAL + WAIT) + PATIENCE).output


def _counters(stage: Stage, rise: Rise) -> Counters:
    return counters.parse_counters(stage.ground.run(stage.inside(rise.on, *counters.command(rise.dev))).output)
