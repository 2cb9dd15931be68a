"""Captures on the stage: tcpdump in a node's namespace, really capturing when `start` returns, complete after `stop`."""

from dataclasses import dataclass

from mplskit.lab.stage import Stage
from mplskit.lab.topology import Capture

# $1: the file to write; the rest: tcpdump's command. Prints its process id once it captures, or what it said.
START = """
file=$1; shift
"$@" >"$file.log" 2>&1 </dev/null &
until grep -q 'listening on' "$file.log"; do
    [ -e "/proc/$!/exe" ] || { cat "$file.log"; exit 1; }
    sleep 0.1
done
echo "$!"
"""

# $1: the process id, $2: the file. tcpdump sleeps only when it has read everything that was captured; a signal before
# that would lose what is still in the kernel's buffer.
STOP = """
until grep -q '^State:[[:space:]]*S' "/proc/$1/status"; do
    [ -e "/proc/$1/exe" ] || { cat "$2.log"; exit 1; }
done
kill -INT "$1"
while [ -e "/proc/$1/exe" ]; do sleep 0.1; done
cat "$2.log"
"""


@dataclass(frozen=True)
class Running:
    """A capture under way: its process id on the machine, and the file there that it writes."""

    capture: Capture
    pid: str
    file: str


def start(stage: Stage, capture: Capture) -> Running:
    """Start a capture, and wait until it really captures. Raises Undone."""
    file = f"{stage.folder}/{capture.on}-{capture.dev}.pcap"
    tcpdump = ["tcpdump", "-n", "-U", "--immediate-mode", "-Z", "root", "-i", capture.dev, "-Q", capture.direction]
    argv = ["sh", "-c", START, "sh", file, *stage.inside(capture.on, *tcpdump, "-w", file)]
    return Running(capture, stage.ground.do(argv).split()[-1], file)


def stop(stage: Stage, running: Running) -> bytes:
    """Stop a capture when it has caught up, and return the pcap. Raises Undone."""
    stage.ground.do(["sh", "-c", STOP, "sh", running.pid, running.file])
    return stage.ground.read(running.file)
