"""Sets a node up: one SSH session carries the payload there, runs it, and brings its report back."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from mplskit import progress
from mplskit.errors import OutsideFailed
from mplskit.node.payload import archive
from mplskit.node.report import Item, Report, parse_line
from mplskit.node.spec import NodeSpec
from mplskit.packages.package import Role
from mplskit.packages.record import KERNEL, read_record
from mplskit.remote.host import Host
from mplskit.remote.refusals import not_root
from mplskit.remote.session import stream

# /var/tmp is on disk: /tmp may be in memory, and too small for a kernel.
RECEIVE = """\
d=$(mktemp -d /var/tmp/mplskit.XXXXXXXXXX) || exit
trap 'rm -rf "$d"' EXIT
trap 'exit 129' HUP INT TERM PIPE
tar -x -m --no-same-owner -C "$d" && sh "$d/apply.sh" node"""

GUEST_KERNEL = (
    "the kernel brought is one for virtual machines (base guest): a machine of metal needs its own drivers and an "
    "initramfs to boot"
)

SHOWN = {"changed": "✓", "failed": "✗", "note": "!"}


def bootstrap(host: Host, spec: NodeSpec, packages: Sequence[Path] = ()) -> Report:
    """Make `host` what `spec` says, now and after every boot; what is so already is left alone.

    Raises OutsideFailed when the host cannot be reached or did not run the payload to its end, MachineLacks when the
    login there is not root's.
    """
    items: list[Item] = []

    def hear(line: str) -> None:
        try:
            item = parse_line(line)
        except ValueError:
            progress.note(f"  {host} says: {line}")
            return
        items.append(item)
        if item.state in SHOWN:
            progress.note(f"  {SHOWN[item.state]} {item.kind} {item.name}: {item.detail}")

    with progress.step(f"setting up {host}"):
        status, words = stream(host, f"exec sh -c {shlex.quote(RECEIVE)}", archive(spec, packages), hear)
    report = Report.of(items)
    refused = [item for item in report.failed if (item.kind, item.name) == ("node", "root")]
    if refused:
        raise not_root(host, refused[0].detail)
    if not items or (status != 0) != bool(report.failed):
        raise OutsideFailed(
            f"the set-up of {host} did not run to its end (exit {status})",
            detail="\n".join(words.strip().splitlines()[-15:]),
            hint="it may be run again: what is done stays, what is missing follows",
        )
    return report


def brings_guest_kernel(packages: Sequence[Path]) -> bool:
    """Whether the kernel among `packages` was made for virtual machines alone, as the record beside it says."""
    records = [(path, read_record(path.parent / KERNEL)) for path in packages]
    return any(
        record is not None
        and record.get("base") == "guest"
        and any(row["file"] == path.name and row["role"] == Role.IMAGE for row in record["packages"])
        for path, record in records
    )
