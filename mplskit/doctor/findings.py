"""What this machine has for the work: packages per task, space, privilege, acceleration, MPLS of its own."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mplskit.debian.installed import installed_of
from mplskit.debian.suites import release
from mplskit.doctor.packages_txt import parse
from mplskit.paths import Workspace, data

TASKS = (
    "kernel.build",
    "iproute2.build",
    "image.build",
    "image.boot",
    "node.bootstrap",
    "lab.run",
    "ci.pipeline",
    "test",
    "test.e2e",
)
PIPELINE_SPACE = 8 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `needed` is false where the work goes on without it."""

    subject: str
    good: bool
    found: str
    cure: str = ""
    needed: bool = True


def examine(workspace: Workspace) -> list[Finding]:
    """Everything `doctor` tells, the tasks first."""
    lines = parse(data("packages.txt").read_text())
    codename = release()
    wanted = {
        task: sorted({p for line in lines if line.applies(task, codename) for p in line.packages}) for task in TASKS
    }
    present = installed_of(sorted({name for names in wanted.values() for name in names}))
    tasks = [_task(task, [name for name in names if name not in present]) for task, names in wanted.items()]
    return [*tasks, _root(), _space(workspace.build), _kvm(workspace), _own_mpls()]


def _task(task: str, missing: list[str]) -> Finding:
    if not missing:
        return Finding(task, True, "all packages are installed")
    return Finding(
        task, False, f"lacks {' '.join(missing)}", f"apt-get install --no-install-recommends {' '.join(missing)}"
    )


def _root() -> Finding:
    good = os.geteuid() == 0
    return Finding(
        "root (images, namespaces)", good, "yes" if good else "no", "" if good else "sudo ./run …", needed=False
    )


def _space(build: Path) -> Finding:
    place = next(folder for folder in (build, *build.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return Finding(
        f"space for ci.pipeline in {place}",
        free >= PIPELINE_SPACE,
        f"{free >> 30} GiB free, {PIPELINE_SPACE >> 30} GiB wanted",
        "" if free >= PIPELINE_SPACE else "free some space, or set MPLSKIT_BUILD",
    )


def _kvm(workspace: Workspace) -> Finding:
    """A kernel is the only proof: the newest of the images' kernels, if there is one."""
    from mplskit.vm.acceleration import DEVICE, proven, unavailable

    absent = unavailable()
    kernels = sorted(workspace.dist.glob("*.vmlinuz"), key=lambda path: path.stat().st_mtime)
    if absent or not kernels:
        found = absent or f"{DEVICE} opens, which proves nothing yet: the first boot of an image tries it"
        return Finding("KVM", not absent, found, "VMs run under emulation (TCG)" if absent else "", needed=False)
    verdict = proven(kernels[-1], workspace.cache)
    cure = "" if verdict.usable else "VMs run under emulation (TCG)"
    return Finding("KVM", verdict.usable, verdict.reason, cure, needed=False)


def _own_mpls() -> Finding:
    live = Path("/proc/sys/net/mpls").exists()
    found = "/proc/sys/net/mpls is there" if live else "mpls_router is not loaded here"
    return Finding("MPLS in this machine's own kernel", live, found, "" if live else "labs run in a VM", needed=False)
