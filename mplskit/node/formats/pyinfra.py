"""A deploy, an inventory and the payload of each node, for pyinfra 3; pyinfra itself is never imported here."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mplskit.node.formats.payloads import payloads
from mplskit.node.node import Node
from mplskit.node.payload.opening import script
from mplskit.paths import data
from mplskit.remote.host import Host


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str]) -> None:
    """Write deploy.py, inventory.py and payloads/NAME.tar."""
    shutil.copyfile(data("bootstrap") / "carriers" / "deploy.py", folder / "deploy.py")
    (folder / "inventory.py").write_text(inventory(nodes, names))
    payloads(folder, nodes, names)


def inventory(nodes: Sequence[Node], names: Sequence[str]) -> str:
    """The nodes with their data, and their groups, as pyinfra reads them: a Python file of literals."""
    named = list(zip(names, nodes, strict=True))
    hosts = "".join(f"        ({name!r}, {_data(node)!r}),\n" for name, node in named)
    groups = sorted({group for node in nodes for group in node.groups} - {"all"})
    members = {group: [name for name, node in named if group in node.groups] for group in groups}
    below = "".join(f"        {group!r}: {found!r},\n" for group, found in members.items())
    # A group's name need not be one of Python's: globals() takes any.
    return f"globals().update(\n    {{\n        'all': [\n{_deeper(hosts)}        ],\n{below}    }}\n)\n"


def _deeper(lines: str) -> str:
    return "".join(f"    {line}\n" for line in lines.splitlines())


def _data(node: Node) -> dict[str, Any]:
    return {**connection(node.host), "mplskit_script": script("node", node.spec.allow)}


def connection(host: Host) -> dict[str, Any]:
    """How pyinfra reaches a host, in its own words. No password is in it."""
    known: dict[str, Any] = {"ssh_hostname": host.name}
    if host.user is not None:
        known["ssh_user"] = host.user
    if host.port is not None:
        known["ssh_port"] = host.port
    if host.ssh_config is not None:
        known["ssh_config_file"] = str(host.ssh_config.absolute())
    # pyinfra's own default takes the key of any host that is seen for the first time.
    known["ssh_strict_host_key_checking"] = "accept-new" if host.accept_new else "yes"
    if host.become is not None:
        known[f"_{host.become}"] = True
    return known
