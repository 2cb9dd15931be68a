"""A user-data for each node, by which cloud-init applies the payload at the first boot."""

import base64
import gzip
from collections.abc import Sequence
from pathlib import Path

from mplskit import progress
from mplskit.fleet.formats.quoted_yaml import yaml_of
from mplskit.node.node import Node
from mplskit.node.payload.payload import contents, tar
from mplskit.node.payload.session_opening import script
from mplskit.wording import joined, several

# /run is there before write_files, and gone after the boot.
CARRIED = "/run/mplskit-payload.tar"
# What clouds take at most, in bytes before base64; cloud-init reads gzip as well (and no xz).
MOST = {"Amazon EC2": 16384, "OpenStack": 49149, "Azure": 65535}

README = """\
The setup of {nodes} by cloud-init, at the first boot. There is a folder for each node:

    user-data      give it to the cloud as the user data of the node
    user-data.gz   the same in fewer bytes, if there is one
    meta-data      for a disk of the NoCloud source, which a VM of your own reads:
                   genisoimage -volid cidata -joliet -rock -output seed.iso user-data meta-data

What was done is in /var/log/cloud-init-output.log of the node.
"""


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str]) -> None:
    """Write NAME/user-data and NAME/meta-data of each node, and README; say when one is larger than clouds take."""
    sizes: list[tuple[int, int]] = []
    for name, node in zip(names, nodes, strict=True):
        own = folder / name
        own.mkdir()
        text = user_data(node)
        (own / "user-data").write_text(text)
        (own / "meta-data").write_text(yaml_of({"instance-id": f"mplskit-{name}"}))
        if len(text) > min(MOST.values()):
            packed = gzip.compress(text.encode(), mtime=0)
            (own / "user-data.gz").write_bytes(packed)
            sizes.append((len(text), len(packed)))
    (folder / "README").write_text(README.format(nodes=several(names)))
    if sizes:
        largest = [max(size) for size in zip(*sizes, strict=True)]
        progress.note(size_note(*largest))


def size_note(plain: int, packed: int) -> str:
    """What to know of a user-data that is larger than some clouds take; sizes in bytes."""
    takes = ", ".join(f"{cloud} {most:,}" for cloud, most in MOST.items())
    small = [cloud for cloud, most in MOST.items() if packed > most]
    too_large = f"; too large for {joined(small)} all the same: use node.bootstrap there" if small else ""
    return (
        f"! user-data has up to {plain:,} bytes, and clouds take at most: {takes}. user-data.gz is the same for "
        f"cloud-init and has up to {packed:,}{too_large}"
    )


def user_data(node: Node) -> str:
    """The cloud-config of a node: its payload as one archive, and the command that applies it."""
    run = f"exec <{CARRIED} && rm {CARRIED}\n{script('node', node.spec.allow)}"
    return "#cloud-config\n" + yaml_of(
        {
            "write_files": [
                {
                    "path": CARRIED,
                    "permissions": "0600",
                    "encoding": "gz+b64",
                    "content": base64.b64encode(gzip.compress(payload(node), mtime=0)).decode(),
                }
            ],
            "runcmd": [["sh", "-c", run]],
        }
    )


def payload(node: Node) -> bytes:
    """The payload, without the comments of the scripts that are gone after the run: every byte counts."""
    files = [(name, _bytes(source)) for name, source in contents(node.spec)]
    # What stays on the node is as node.bootstrap brings it, and packs to nothing where it is there a second time.
    stays = {content for name, content in files if "/" in name}
    return b"".join(tar((name, c if "/" in name or c in stays else uncommented(c)) for name, c in files))


def uncommented(content: bytes) -> bytes:
    """A script without the lines that are comments, its first line apart."""
    first, *lines = content.splitlines(keepends=True)
    return b"".join([first, *(line for line in lines if not line.lstrip().startswith(b"#"))])


def _bytes(source: bytes | Path) -> bytes:
    return source.read_bytes() if isinstance(source, Path) else source
