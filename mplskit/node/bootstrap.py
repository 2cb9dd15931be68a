"""Sets a node up: the payload is carried there, and does what is not so yet."""

from collections.abc import Sequence
from pathlib import Path

from mplskit.debian.package_file import Deb, Role
from mplskit.debian.package_records import KERNEL, read_record
from mplskit.node.carry import Hear, carry
from mplskit.node.node import Node
from mplskit.node.payload.apt import Apt
from mplskit.node.payload_report import Report

GUEST_KERNEL = (
    "the kernel brought is one for virtual machines (base guest): a machine of metal needs its own drivers and an "
    "initramfs to boot"
)


def bootstrap(node: Node, packages: Sequence[Deb] = (), *, apt: Apt | None = None, hear: Hear | None = None) -> Report:
    """Make `node` what its spec says, now and after every boot; what is so already is left alone.

    Raises OutsideFailed when the host cannot be reached or did not run the payload to its end, MachineLacks when the
    login there is not root's.
    """
    return carry(node, "node", packages=packages, apt=apt, hear=hear)


def brings_guest_kernel(packages: Sequence[Path]) -> bool:
    """Whether the kernel among `packages` was made for virtual machines alone, as the record beside it says."""
    records = [(path, read_record(path.parent / KERNEL)) for path in packages]
    return any(
        record is not None
        and record.get("base") == "guest"
        and any(row["file"] == path.name and row["role"] == Role.IMAGE for row in record["packages"])
        for path, record in records
    )
