"""Inventories of pyinfra: Python files that pyinfra itself reads, in a process of its own.

A host's data say with pyinfra's words how it is reached, and under `mplskit` what it should be.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mplskit import process
from mplskit.errors import WrongInput
from mplskit.fleet.formats.pyinfra import PyinfraNode
from mplskit.fleet.inventory import layers
from mplskit.fleet.inventory.inventory import NAME, NAME_RULE, Entry, spec_of
from mplskit.fleet.inventory.limit import limited
from mplskit.fleet.inventory.pyinfra_data import KEYS, SPEC, connection, refused
from mplskit.fleet.pyinfra.program import ENVIRONMENT, pyinfra, require
from mplskit.remote.host import Host
from mplskit.wording import clipped
from mplskit.yaml.spec_file import Fault, faults_of, wrong_input
from mplskit.yaml.tree import path_from_here, plain
from mplskit.yaml.value import Written


@dataclass(frozen=True)
class _Member:
    """A host as pyinfra told it."""

    name: str
    groups: tuple[str, ...]
    data: Mapping[str, Any]


def load(path: Path, settings: Iterable[str] = (), limit: str = "") -> tuple[PyinfraNode, ...]:
    """The nodes of a file, which is executed, that `limit` leaves; each of `settings` is a KEY=VALUE that counts more.

    Raises WrongInput with all that does not fit, of all hosts: file, host, the rule, and what is there; MachineLacks
    when pyinfra is not installed.
    """
    members = _members(path)
    over = layers.settings(settings)
    faults = [f"{layer.origin}: {key} is what each node says of itself" for layer in over for key in _own(layer)]
    if faults:
        raise wrong_input(faults)
    meant = {member.name for member in limited(members, limit)}
    nodes: list[PyinfraNode] = []
    for member in members:
        try:
            node = _node(member, over if member.name in meant else ())
        except _Wrong as wrong:
            faults += [f"{path_from_here(path)}: {clipped(member.name)}: {fault}" for fault in wrong.faults]
        else:
            nodes += [node] if member.name in meant else []
    if faults:
        raise wrong_input(faults)
    return tuple(nodes)


class _Wrong(Exception):
    """What does not fit in a host."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults


def _own(layer: Written) -> Iterator[str]:
    return (key for key in ("host", "groups") if key in layer.entries)


def _members(path: Path) -> Sequence[_Member]:
    """What pyinfra reads in the file."""
    if not path.is_file():
        raise WrongInput(f"there is no file {path_from_here(path)}")
    require()
    argv = pyinfra("--json", path.absolute(), "debug-inventory")
    ended = process.run(argv, env=ENVIRONMENT, check=False)
    lines = ended.stdout.strip().splitlines()
    try:
        # What the file prints comes before.
        rows = json.loads(lines[-1] if lines and ended.returncode == 0 else "")
        members = [_Member(row["name"], tuple(row["groups"]), row["data"]) for row in rows]
    except (ValueError, TypeError, KeyError):
        raise WrongInput(
            f"{path_from_here(path)}: pyinfra does not read it as an inventory",
            detail="\n".join((ended.stderr or ended.stdout).strip().splitlines()[-process.TAIL_LINES :]),
            hint=f"`{process.quote(['pyinfra', path, 'debug-inventory'])}` shows the same",
        ) from None
    if not members:
        raise WrongInput(f"{path_from_here(path)}: an inventory has at least one node")
    return members


def _node(member: _Member, settings: Sequence[Written]) -> PyinfraNode:
    """Raises _Wrong."""
    data = member.data
    if member.name.startswith("@"):
        raise _Wrong("mplskit goes to nodes by ssh, not by another connector of pyinfra's")
    if not NAME.fullmatch(member.name):
        raise _Wrong(f"{NAME_RULE}: give it one, and the address as ssh_hostname")
    if faults := list(refused(data)):
        raise _Wrong(*faults)
    tree = layers.merged([_tree(member), *settings])
    try:
        entry = Entry.model_validate(plain(tree))
        host = Host.parse(entry.host or "")
    except ValidationError as error:
        raise _Wrong(*(_told(tree, fault) for fault in faults_of(Entry, error))) from None
    except WrongInput as error:
        raise _Wrong(error.message) from None
    if host.user is not None or host.port is not None:
        raise _Wrong("ssh_hostname: user and port are said by ssh_user and ssh_port")
    config = data.get("ssh_config_file")
    reached = Host(
        host.name,
        entry.user,
        entry.port,
        Path(config).expanduser().absolute() if config else None,
        entry.become,
        data.get("ssh_strict_host_key_checking") == "accept-new",
    )
    return PyinfraNode(member.name, reached, spec_of(entry), member.groups, connection(data))


def _tree(member: _Member) -> Written:
    """What pyinfra's data say of a host, in the words of an inventory."""
    data = member.data
    become = "sudo" if data.get("_sudo") else "doas" if data.get("_doas") else None
    said = {"host": data.get("ssh_hostname") or member.name, "user": data.get("ssh_user"), "port": data.get("ssh_port")}
    return _written({**said, "become": become, **data[SPEC]})


def _written(value: Any) -> Written:
    if isinstance(value, dict):
        return Written({key: _written(below) for key, below in value.items()}, 0)
    if isinstance(value, list):
        return Written([_written(below) for below in value], 0)
    return Written(value, 0)


def _told(tree: Written, fault: Fault) -> str:
    origin, _ = layers.where(tree, fault.place)
    if layers.by_flag(origin):
        return f"{origin}: {fault}"
    first = str(fault.place[0]) if fault.place else ""
    return f"{KEYS[first]}: {fault.reason}" if first in KEYS else f"{SPEC}.{fault}"
