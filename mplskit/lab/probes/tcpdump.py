"""Captures on the stage: `start` returns when tcpdump really captures, `stop` when the file is complete."""

from dataclasses import dataclass

from mplskit.lab.grammar.steps import Capture
from mplskit.lab.stage.ground import Undone
from mplskit.lab.stage.stage import Stage

# Whole frames of up to 9216 bytes, and a buffer of 16 MiB: about a thousand frames may wait to be read.
ROOM = ("-s", "9216", "-B", "16384")


@dataclass(frozen=True)
class Running:
    """A capture under way: its process id on the machine, and the file there that it writes."""

    capture: Capture
    pid: str
    file: str


def start(stage: Stage, capture: Capture) -> Running:
    """Start a capture, and wait until it really captures. Raises Undone."""
    file = f"{stage.home(capture.on)}/{capture.dev}.pcap"
    tcpdump = ["tcpdump", "-n", "-U", "--immediate-mode", *ROOM, "-Z", "root"]
    tcpdump += ["-i", capture.dev, "-Q", capture.direction, "-w", file]
    said = stage.script(capture.on, "capture", file, *tcpdump)
    *_, pid = said.split() or [""]
    if not pid.isdecimal():
        raise Undone(f"{capture.on}: no process of tcpdump is named", said)
    return Running(capture, pid, file)


def stop(stage: Stage, running: Running) -> bytes:
    """Stop a capture when it has caught up, and return the pcap. Raises Undone."""
    stage.script(running.capture.on, "stop", running.pid, running.file)
    return stage.read(running.capture.on, running.file)
