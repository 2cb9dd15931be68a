"""Seconds and memory for 100,000 label routes on a node: set up, changed and kept, beside a bare `ip -batch`.

    PYTHONPATH=. .venv/bin/python benchmarks/routes.py [--image stock] [--routes 100000] [--folder …]

One VM of an image that was never set up (image.build --kernel stock --iproute2 stock --bare --name stock). Each row
is a group of its own below systemd: what it took by the clock, of the processor, and its largest memory, files in
memory included. The rows of the keeper begin with what happened to the interface and end when all routes are there; a
route that was touched is one that the kernel told of (`ip monitor`). In a minute of peace the keeper looks once. The
machine's load is printed beside the figures: under emulation, and with others at work, compare the rows with one
another.
"""

import argparse
import os
import tempfile
from pathlib import Path

from mplskit import progress
from mplskit.image.boot import chosen_image, guest_of
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import archive
from mplskit.node.payload.render import LABELS_FILE, render
from mplskit.paths import Workspace
from mplskit.remote.session import once
from mplskit.vm.machine import Machine, booted

FIRST = 1000
# `row NAME COMMAND …`: in a unit of its own, since that is what the kernel counts memory for.
TOOLS = """\
export LC_ALL=C
modprobe -a mpls_router dummy
up() { ip link add core1 type dummy && ip address add 10.96.0.1/16 dev core1 && ip link set core1 up; }
now() { read -r up _ </proc/uptime && now=${up%.*}${up#*.}; }
row() {
    name=$1; shift
    cat >/root/row <<END
$*
cd /sys/fs/cgroup/system.slice/row.service && cat memory.peak cpu.stat >/root/counted
END
    now; begin=$now
    systemd-run --quiet --wait --pipe --unit=row -p MemoryAccounting=yes sh /root/row
    now; told "$name" $((now - begin)) /root/counted
}
told() {
    awk -v name="$1" -v taken="$2" -v before="${4:-0}" 'NR == 1 { peak = $1 } /^usage_usec/ { used = $2 - before } END {
        printf "row\\t%s\\t%.1f s\\t%.1f s\\t%.0f MiB\\n", name, taken / 100, used / 1e6, peak / 1048576 }' "$3"
}
have() { ip -o -f mpls route show proto 77 | grep -vc dead; }
keeper=/sys/fs/cgroup/system.slice/mplskit-routes.service
used() { sed -n 's/^usage_usec //p' $keeper/cpu.stat; }
# kept NAME COUNT COMMAND …: what the keeper takes until COUNT routes are there, and it sleeps again
kept() {
    name=$1 count=$2; shift 2
    before=$(used); now; begin=$now
    "$@"
    until [ "$(have)" = "$count" ]; do sleep 0.5; done
    now; taken=$((now - begin))
    while a=$(used); sleep 3; [ "$a" != "$(used)" ]; do :; done
    cat $keeper/memory.peak $keeper/cpu.stat >/root/counted
    told "$name" $taken /root/counted "$before"
}
flap() { ip link set core1 down; sleep 1; ip link set core1 up; }
anew() { ip link delete core1; sleep 1; up; }
touched() {
    ip -o monitor route >/root/seen & sleep 1; "$@"; sleep 1; kill $!
    echo "note	$(wc -l </root/seen) routes touched"
}
"""


def spec(count: int, changed: int = 0) -> NodeSpec:
    """A node that swaps `count` labels, `changed` of them another way than at first."""
    routes = [
        {"swap": FIRST + number, "as": [500_000 + number + (number < changed)], "via": "10.96.0.2", "dev": "core1"}
        for number in range(count)
    ]
    return NodeSpec.model_validate({"platform_labels": FIRST + count, "mpls_input": ["core1"], "routes": routes})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--image", default="stock")
    parser.add_argument("--routes", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    count = given.routes
    guest = guest_of(chosen_image(Workspace.here(), given.image), memory=2048, cpus=2)
    with tempfile.TemporaryDirectory() as scratch, booted(guest, given.folder or Path(scratch), 1200) as machine:
        print(f"{count:,} label routes; load of this machine {os.getloadavg()[0]:.1f}; {machine.accelerator}")
        first = spec(count)
        brought(machine, "first", first)
        brought(machine, "ten", spec(count, changed=10))
        put(machine, "/root/tools", TOOLS.encode())
        put(machine, "/root/bare", render(first)[LABELS_FILE].encode())
        grow = f"up; echo {FIRST + count} >/proc/sys/net/mpls/platform_labels"
        told(machine, f"{grow}; row 'bare ip -batch' ip -f mpls -batch /root/bare; ip -f mpls route flush proto 77")
        told(machine, "row 'node.bootstrap' sh /root/first/apply.sh node '>/root/said'; have >&2")
        told(machine, "row 'a look at the kernel' ip -o -f mpls route show proto 77 '>/dev/null'")
        told(machine, "row 'node.bootstrap again' sh /root/first/apply.sh node '>/root/said'")
        told(machine, "touched row 'ten routes changed' sh /root/ten/apply.sh node '>/root/said'")
        told(machine, f"kept 'keeper: link down and up' {count} flap")
        told(machine, f"kept 'keeper: interface made anew' {count} anew")
        told(machine, f"systemctl restart mplskit-routes; kept 'keeper: started, all there' {count} true")
        told(machine, f"kept 'keeper: a minute of peace' {count} sleep 60")
        said = (
            "systemctl show -p NRestarts,MemoryMax mplskit-routes | xargs; "
            "grep oom $keeper/memory.events | xargs; ip -f mpls route show proto 77 | wc -l"
        )
        print(f"{machine_says(machine, f'. /root/tools; {said}')}; load {os.getloadavg()[0]:.1f}")


def brought(machine: Machine, name: str, node: NodeSpec) -> None:
    """Unpack a payload below /root, and run none of it."""
    folder = f"/root/{name}"
    once(machine.host, f"mkdir {folder} && tar -x -m -C {folder}", stdin=b"".join(archive(node)))


def put(machine: Machine, path: str, content: bytes) -> None:
    once(machine.host, f"cat >{path}", stdin=content)


def machine_says(machine: Machine, command: str) -> str:
    return once(machine.host, command, timeout=3600).stdout.strip().replace("\n", ", ")


def told(machine: Machine, command: str) -> None:
    """Run it there, and print its rows: what, by the clock, of the processor, largest memory."""
    ended = once(machine.host, f". /root/tools; {command}", timeout=3600)
    for line in ended.stdout.splitlines():
        kind, _, rest = line.partition("\t")
        if kind == "row":
            name, *figures = rest.split("\t")
            print(f"  {name:32}" + "".join(f"{figure:>12}" for figure in figures), flush=True)
        elif kind == "note":
            print(f"  {'':4}{rest}", flush=True)
        else:
            progress.note(f"  {line}")


if __name__ == "__main__":
    main()
