"""A playbook, an inventory and the payload of each node, for ansible-playbook."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mplskit.errors import WrongInput
from mplskit.fleet.formats.payloads import payloads
from mplskit.fleet.formats.quoted_yaml import Unsafe, yaml_of
from mplskit.node.node import Node
from mplskit.paths import data
from mplskit.process import quote
from mplskit.remote.host import Host
from mplskit.wording import several

README = """\
The setup of {nodes} by Ansible (its core is enough{doas}). In this folder:

    ansible-playbook -i inventory.yml playbook.yml

With --check it says what it would do, and changes nothing. Where sudo asks for a password, add --ask-become-pass.
The nodes need Python, as for every playbook. Host keys are checked as your ssh_config says.
"""

# Groups that are there by themselves: all nodes are in all, and in mplskit.
TAKEN = ("all", "ungrouped", "mplskit")
# sudo is in Ansible's core; doas comes with a collection.
METHODS = {"sudo": "ansible.builtin.sudo", "doas": "community.general.doas"}


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str]) -> None:
    """Write playbook.yml, inventory.yml, payloads/NAME.tar and README."""
    shutil.copyfile(data("bootstrap") / "carriers" / "playbook.yml", folder / "playbook.yml")
    (folder / "inventory.yml").write_text(inventory(nodes, names))
    payloads(folder, nodes, names)
    doas = "; doas is in community.general" if any(node.host.become == "doas" for node in nodes) else ""
    (folder / "README").write_text(README.format(nodes=several(names), doas=doas))


def inventory(nodes: Sequence[Node], names: Sequence[str]) -> str:
    """The nodes and their groups as Ansible's YAML. No password is in it: --ask-become-pass asks for that."""
    named = list(zip(names, nodes, strict=True))
    groups = group_names(sorted({group for node in nodes for group in node.groups}), names)
    members = {own: [name for name, node in named if group in node.groups] for group, own in groups.items()}
    children = {
        "mplskit": {"hosts": {name: _variables(node) for name, node in named}},
        **{group: {"hosts": {name: {} for name in found}} for group, found in members.items()},
    }
    return yaml_of({"all": {"children": children}})


def group_names(groups: Sequence[str], nodes: Sequence[str]) -> dict[str, str]:
    """What each group is called in Ansible, which takes only names as Python has them: edge-1 is edge_1.

    Raises WrongInput when something else has that name already.
    """
    owners = {**{name: f"the node {name}" for name in nodes}, **dict.fromkeys(TAKEN, "a group of Ansible's own")}
    found: dict[str, str] = {}
    for group in groups:
        own = re.sub(r"\W", "_", group, flags=re.ASCII)
        own = f"_{own}" if own[0].isdigit() else own
        if own in owners:
            changed = f", as {own} in Ansible," if own != group else ""
            raise WrongInput(f"group {group}{changed} has the name of {owners[own]}", hint="give it another name")
        found[group] = own
        owners[own] = f"the group {group}"
    return found


def _variables(node: Node) -> dict[str, object]:
    host = node.host
    variables: dict[str, Any] = {"ansible_host": host.name}
    if host.user is not None:
        variables["ansible_user"] = host.user
    if host.port is not None:
        variables["ansible_port"] = host.port
    if host.become is not None:
        variables |= {"ansible_become": True, "ansible_become_method": METHODS[host.become]}
    if options := ssh_options(host):
        variables["ansible_ssh_common_args"] = Unsafe(options)
    variables["mplskit_allow"] = list(node.spec.allow)
    return variables


def ssh_options(host: Host) -> str:
    """What ssh is told beside host, user and port."""
    words: list[str | Path] = []
    if host.ssh_config is not None:
        words += ["-F", host.ssh_config.absolute()]
    if host.accept_new:
        words += ["-o", "StrictHostKeyChecking=accept-new"]
    return quote(words)
