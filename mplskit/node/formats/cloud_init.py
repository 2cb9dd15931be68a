"""A user-data for each node, by which cloud-init applies the payload at the first boot."""

import base64
import gzip
from collections.abc import Sequence
from pathlib import Path

from mplskit import progress
from mplskit.node.formats.quoted import yaml_of
from mplskit.node.node import Node
from mplskit.node.payload.opening import script
from mplskit.node.payload.payload import archive

# /run is there before write_files, and gone after the boot.
CARRIED = "/run/mplskit-payload.tar"
# What Amazon EC2, and others after it, take at most, as it is uploaded; cloud-init takes gzip as well.
MOST = 16 << 10


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str]) -> None:
    """Write NAME/user-data of each node, and NAME/meta-data for a NoCloud seed; say which are larger than 16 KiB."""
    for name, node in zip(names, nodes, strict=True):
        own = folder / name
        own.mkdir()
        text = user_data(node)
        (own / "user-data").write_text(text)
        (own / "meta-data").write_text(yaml_of({"instance-id": f"mplskit-{name}"}))
        if len(text) > MOST:
            packed = gzip.compress(text.encode(), mtime=0)
            (own / "user-data.gz").write_bytes(packed)
            progress.note(
                f"! {name}/user-data has {len(text)} bytes: some clouds take {MOST} at most; "
                f"user-data.gz is the same for cloud-init and has {len(packed)}"
            )


def user_data(node: Node) -> str:
    """The cloud-config of a node: its payload as one archive, and the command that applies it."""
    tar = b"".join(archive(node.spec))
    run = f"exec <{CARRIED} && rm {CARRIED}\n{script('node', node.spec.allow)}"
    return "#cloud-config\n" + yaml_of(
        {
            "write_files": [
                {
                    "path": CARRIED,
                    "permissions": "0600",
                    "encoding": "gz+b64",
                    "content": base64.b64encode(gzip.compress(tar, mtime=0)).decode(),
                }
            ],
            "runcmd": [["sh", "-c", run]],
        }
    )
