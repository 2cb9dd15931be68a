"""A deploy, an inventory and the payload of each node, for pyinfra 3; pyinfra itself is never imported here."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mplskit.debian.package_file import Deb, Role
from mplskit.fleet.formats.payloads import payloads
from mplskit.node.node import Node
from mplskit.node.payload.apt import Apt
from mplskit.node.payload.packages_there import STREAMED, needs
from mplskit.node.payload.payload import entry
from mplskit.node.payload.session_opening import OFFER, script
from mplskit.paths import data
from mplskit.remote.host import Host
from mplskit.wording import several

README = """\
The setup of {nodes} by pyinfra 3. In this folder:

    pyinfra -y inventory.py deploy.py

It may be run again: what is so already is left alone. What was done is in reports/NAME.tsv afterwards.
Host keys are checked against ~/.ssh/known_hosts, or the UserKnownHostsFile of the ssh_config file.
"""

ALL = "all"
INVENTORY = """\
globals().update(
    {{
        'all': (
            [
{hosts}            ],
            {data},
        ),
{groups}    }}
)
"""


@dataclass(frozen=True)
class PyinfraNode(Node):
    """A node of an inventory of pyinfra's; `connection` is what that says of the way there and Host does not know."""

    connection: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Carried:
    """What the payload is to do on the nodes, and what it brings besides."""

    mode: Literal["node", "plan"] = "node"
    packages: Sequence[Deb] = ()
    apt: Apt | None = None


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str], carried: Carried = Carried()) -> None:
    """Write deploy.py, inventory.py, payloads/NAME.tar, packages/SHA256.tar and README."""
    for name in ("deploy.py", *(["needed.py"] if carried.packages else [])):
        shutil.copyfile(data("bootstrap") / "carriers" / name, folder / name)
    (folder / "inventory.py").write_text(inventory(nodes, names, carried))
    payloads(folder, nodes, names, carried.packages, carried.apt)
    if carried.packages and carried.mode == "node":
        (folder / "packages").mkdir()
    for deb in carried.packages if carried.mode == "node" else ():
        with (folder / _part(deb)).open("wb") as file:
            file.writelines(entry(f"packages/{deb.path.name}", deb.path))
    (folder / "README").write_text(README.format(nodes=several(names)))


def inventory(nodes: Sequence[Node], names: Sequence[str], carried: Carried = Carried()) -> str:
    """The nodes with their data, and their groups, as pyinfra reads them: a Python file of literals."""
    named = list(zip(names, nodes, strict=True))
    groups = sorted({group for node in nodes for group in node.groups} - {ALL})
    members = {group: [name for name, node in named if group in node.groups] for group in groups}
    hosts = "".join(f"                ({name!r}, {_data(node, carried)!r}),\n" for name, node in named)
    below = "".join(f"        {group!r}: {found!r},\n" for group, found in members.items())
    # A group's name need not be one of Python's: globals() takes any.
    return INVENTORY.format(hosts=hosts, data=repr(_shared(carried)), groups=below)


def _shared(carried: Carried) -> dict[str, object]:
    """What is the same for all nodes."""
    packages = {"mplskit_offer": OFFER, "mplskit_packages": [_package(deb) for deb in carried.packages]}
    return {"mplskit_mode": carried.mode, **(packages if carried.packages else {})}


def _data(node: Node, carried: Carried) -> dict[str, object]:
    beside = node.connection if isinstance(node, PyinfraNode) else {}
    return {**beside, **connection(node.host), "mplskit_script": script(carried.mode, node.spec.allow)}


def _package(deb: Deb) -> dict[str, object]:
    """What needed.py wants to know of a package. It lies in the folder for streams twice: as it came, and unpacked."""
    sizes = needs(deb)
    return {
        "name": deb.package.package,
        "identity": f"{deb.package.sha256} {deb.package.version}",
        "part": _part(deb),
        "needs": {**sizes, STREAMED: 2 * sizes[STREAMED]},
        "kernel": deb.package.role is Role.IMAGE,
    }


def _part(deb: Deb) -> str:
    return f"packages/{deb.package.sha256}.tar"


def connection(host: Host) -> dict[str, object]:
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
