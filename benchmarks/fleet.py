"""Memory, CPU seconds and the time of a report's write for a plan of many nodes that are stand-ins.

    PYTHONPATH=. .venv/bin/python benchmarks/fleet.py [--nodes 1000] [--routes 30] [--parallel 16] [--code FOLDER]

In the place of OpenSSH stands a script that runs the session's command on this machine, in a mount namespace of its
own, and in the place of apply.sh what that says of a fresh node: it is run once, in a namespace. Nothing listens
anywhere, and nothing leaves this machine. `--code` is another checkout of mplskit to be measured, by the same Python.
`--nodes 1 --routes 100000` is the plan of one large node.

Shown are the maximum resident memory and the CPU seconds of the process of node.plan, without its children; the same of
the children, which are the stand-ins; what the writes of the rows took, and those of the nodes' files; and the load.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SSH = """\
#!/bin/sh
for last in "$@"; do :; done
exec unshare --map-root-user --mount /bin/sh {folder}/login "$last"
"""
LOGIN = """\
mount -t tmpfs none /root && mount -t tmpfs none /var/tmp || exit
PATH={folder}/bin:$PATH exec /bin/sh -c "$1"
"""
SH = """\
#!/bin/sh
case ${{1:-}} in
*/apply.sh) exec cat {folder}/said ;;
*) exec /bin/sh "$@" ;;
esac
"""
GROUND = """\
for folder in /etc /var/lib /usr/local /run; do mount -t tmpfs none $folder || exit; done
mkdir -p /etc/alternatives /var/lib/dpkg/updates /var/lib/dpkg/info && : >/var/lib/dpkg/status
ln -s /usr/bin/mawk /etc/alternatives/awk
sh "$1" plan
"""
STAGE = """\
import sys
from pathlib import Path
from mplskit.fleet.flags import SpecFlags
from mplskit.fleet.inventory.selection import selected
from mplskit.node.payload.payload import stage
stage(Path(sys.argv[2]), selected(SpecFlags(inventory=sys.argv[1]))[0].spec)
"""
# node.plan, and what it took.
PROGRAM = """\
import atexit, json, resource, time
from mplskit.fleet.last_run import LastRun
took = {"_write": [], "_filed": []}
def timed(name):
    inner = getattr(LastRun, name)
    def outer(*words):
        begin, busy = time.monotonic(), time.thread_time()
        try:
            return inner(*words)
        finally:
            took[name].append((time.monotonic() - begin, time.thread_time() - busy))
    setattr(LastRun, name, outer)
for name in took:
    if hasattr(LastRun, name):
        timed(name)
@atexit.register
def tell():
    used = {}
    for who in ("SELF", "CHILDREN"):
        found = resource.getrusage(getattr(resource, "RUSAGE_" + who))
        used[who] = [found.ru_maxrss / 1024, found.ru_utime + found.ru_stime]
    open("took.json", "w").write(json.dumps({**took, **used}))
from mplskit.tasks import program
program.run()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--routes", type=int, default=30)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--code", type=Path, default=ROOT)
    parser.add_argument("--json", action="store_true", help="let node.plan print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mplskit-fleet-") as name:
        folder = Path(name)
        prepare(folder, given.code.resolve(), given.nodes, given.routes)
        show(given, folder, *planned(folder, given))


def prepare(folder: Path, code: Path, nodes: int, routes: int) -> None:
    """The inventory, what a node says of it, and the programs that stand in."""
    lines = "".join(f"      - {{swap: {label}, as: [{label}], via: 10.0.0.2}}\n" for label in range(16, 16 + routes))
    names = "".join(f"  node-{number}:\n    routes:\n{lines}" for number in range(1, nodes + 1))
    defaults = f"defaults: {{mpls_input: [eth0], platform_labels: {max(100_000, 16 + routes)}}}\n"
    (folder / "nodes.yaml").write_text(f"{defaults}nodes:\n{names}")
    first = folder / "first.yaml"
    first.write_text(f"{defaults}nodes:\n  node-1:\n    routes:\n{lines}")
    subprocess.run([sys.executable, "-c", STAGE, first, folder / "stage"], env=environment(folder, code), check=True)
    contained = ["unshare", "--map-root-user", "--mount", "--net", "sh", "-c", GROUND, "sh", folder / "stage/apply.sh"]
    said = subprocess.run(contained, stdout=-1, stderr=subprocess.DEVNULL, check=False).stdout
    if said.count(b"\troute\t") != routes:
        raise SystemExit(f"the payload does not say {routes} routes:\n{said.decode()[-2000:]}")
    # Where this machine's kernel has no MPLS.
    (folder / "said").write_bytes(said.replace(b"failed\t", b"changed\t"))
    (folder / "bin").mkdir()
    (folder / "login").write_text(LOGIN.format(folder=folder))
    for program, text in (("ssh", SSH), ("sh", SH)):
        (folder / "bin" / program).write_text(text.format(folder=folder))
        (folder / "bin" / program).chmod(0o755)


def environment(folder: Path, code: Path) -> dict[str, str]:
    places = {f"MPLSKIT_{name.upper()}": str(folder / name) for name in ("build", "dist", "cache")}
    return {**os.environ, **places, "PYTHONPATH": str(code)}


def planned(folder: Path, given: argparse.Namespace) -> tuple[float, float]:
    """Run the plan of all nodes; seconds, and the load before."""
    before, begin = os.getloadavg()[0], time.monotonic()
    words = ["node.plan", "--inventory", "nodes.yaml", "--parallel", str(given.parallel)]
    env = environment(folder, given.code.resolve())
    env["PATH"] = f"{folder / 'bin'}:{env['PATH']}"
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words, *(["--json"] if given.json else [])],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False,
        )  # fmt: skip
    if ended.returncode != 1:
        raise SystemExit(f"exit {ended.returncode}:\n{(folder / 'err').read_text()[-2000:]}")
    return time.monotonic() - begin, before


def show(given: argparse.Namespace, folder: Path, seconds: float, before: float) -> None:
    """Print what it took."""
    took = json.loads((folder / "took.json").read_text())
    items = (folder / "said").read_bytes().count(b"\n")
    kept = list((folder / "build/nodes").rglob("*.json"))
    size = sum(path.stat().st_size for path in kept)
    print(
        f"{given.nodes} nodes of {given.routes} routes, {items} items each, {given.parallel} at a time: {seconds:.0f} s"
    )
    print(f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after, {len(os.sched_getaffinity(0))} CPUs")
    print(f"node.plan: at most {took['SELF'][0]:.0f} MiB, {took['SELF'][1]:.1f} s of CPU")
    print(f"stand-ins: at most {took['CHILDREN'][0]:.0f} MiB, {took['CHILDREN'][1]:.1f} s of CPU")
    for name, what in (("_write", "the rows"), ("_filed", "a node's file")):
        if times := took[name]:
            wall, busy = zip(*times, strict=True)
            print(
                f"{what}: {len(times)} writes, at most {max(wall):.3f} s ({max(busy):.3f} s of CPU), "
                f"{sum(wall):.1f} s in all ({sum(busy):.1f} s of CPU)"
            )
    print(f"report: {len(kept)} files, {size / 1e6:.1f} MB; shown: {(folder / 'out').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
