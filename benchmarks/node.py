"""Seconds to set nodes up, first and second run: node.bootstrap, pyinfra's own operations, Ansible, and a bare ssh.

    PYTHONPATH=. .venv/bin/python benchmarks/node.py [--nodes 1,32] [--runs 1] [--parallel 8] [--cap 150] …

The nodes are containers in one VM of the image (tests/worlds/container_nodes.py), each reached at a forwarded port of
127.0.0.1: no contender has a jump host. They have no systemd, so nobody starts a unit. Each first run finds clean
containers, each second run finds what the first one left. Only the configuration is brought, no packages.

The limit is `ssh node sh` with the payload that node.bootstrap carries on its stdin, run by xargs. The others are in
benchmarks/contenders/, at the versions of requirements.txt there: their own operations and modules, written as an
operator would, which leave out what mplskit does besides (the keeper, udev, records for node.remove). All work on
`--parallel` nodes at a time: two emulated CPUs shake no more hands in the ten seconds that ssh has for it.

Shown are medians: seconds, CPU seconds of this machine without QEMU's (and without Ansible's ssh masters, which stay
behind), and seconds as a multiple of the limit's. One uncounted round on one node comes first. A contender whose nodes
are not what they should be afterwards has failed. pyinfra and Ansible are ended after `--cap` seconds, which is shown
with `>`, and have no second run then.

Needs what image.boot needs, and an image with MPLS; the first run makes a Python environment with the contenders and
an overlay of the image with Python for Ansible, both in --folder.
"""

import argparse
import hashlib
import json
import os
import resource
import shlex
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mplskit import process, progress, terminal
from mplskit.errors import OutsideFailed
from mplskit.fleet.flags import SpecFlags
from mplskit.fleet.inventory.selection import selected
from mplskit.image.boot import chosen_image, guest_of
from mplskit.image.image_record import Image
from mplskit.node.payload.payload import archive
from mplskit.node.payload.session_opening import script
from mplskit.paths import Workspace
from mplskit.remote.session import once
from mplskit.vm.machine import booted
from tests.worlds.container_nodes import Fleet, fleet_of

ROOT = Path(__file__).resolve().parent.parent
CONTENDERS = Path(__file__).with_name("contenders")
SYSCTLS = {"net.mpls.platform_labels": 1000, "net.mpls.conf.eth0.input": 1, "net.ipv4.conf.lo.rp_filter": 2}
PYTHON = (
    "[ -x /usr/bin/python3 ] || { apt-get -qq update && "
    "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3; } && sync"
)
# What a node is like, told by the VM, since a node's own sshd would be another handshake for each.
LOOK = """for n in "$@"; do ip netns exec "node-$n" sh -c '
    cat /proc/sys/net/mpls/platform_labels /proc/sys/net/mpls/conf/eth0/input /proc/sys/net/ipv4/conf/lo/rp_filter
    ip -o -4 address show dev lo
    ip -N route show
    ip -N -f mpls route show' | tr -s ' \\n' ' '
    if grep -rqs platform_labels "/run/nodes/$n/root/etc/sysctl.d"; then echo kept; else echo; fi
done"""


@dataclass(frozen=True)
class Grounds:
    """Where the contenders work: `ssh_config` leads to all nodes without a jump host."""

    fleet: Fleet
    folder: Path
    ssh_config: Path
    tools: Path
    parallel: int
    cap: float


@dataclass(frozen=True)
class Time:
    """What a run took; `over`, when it was ended before it was through."""

    wall: float
    cpu: float
    over: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", default="1,32", help="how many nodes, in commas")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--cap", type=float, default=150, help="seconds after which pyinfra and Ansible are ended")
    parser.add_argument("--image", default="")
    parser.add_argument("--only", default="", help="only these contenders and the limit, in commas")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "benchmark" / "node")
    given = parser.parse_args()
    counts = [int(count) for count in given.nodes.split(",")]
    wanted = given.only.split(",") if given.only else list(ORDER)
    if unknown := set(wanted) - set(ORDER):
        parser.error(f"--only {', '.join(sorted(unknown))}: allowed are {', '.join(ORDER)}")
    only = [name for name in ORDER if name in ("limit", *wanted)]
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.absolute()
    image = chosen_image(Workspace.here(), given.image)
    tools = environment(folder / "tools")
    with grounds(image, folder, max(counts), tools, given.parallel, given.cap) as where:
        measured(where, only, 1, runs=1, whiches=1)
        for count in counts:
            before = os.getloadavg()[0]
            times = measured(where, only, count, given.runs)
            show(times, count, given, before)


Times = dict[str, list[list[Time | None]]]


def measured(where: Grounds, names: Sequence[str], count: int, runs: int, whiches: int = 2) -> Times:
    """Contender -> times of its first and of its second run; None for one that failed."""
    numbers = range(1, count + 1)
    times: Times = {name: [[] for _ in range(whiches)] for name in names}
    for _ in range(runs):
        for name in names:
            where.fleet.tell("wipe", numbers)
            where.fleet.tell("start", numbers)
            for found in times[name]:
                took = one(where, name, numbers)
                found.append(took)
                if took and took.over:
                    break
    where.fleet.tell("wipe", numbers)
    return times


def one(where: Grounds, name: str, numbers: Sequence[int]) -> Time | None:
    """Let a contender set nodes up; None when it failed."""
    plural = "" if len(numbers) == 1 else "s"
    folder = where.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CONTENDERS, folder)
    with tempfile.TemporaryDirectory() as sockets:
        argv, env = ORDER[name](where, folder, numbers, sockets)
        begin, busy = time.monotonic(), cpu()
        most = None if name in ("limit", "mplskit") else where.cap
        try:
            ended = process.run(
                argv, env=env, cwd=folder, log=folder / "log", check=False, timeout=most, failure=OutsideFailed
            )
        except OutsideFailed:
            progress.note(f"  {name}, {len(numbers)} node{plural}: ended after {most:g} s")
            return Time(time.monotonic() - begin, cpu() - busy, over=True)
        took = Time(time.monotonic() - begin, cpu() - busy)
    wrong = [*([f"exit {ended.returncode}"] if ended.returncode else []), *unmet(where, numbers)]
    progress.note(f"  {name}, {len(numbers)} node{plural}: {took.wall:.1f} s, {took.cpu:.1f} s of CPU")
    if wrong:
        progress.note(f"! {name} failed: {'; '.join(wrong[:3])} ({folder / 'log'})")
        shutil.copyfile(folder / "log", where.folder / f"{name}.failed.log")
    return None if wrong else took


# --- the contenders: the command, and its environment -------------------------------------------------------------

Command = tuple[list[str], dict[str, str | None]]


def limit(where: Grounds, folder: Path, numbers: Sequence[int], sockets: str) -> Command:
    """The payload on the stdin of a bare ssh."""
    nodes = selected(SpecFlags(inventory=str(inventory(folder, numbers))))
    for node in nodes:
        (folder / f"{node.name}.tar").write_bytes(b"".join(archive(node.spec)))
    command = f"exec sh -c {shlex.quote(script('node'))}"
    ssh = shlex.join(["ssh", "-T", "-F", str(where.ssh_config)])
    (folder / "one.sh").write_text(f'exec {ssh} "$1" {shlex.quote(command)} <"$1.tar"\n')
    names = " ".join(node.name for node in nodes)
    return ["sh", "-c", f"printf '%s\\n' {names} | xargs -n 1 -P {where.parallel} sh one.sh"], {}


def mplskit(where: Grounds, folder: Path, numbers: Sequence[int], sockets: str) -> Command:
    """node.bootstrap, as at the desk."""
    invoke = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), "node.bootstrap"]
    which = ["--inventory", str(inventory(folder, numbers)), "--ssh-config", str(where.ssh_config)]
    return [*invoke, *which, "--parallel", str(where.parallel)], {"MPLSKIT_BUILD": str(where.folder / "mplskit-build")}


def pyinfra(where: Grounds, folder: Path, numbers: Sequence[int], sockets: str) -> Command:
    """pyinfra with its own operations."""
    way = {"ssh_config_file": str(where.ssh_config), "ssh_strict_host_key_checking": "yes"}
    hosts = [(f"node-{number}", {**way, **values(number)}) for number in numbers]
    (folder / "inventory.py").write_text(f"nodes = {hosts!r}\n")
    program = str(where.tools / "bin" / "pyinfra")
    return [program, "-y", "--parallel", str(where.parallel), "inventory.py", "deploy.py"], {}


def ansible(where: Grounds, folder: Path, numbers: Sequence[int], sockets: str) -> Command:
    """Ansible with its own modules, pipelining, and as many forks as the others have."""
    hosts = {f"node-{number}": values(number) for number in numbers}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    env: dict[str, str | None] = {
        "ANSIBLE_HOME": str(where.folder / "ansible-home"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_FORKS": str(where.parallel),
        # Connections are shared within a run, not between two: they would last for a minute only.
        "ANSIBLE_SSH_ARGS": f"-F {where.ssh_config} -o ControlMaster=auto -o ControlPersist=60s",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
        "ANSIBLE_TIMEOUT": "60",  # as pyinfra's in config.py
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "LC_ALL": "C.UTF-8",
    }
    return [str(where.tools / "bin" / "ansible-playbook"), "-i", "inventory.json", "playbook.yml"], env


ORDER = {"limit": limit, "mplskit": mplskit, "pyinfra": pyinfra, "ansible": ansible}


# --- what a node should be ------------------------------------------------------------------------------------------


def other(number: int) -> int:
    """Pairs: each pushes the label that the other one pops."""
    return number + 1 if number % 2 else number - 1


def inventory(folder: Path, numbers: Sequence[int]) -> Path:
    """The nodes for mplskit."""
    text = "defaults: {user: root, platform_labels: 1000, mpls_input: [eth0]}\nnodes:\n"
    for number in numbers:
        peer = other(number)
        text += (
            f"  node-{number}:\n    loopbacks: [10.33.0.{number}/32]\n    routes:\n"
            f"      - {{push: [{100 + peer}], to: 10.33.0.{peer}/32, via: 10.32.0.{100 + peer}}}\n"
            f"      - {{pop: {100 + number}, dev: lo}}\n"
        )
    path = folder / "nodes.yaml"
    path.write_text(text)
    return path


def values(number: int) -> dict[str, object]:
    """The same for pyinfra and Ansible."""
    peer = other(number)
    push = {"to": f"10.33.0.{peer}/32", "label": 100 + peer, "via": f"10.32.0.{100 + peer}"}
    return {"sysctls": SYSCTLS, "loopback": f"10.33.0.{number}/32", "push": [push], "pop": [100 + number]}


def unmet(where: Grounds, numbers: Sequence[int]) -> list[str]:
    """What is not so on the nodes."""
    words = ["exec", "sh", "-s", *map(str, numbers)]
    said = once(where.fleet.vm, process.quote(words), stdin=LOOK.encode(), timeout=300).stdout
    wrong = []
    for number, line in zip(numbers, said.splitlines(), strict=True):
        peer = other(number)
        for wanted in (
            "1000 1 2 ",
            f" inet 10.33.0.{number}/32 ",
            f" 10.33.0.{peer} encap mpls {100 + peer} via 10.32.0.{100 + peer} dev eth0 ",
            f" {100 + number} dev lo ",
            " kept",
        ):
            if wanted not in line:
                wrong.append(f"node-{number} lacks{wanted}")
    return wrong


# --- where they work ----------------------------------------------------------------------------------------------


def environment(folder: Path) -> Path:
    """A Python environment with the contenders, made once."""
    wanted, made = CONTENDERS / "requirements.txt", folder / "requirements.txt"
    if not made.exists() or made.read_text() != wanted.read_text():
        with progress.step("install the contenders"):
            shutil.rmtree(folder, ignore_errors=True)
            process.run([sys.executable, "-m", "venv", str(folder)])
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
            process.run([*pip, "-r", str(wanted)], timeout=1200)
            shutil.copyfile(wanted, made)
    return folder


@contextmanager
def grounds(image: Image, folder: Path, count: int, tools: Path, parallel: int, cap: float) -> Iterator[Grounds]:
    """A VM, ready for nodes 1 to `count`."""
    numbers = range(1, count + 1)
    guest = guest_of(image, memory=2048, cpus=2, persist=True)
    disk = folder / f"{hashlib.sha256(str(image.qcow2.absolute()).encode()).hexdigest()[:12]}.qcow2"
    if not disk.exists() or disk.stat().st_mtime < image.qcow2.stat().st_mtime:
        backing = ["-F", "qcow2", "-b", str(image.qcow2.absolute())]
        process.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(disk)])
    vm = folder / "vm"
    vm.mkdir(exist_ok=True)
    with ExitStack() as stack:
        machine = stack.enter_context(booted(replace(guest, disk=disk), vm))
        with progress.step("Python for Ansible"):
            once(machine.host, PYTHON, timeout=600)
        fleet = stack.enter_context(fleet_of(machine.host, folder, numbers))
        ports = free_ports(numbers)
        # The connection that is open to the VM carries them all.
        ways = [word for number in numbers for word in ("-L", f"127.0.0.1:{ports[number]}:10.32.0.{100 + number}:22")]
        process.run(["ssh", "-F", str(fleet.ssh_config), "-O", "forward", *ways, machine.host.name])
        yield Grounds(fleet, folder, direct(fleet, folder, ports), tools, parallel, cap)


def free_ports(numbers: Sequence[int]) -> dict[int, int]:
    """A port of 127.0.0.1 for each."""
    with ExitStack() as stack:
        sockets = {number: stack.enter_context(socket.socket()) for number in numbers}
        for one_of_them in sockets.values():
            one_of_them.bind(("127.0.0.1", 0))
        return {number: bound.getsockname()[1] for number, bound in sockets.items()}


def direct(fleet: Fleet, folder: Path, ports: Mapping[int, int]) -> Path:
    """An ssh_config of the nodes at their ports. Their host keys are the VM's."""
    key = next(line for line in fleet.ssh_config.read_text().splitlines() if "IdentityFile" in line)
    told = once(fleet.vm, "cat /etc/ssh/ssh_host_*_key.pub").stdout.splitlines()
    known = folder / "nodes_hosts"
    known.write_text("".join(f"[127.0.0.1]:{port} {line}\n" for port in ports.values() for line in told))
    nodes = "".join(f"Host node-{number}\n  HostName 127.0.0.1\n  Port {port}\n" for number, port in ports.items())
    path = folder / "nodes_config"
    path.write_text(
        f"{nodes}Host node-*\n  User root\n{key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {known}\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n"
    )
    return path


# --- what came of it ------------------------------------------------------------------------------------------------


def show(times: Times, count: int, given: argparse.Namespace, before: float) -> None:
    """Print the table of a number of nodes."""
    plural, runs = "" if count == 1 else "s", "" if given.runs == 1 else "s"
    print(
        f"{count} node{plural}, {given.runs} run{runs}, {given.parallel} at a time; "
        f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after, {len(os.sched_getaffinity(0))} CPUs"
    )
    lowest = [median(found) for found in times["limit"]]
    rows = [[name, *(word for at in (0, 1) for word in cells(pair[at], lowest[at]))] for name, pair in times.items()]
    terminal.table(("", "first: s", "CPU s", "× limit", "second: s", "CPU s", "× limit"), rows)


def median(found: Sequence[Time | None]) -> Time | None:
    """The medians; None when a run failed, or when there was none."""
    good = [took for took in found if took]
    if not good or len(good) < len(found):
        return None
    wall, busy = (statistics.median(values) for values in zip(*((took.wall, took.cpu) for took in good), strict=True))
    return Time(wall, busy, any(took.over for took in good))


def cells(found: Sequence[Time | None], lowest: Time | None) -> list[str]:
    """Seconds, CPU seconds and the ratio to the limit, as words."""
    took = median(found)
    if not took:
        return ["failed" if found else "-", "", ""]
    more = "> " if took.over else ""
    ratio = f"{more}{took.wall / lowest.wall:.2f}" if lowest and not lowest.over else ""
    return [f"{more}{took.wall:.2f}", f"{more}{took.cpu:.2f}", ratio]


def cpu() -> float:
    """CPU seconds of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
