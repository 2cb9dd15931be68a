"""The payload of each node as one archive, beside what carries it."""

from collections.abc import Sequence
from pathlib import Path

from mplskit.debian.package_file import Deb
from mplskit.node.node import Node
from mplskit.node.payload.apt import Apt
from mplskit.node.payload.payload import archive


def payloads(
    folder: Path, nodes: Sequence[Node], names: Sequence[str], packages: Sequence[Deb] = (), apt: Apt | None = None
) -> None:
    """Write payloads/NAME.tar of each node: the packages are named in it, and not in it."""
    (folder / "payloads").mkdir()
    for name, node in zip(names, nodes, strict=True):
        (folder / "payloads" / f"{name}.tar").write_bytes(b"".join(archive(node.spec, packages, (), apt)))
