"""Proves that the `ip` inside a package speaks MPLS, on any kernel: what counts is who refuses a command.

iproute2 exits 2 when the kernel refuses and 1 or 255 when its own parser does (iproute2, `ip.c` and `utils.c`). The two
control probes must be refused by the parser, or the proof proves nothing.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.debian.package_file import extract
from mplskit.errors import MachineLacks, NotSo, WrongInput
from mplskit.paths import Workspace
from mplskit.task_folders import where_programs_run

PARSED = (0, 2)
PROBES = (
    ("knows the family mpls", "-f mpls route show", True),
    ("parses a label route", "-f mpls route replace 100 as 200 via inet 127.0.0.1 dev lo", True),
    ("parses encap mpls", "route replace 192.0.2.1/32 encap mpls 100/200 via 127.0.0.1 dev lo", True),
    ("control: refuses an unknown family", "-f nosuch route show", False),
    (
        "control: refuses an unknown encapsulation",
        "route replace 192.0.2.1/32 encap nosuch 1 via 127.0.0.1 dev lo",
        False,
    ),
)


@dataclass(frozen=True)
class Probe:
    """One thing that was tried: what it shows, the command, whether it came out as it must, what was answered."""

    shows: str
    command: str
    passed: bool
    answer: str


def require_namespace() -> None:
    """Raise MachineLacks unless this machine lets us have the network namespace that an `ip` is proven in."""
    tried = process.run([*_namespace(), "true"], check=False)
    if tried.returncode != 0:
        root = os.geteuid() == 0
        raise MachineLacks(
            "this machine refuses a network namespace, and the packaged ip is proven in one",
            detail=tried.stderr.strip(),
            hint="a container needs CAP_SYS_ADMIN for it (docker run --cap-add SYS_ADMIN)"
            if root
            else "run the same command as root; or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 "
            "user.max_user_namespaces=10000",
        )


def prove(package: Path) -> list[Probe]:
    """Run the packaged `ip` in a network namespace of its own.

    Raises NotSo with every probe that failed, MachineLacks when there can be no such namespace, or `ip` cannot run.
    """
    with tempfile.TemporaryDirectory(dir=where_programs_run(Workspace.here())) as folder:
        extract(package, Path(folder), failure=WrongInput)
        ip = next((path for path in (Path(folder, "bin/ip"), Path(folder, "usr/bin/ip")) if path.is_file()), None)
        if ip is None:
            raise NotSo(f"{package.name} holds no ip")
        require_namespace()
        probes = [_version(ip), *(_probe(ip, *probe) for probe in PROBES), _explains(ip)]
    failed = [probe for probe in probes if not probe.passed]
    if failed:
        raise NotSo(
            f"the ip in {package.name} does not speak MPLS",
            detail="\n".join(f"{probe.shows}: {probe.command}: {probe.answer}" for probe in failed),
            hint="build it from Debian's source package: invoke iproute2.build",
        )
    return probes


def _version(ip: Path) -> Probe:
    answer = process.run([ip, "-V"], check=False)
    # 127 without a library of its, 126 where the kernel cannot run it.
    if answer.returncode in (126, 127):
        raise MachineLacks(
            "the packaged ip cannot be run on this machine",
            detail=answer.stderr,
            hint="install the libraries that it names, or verify it on a machine of the package's architecture",
        )
    return Probe("is iproute2", "ip -V", "iproute2" in answer.stdout, answer.stdout.strip())


def _probe(ip: Path, shows: str, words: str, parsed: bool) -> Probe:
    answer = process.run([*_namespace(), ip, *words.split()], check=False)
    seen = (answer.stderr or answer.stdout).strip().splitlines()
    text = f"exit {answer.returncode}" + (f", {seen[0]}" if seen else "")
    return Probe(shows, f"ip {words}", (answer.returncode in PARSED) is parsed, text)


def _explains(ip: Path) -> Probe:
    """Without libmnl an `ip` swallows the kernel's explanations, and users see a bare "Invalid argument"."""
    linked = process.run(["ldd", ip], check=False).stdout
    name = next((line.split()[0] for line in linked.splitlines() if "libmnl" in line), "")
    return Probe("shows the kernel's explanations", "ldd ip", bool(name), name or "not linked with libmnl")


def _namespace() -> list[str]:
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
