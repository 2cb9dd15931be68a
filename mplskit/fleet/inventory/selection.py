"""The nodes that a command line means: one host, or those of an inventory that --limit leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from mplskit.errors import WrongInput
from mplskit.fleet.flags import NodeFlags, SpecFlags
from mplskit.fleet.inventory import layers
from mplskit.fleet.inventory.inventory import load, single
from mplskit.fleet.inventory.limit import limited
from mplskit.node.grammar.description import Allowance
from mplskit.node.node import Node
from mplskit.remote.flags import AS_SSH_CONFIG_SAYS, ReachFlags
from mplskit.remote.host import ALLOWED, Host
from mplskit.remote.reach import reached_as_told
from mplskit.whole_number import whole
from mplskit.wording import joined, no_such
from mplskit.yaml.value import Scalar

# What --set may say of a node that is only looked at, or taken back.
REACHING = ("user", "port", "become")


def selected(
    selection: NodeFlags, reach: ReachFlags = AS_SSH_CONFIG_SAYS, *, pyinfra: bool = False, asked: bool = True
) -> tuple[Node, ...]:
    """At least one node, in the order of the inventory.

    With NodeFlags alone, what a node should be stands on the node itself, and --set says only how it is reached.
    With `pyinfra`, the inventory may be one of pyinfra's. Unless they are `asked`, nodes cannot say what their
    interfaces are: the inventory must say it where it matters. Raises WrongInput with the flag, or with file and line,
    and what is allowed.
    """
    if isinstance(selection, SpecFlags):
        spec = selection
    else:
        _reaching(selection.set_)
        spec = SpecFlags(**vars(selection))
    allowances = _allowances(spec.allow)
    host, inventory = spec.host, spec.inventory
    if inventory and host:
        raise WrongInput("--host and --inventory exclude each other", hint="an inventory names its hosts; see --limit")
    if inventory:
        if spec.mpls_input or spec.platform_labels:
            flag = "--mpls-input" if spec.mpls_input else "--platform-labels"
            raise WrongInput(
                f"{flag} is for a node that --host names",
                hint="write it into the inventory, or use --set, as in --set platform_labels=200000",
            )
        nodes = _listed(spec, pyinfra, asked)
    elif host:
        if spec.limit:
            raise WrongInput("--limit is for an inventory, and --host names one node")
        nodes = (single(host, Host.parse(host), _values(spec), spec.set_, asked),)
    else:
        raise WrongInput(
            "which node? --host or --inventory is missing",
            hint=f"--host: {ALLOWED}; --inventory: a YAML file of nodes",
        )
    return tuple(
        replace(node, host=reached_as_told(node.host, reach), spec=node.spec.allowing(allowances)) for node in nodes
    )


def _listed(selection: NodeFlags, pyinfra: bool, asked: bool) -> tuple[Node, ...]:
    """The nodes of an inventory that --limit leaves."""
    path, limit = Path(selection.inventory), selection.limit
    if path.suffix != ".py":
        return limited(load(path, selection.set_, limit, asked).nodes, limit)
    if not pyinfra:
        raise WrongInput(
            f"--inventory {path}: a Python file is an inventory of pyinfra's",
            hint="node.plan and node.bootstrap take it with --engine pyinfra, which runs it",
        )
    from mplskit.fleet.inventory import pyinfra_hosts

    return pyinfra_hosts.load(path, selection.set_, limit)


def _reaching(settings: Sequence[str]) -> None:
    """Raises WrongInput for a --set of anything but REACHING; that of host has its own words, as everywhere."""
    for layer in layers.settings(settings):
        for key in layer.entries:
            if key not in (*REACHING, "host"):
                raise WrongInput(
                    f"{layer.origin}: only {joined(REACHING)} can be set here",
                    hint="what the node should be stands on the node itself; node.bootstrap brings it there",
                )


def _values(spec: SpecFlags) -> dict[str, Scalar | list[str]]:
    """What the flags beside --host say of the node."""
    size = spec.platform_labels.strip()
    number = whole(size, 0, 10**18)
    return {
        "mpls_input": list(spec.mpls_input),
        **({"platform_labels": size if number is None else number} if size else {}),
    }


def _allowances(words: Sequence[str]) -> tuple[Allowance, ...]:
    known: Mapping[str, Allowance] = {word: word for word in get_args(Allowance)}
    for word in words:
        if word not in known:
            raise WrongInput(f"--allow: {no_such('word', word, list(known))}")
    return tuple(known[word] for word in words)
