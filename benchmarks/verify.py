"""What node.verify costs on many nodes, all of which are stand-ins on this machine: no network is touched. Needs root.

    .venv/bin/python -m benchmarks.verify --nodes 1000
    .venv/bin/python -m benchmarks.verify --nodes 50 --code ../mplskit-before

In the place of ssh is a script that enters a folder (tests/worlds/stand_in_node.py), where real tools answer. What
these use is told apart, since real nodes do that themselves. Memory is the largest sum of PSS, sampled twice a second.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mplskit import terminal
from tests.command_line import CommandLine, stand_in
from tests.worlds.stand_in_node import ready

ROOT = Path(__file__).resolve().parents[1]
# The shell says what it used, and in a second line what all of its children did.
SSH = """\
trap : TERM
for last; do :; done
chroot {root} /bin/sh -c "$last"
status=$?
times >{times}/$$
exit $status
"""


@dataclass
class Memory:
    """The largest sums so far, in bytes: of our own processes, and of all."""

    ours: int = 0
    all: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self, root: int) -> None:
        """Look at a process and all that come from it until `over`."""
        while not self.over.wait(0.5):
            sizes = list(_sizes(root))
            self.ours = max(self.ours, sum(size for name, size in sizes if name.startswith("python")))
            self.all = max(self.all, sum(size for _, size in sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--code", type=Path, default=ROOT, help="the checkout whose mplskit is measured")
    given = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="mplskit-") as folder:
        wall, cpu, nodes, memory = measured(Path(folder), given.nodes, given.parallel, given.code.resolve())
    print(
        f"{given.nodes} nodes, {given.parallel} at a time; "
        f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after, {len(os.sched_getaffinity(0))} CPUs"
    )
    rows = [
        ("mplskit", f"{cpu - nodes:.1f}", f"{1000 * (cpu - nodes) / given.nodes:.0f}", f"{memory.ours >> 20}"),
        ("with the stand-ins", f"{cpu:.1f}", f"{1000 * cpu / given.nodes:.0f}", f"{memory.all >> 20}"),
    ]
    terminal.table(("", "CPU s", "ms a node", "MiB"), rows)
    print(f"wall time: {wall:.1f} s")


def measured(folder: Path, count: int, parallel: int, code: Path) -> tuple[float, float, float, Memory]:
    """Wall and CPU seconds of all processes, CPU seconds of the stand-ins, memory."""
    node = ready()
    root = node.but({"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"}).write(folder / "root")
    (folder / "times").mkdir()
    (folder / "nodes.yaml").write_text("nodes:\n" + "".join(f"  node-{number}: {{}}\n" for number in range(count)))
    ssh = stand_in(folder / "bin", "ssh", SSH.format(root=root, times=folder / "times"))
    mplskit = CommandLine(folder, {**ssh, "PYTHONPATH": str(code)})
    words = ["node.verify", "--inventory", "nodes.yaml", "--parallel", str(parallel), "--json"]
    memory = Memory()
    begin, busy = time.monotonic(), _cpu()
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        with subprocess.Popen(
            mplskit.argv(*words), stdout=out, stderr=err, cwd=folder, env=mplskit.environment()
        ) as running:
            watcher = threading.Thread(target=memory.watch, args=[running.pid])
            watcher.start()
            running.wait()
            wall, cpu = time.monotonic() - begin, _cpu() - busy
            memory.over.set()
            watcher.join()
    _judge(json.loads((folder / "out").read_text()), count)
    return wall, cpu, sum(_seconds(file.read_text()) for file in (folder / "times").iterdir()), memory


def _judge(document: Mapping[str, object], count: int) -> None:
    """End with a message unless every node was looked at, wholly."""
    nodes = document["nodes"]
    assert isinstance(nodes, list)
    looked = [node for node in nodes if len(node.get("checks", [])) > 20]
    if len(looked) != count:
        wrong = next(node for node in nodes if node not in looked)
        sys.exit(f"{count - len(looked)} nodes were not looked at: {wrong['error']}")


def _sizes(root: int) -> Iterator[tuple[str, int]]:
    """Name and PSS in bytes of a process and all that come from it."""
    children: dict[int, list[tuple[int, str]]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, after = file.read_text(errors="replace").rpartition(")")
        except OSError:
            continue
        pid, _, name = before.partition(" (")
        children.setdefault(int(after.split()[1]), []).append((int(pid), name))
    found, waiting = [], [(root, "python")]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one[0], [])
    for pid, name in found:
        try:
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        yield name, sum(int(row.split()[1]) << 10 for row in rows if row.startswith("Pss:"))


def _seconds(text: str) -> float:
    """`0m0.010000s 0m0.000000s`, and the same in a second line, in seconds."""
    parts = (word.rstrip("s").split("m") for word in text.split())
    return sum(60 * int(minutes) + float(seconds) for minutes, seconds in parts)


def _cpu() -> float:
    """CPU seconds of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
