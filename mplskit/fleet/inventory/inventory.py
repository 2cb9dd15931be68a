"""Inventories: many nodes in one YAML file, with defaults and groups. docs/inventory.md has the grammar."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator

from mplskit.errors import WrongInput
from mplskit.fleet.inventory import layers
from mplskit.fleet.inventory.limit import limited
from mplskit.node.grammar.agreement import direct_pushes
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.remote.host import USER, Become, Host
from mplskit.wording import MOST_TOLD, clipped, joined, no_such
from mplskit.yaml.spec_file import Fault, Unfit, faults_of, path_of, wrong_input
from mplskit.yaml.tree import MOST_VALUES, path_from_here, plain, read_tree
from mplskit.yaml.value import Scalar, Written

NAME_RULE = "a name has 1 to 63 letters, digits and . _ - and begins with a letter or a digit"
USER_RULE = "a user name has 1 to 64 letters, digits and . _ - + @ and begins with a letter, a digit, . or _"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MOST_NODES = 10_000
_OWN = {"host", "groups"}
_PARTS = ("defaults", "groups", "nodes")


class Shared(NodeSpec):
    """What `defaults` and each of `groups` may say."""

    user: str | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = None
    become: Become | None = None

    @field_validator("user")
    @classmethod
    def _is_a_user(cls, user: str | None) -> str | None:
        if user is not None and not USER.fullmatch(user):
            raise ValueError(USER_RULE)
        return user


class Entry(Shared):
    """What a node may say."""

    host: Annotated[str, Field(max_length=300)] | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """The nodes of a file, and its groups, each in the order of the file."""

    nodes: tuple[Node, ...]
    groups: tuple[str, ...]


def load(path: Path, settings: Iterable[str] = (), limit: str = "", reached: bool = True) -> Inventory:
    """All nodes of a YAML file; each of `settings` is a KEY=VALUE that counts more for those that `limit` leaves.

    Without `reached`, no node can be asked: what only a node knows must be said, of those that `limit` leaves.

    Raises WrongInput with all that does not fit: file, line, place, the rule, and what is there.
    """
    reading = _Reading(path_from_here(path), read_tree(path), layers.settings(settings))
    inventory = reading.inventory(limit, reached)
    if reading.faults:
        raise wrong_input(reading.told())
    return inventory


def single(
    text: str, host: Host, layer: Mapping[str, Scalar | list[str]], settings: Iterable[str] = (), reached: bool = True
) -> Node:
    """The one node that the command line describes: `text` as its name, `layer` as its values, KEY=VALUEs over them.

    Raises WrongInput with what does not fit.
    """
    flags = Written({key: layers.of(f"--{key.replace('_', '-')}", _flags(value)) for key, value in layer.items()}, 0)
    tree = layers.merged([flags, *layers.settings(settings)])
    faults = [Fault((key,), "--host says which node") for key in sorted(_OWN & set(tree.entries))]
    try:
        if not faults:
            entry = Entry.model_validate(plain(tree))
            faults = [] if reached else list(direct_pushes(entry))
        if not faults:
            return Node(text, _reached(host, entry, tree), spec_of(entry))
    except ValidationError as error:
        faults = faults_of(Entry, error)
    raise wrong_input([f"{layers.where(tree, fault.place)[0] or 'the node'}: {fault}" for fault in faults])


def _flags(value: Scalar | list[str]) -> Written:
    if isinstance(value, list):
        return Written([Written(word, 0) for word in value], 0)
    return Written(value, 0)


def _reached(host: Host, entry: Entry, tree: Written) -> Host:
    """The host with the user, the port and the way to root that are said beside its address.

    What the address says itself counts more, unless the command line says otherwise. Raises Unfit when both stand in
    one place.
    """
    for key in ("user", "port"):
        said, beside = getattr(host, key), getattr(entry, key)
        if beside is None:
            continue
        origin = tree.entries[key].origin
        if said is not None and not layers.by_flag(origin) and origin == tree.entries["host"].origin:
            raise Unfit(Fault((key,), f"host says a {key} already ({said})", str(beside)))
        if said is None or layers.by_flag(origin):
            host = replace(host, **{key: beside})
    return replace(host, become=entry.become or host.become)


def spec_of(entry: Entry) -> NodeSpec:
    """What a node should be; every value was validated as a part of the entry."""
    return NodeSpec.model_construct(**{name: getattr(entry, name) for name in NodeSpec.model_fields})


@dataclass(frozen=True)
class _Member:
    """A node before its values are judged."""

    name: str
    groups: tuple[str, ...]


def _meant(members: Sequence[_Member], limit: str) -> set[str]:
    """The names that `limit` leaves; none where it is wrong, which is told when the file is known to be right."""
    try:
        return {member.name for member in limited(members, limit)}
    except WrongInput:
        return set()


class _Reading:
    """One reading of a file: it goes on after a fault, so that all of them are told."""

    def __init__(self, file: str, tree: Written, settings: Sequence[Written]) -> None:
        self.file = file
        self.tree = tree
        self.settings = settings
        self.faults: dict[tuple[int, str, str], list[str]] = {}
        self.rules: dict[tuple[int, str], str] = {}
        self.values = 0

    def inventory(self, limit: str, reached: bool) -> Inventory:
        if not isinstance(self.tree.value, dict):
            self._fault(1, "", f"an inventory is a mapping with {', '.join(_PARTS)}")
            return Inventory((), ())
        for key, entry in self.tree.entries.items():
            if key not in _PARTS:
                self._fault(entry.line, clipped(key), no_such("key", key, _PARTS))
        for layer in self.settings:
            for key in _OWN & set(layer.entries):
                self._fault(0, layer.origin, f"{key} is what each node says of itself")
        self.settings = [layer for layer in self.settings if not _OWN & set(layer.entries)]
        defaults = self._values("defaults", self.tree.entries.get("defaults"))
        groups = {name: self._values(f"groups.{name}", entry) for name, entry in self._named("groups")}
        written = {name: self._mapping(f"nodes.{name}", entry) for name, entry in self._named("nodes")}
        if not written and not self.faults:
            self._fault(self.tree.line, "nodes", "an inventory has at least one node")
        if len(written) > MOST_NODES:
            self._fault(self.tree.entries["nodes"].line, "nodes", f"an inventory has at most {MOST_NODES} nodes")
            written = {}
        members = [_Member(name, self._groups_of(name, own, groups)) for name, own in written.items()]
        meant = _meant(members, limit)
        nodes: list[Node] = []
        for member in members:
            own = written[member.name]
            if member.name in groups:
                self._fault(own.line, f"nodes.{member.name}", "a group has that name, and --limit takes both")
            shared = [defaults, *(groups[group] for group in member.groups)]
            mine = self.settings if member.name in meant else ()
            node = self._node(member, own, shared, mine, reached or member.name not in meant)
            if self.values > MOST_VALUES:
                break
            nodes += [node] if node else []
        self._one_address_each(nodes, written)
        return Inventory(tuple(nodes), tuple(groups))

    def told(self) -> list[str]:
        """The faults, in the order of the lines."""
        lines = []
        for (line, place, rule), nodes in sorted(self.faults.items(), key=lambda item: item[0][0]):
            where = f"{self.file}:{line}: " if line else ""
            lines.append(f"{where}{place}{_for(nodes)}{': ' if place else ''}{rule}")
        return lines

    def _fault(self, line: int, place: str, rule: str, node: str = "") -> None:
        if node:
            # Told already, of the layer itself?
            rule = self.rules.get((line, place), rule)
        else:
            self.rules.setdefault((line, place), rule)
        self.faults.setdefault((line, place, rule), []).extend([node] if node else [])

    def _named(self, part: str) -> Iterator[tuple[str, Written]]:
        tree = self.tree.entries.get(part)
        if tree is None or tree.value is None:
            return
        if not isinstance(tree.value, dict):
            self._fault(tree.line, part, "should be a mapping: a name, and what is said of it")
        for name, entry in tree.entries.items():
            if NAME.fullmatch(name):
                yield name, entry
            else:
                self._fault(entry.line, f"{part}.{clipped(name, 40)}", f"{NAME_RULE} (here: {clipped(repr(name), 70)})")

    def _mapping(self, place: str, tree: Written | None) -> Written:
        """The tree as a layer; a name that nothing is said of is one, too."""
        if tree is None or tree.value is None:
            return Written({}, tree.line if tree else 1, origin=place)
        if not isinstance(tree.value, dict):
            self._fault(tree.line, place, "should be a mapping")
            return Written({}, tree.line, origin=place)
        return layers.of(place, tree)

    def _values(self, place: str, tree: Written | None) -> Written:
        """Defaults or a group: what is wrong in it is wrong whatever node has it."""
        layer = self._mapping(place, tree)
        try:
            Shared.model_validate(plain(layer))
        except ValidationError as error:
            # What is missing here may be said elsewhere, and what does not go together may be replaced there.
            for fault in faults_of(Shared, error, lambda item: bool(item["loc"]) and item["type"] != "missing"):
                self._fault_in(layer, fault)
        return layer

    def _node(
        self, member: _Member, own: Written, shared: Sequence[Written], settings: Sequence[Written], reached: bool
    ) -> Node | None:
        name = member.name
        tree = layers.merged([*shared, own, *settings])
        self.values += tree.size
        if self.values > MOST_VALUES:
            self._fault(own.line, f"nodes.{name}", f"the nodes up to here have more than {MOST_VALUES} values in all")
            return None
        try:
            entry = Entry.model_validate(plain(tree))
            host = _reached(_host(entry.host if entry.host is not None else name), entry, tree)
            faults = [] if reached else list(direct_pushes(entry))
            if not faults:
                return Node(name, host, spec_of(entry), member.groups)
        except ValidationError as error:
            faults = faults_of(Entry, error)
        except Unfit as error:
            faults = list(error.faults)
        for fault in faults:
            self._fault_in(tree, fault, name)
        return None

    def _groups_of(self, name: str, own: Written, groups: Mapping[str, Written]) -> tuple[str, ...]:
        """The groups that a node names; those that are no list of names are left to the model."""
        entry = own.entries.get("groups")
        named = entry.value if entry is not None and isinstance(entry.value, list) else []
        chosen: list[str] = []
        for index, item in enumerate(named):
            place = f"nodes.{name}.groups[{index}]"
            if not isinstance(item.value, str):
                continue
            if item.value not in groups:
                # Looking for close names takes time, and no more than some faults are shown.
                known = list(groups) if len(self.faults) <= MOST_TOLD else []
                self._fault(item.line, place, no_such("group", item.value, known))
            elif item.value in chosen:
                self._fault(item.line, place, f"{item.value} stands there twice")
            else:
                chosen.append(item.value)
        return tuple(chosen)

    def _fault_in(self, tree: Written, fault: Fault, node: str = "") -> None:
        """Tell a fault of a tree where it was written."""
        origin, line = layers.where(tree, fault.place)
        path = path_of(fault.place)
        if layers.by_flag(origin):
            self._fault(0, f"{origin}: {path}" if path else origin, fault.reason, node)
        else:
            own = origin in ("", f"nodes.{node}")
            self._fault(line, ".".join(filter(None, (origin, path))), fault.reason, "" if own else node)

    def _one_address_each(self, nodes: Sequence[Node], written: Mapping[str, Written]) -> None:
        seen: dict[tuple[str, int | None], str] = {}
        for node in nodes:
            key = (node.host.name, node.host.port)
            if key in seen:
                own = written[node.name]
                line = own.entries["host"].line if "host" in own.entries else own.line
                self._fault(line, f"nodes.{node.name}.host", f"the node {seen[key]} is at {node.host.name} already")
            seen.setdefault(key, node.name)


def _host(text: str) -> Host:
    try:
        return Host.parse(text)
    except WrongInput as error:
        rule = error.message.removeprefix(f"host {text!r}: ")
        raise Unfit(Fault(("host",), clipped(f"{rule}; {error.hint}", 300))) from None


def _for(nodes: Sequence[str]) -> str:
    """Which nodes have a fault that is not written in them."""
    named = [*nodes[:2], f"{len(nodes) - 2} more"] if len(nodes) > 2 else nodes
    return f" (for {joined(named)})" if nodes else ""
