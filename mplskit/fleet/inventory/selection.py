"""The nodes that a command line means: one host, or those of an inventory that --limit leaves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from mplskit.errors import WrongInput
from mplskit.fleet.inventory import layers
from mplskit.fleet.inventory.inventory import load, single
from mplskit.fleet.inventory.limit import limited
from mplskit.node.grammar.description import Allowance
from mplskit.node.node import Node
from mplskit.number import whole
from mplskit.remote.host import ALLOWED, Become, Host, checked
from mplskit.remote.password import become_password
from mplskit.specfile import no_such

# What --set may say of a node that is only looked at, or taken back.
REACHING = ("user", "port", "become")


def chosen(
    *,
    host: str = "",
    inventory: str = "",
    limit: str = "",
    set_: Sequence[str] = (),
    mpls_input: Sequence[str] = (),
    platform_labels: str = "",
    allow: Sequence[str] = (),
    become: str = "",
    ssh_config: str = "",
    accept_new: bool = False,
    described: bool = True,
    pyinfra: bool = False,
    reached: bool = True,
) -> tuple[Node, ...]:
    """At least one node, in the order of the inventory. The arguments are the flags of `flags.SELECTION`.

    Without `described`, what a node should be stands on the node itself, and --set says only how it is reached.
    With `pyinfra`, the inventory may be one of pyinfra's. Without `reached`, no node can be asked what its interfaces
    are: the inventory must say it where it matters. Raises WrongInput with the flag, or with file and line, and
    what is allowed.
    """
    if not described:
        _reaching(set_)
    allowances: Any = tuple(_word("--allow", word, get_args(Allowance)) for word in allow)
    config = checked(Path(ssh_config)) if ssh_config else None
    way = {"become": _word("--become", become, get_args(Become))} if become else {}
    if inventory and host:
        raise WrongInput("--host and --inventory exclude each other", hint="an inventory names its hosts; see --limit")
    if inventory:
        if mpls_input or platform_labels:
            flag = "--mpls-input" if mpls_input else "--platform-labels"
            raise WrongInput(
                f"{flag} is for a node that --host names",
                hint="write it into the inventory, or use --set, as in --set platform_labels=200000",
            )
        nodes = _listed(Path(inventory), set_, limit, pyinfra, reached)
    elif host:
        if limit:
            raise WrongInput("--limit is for an inventory, and --host names one node")
        nodes = (single(host, Host.parse(host), _values(mpls_input, platform_labels), set_, reached),)
    else:
        raise WrongInput(
            "which node? --host or --inventory is missing",
            hint=f"--host: {ALLOWED}; --inventory: a YAML file of nodes",
        )
    reach: dict[str, Any] = {**({"ssh_config": config} if config else {}), **way}
    reach |= {"accept_new": True} if accept_new else {}
    return tuple(replace(node, host=replace(node.host, **reach), spec=node.spec.allowing(allowances)) for node in nodes)


def _listed(path: Path, settings: Sequence[str], limit: str, pyinfra: bool, reached: bool) -> tuple[Node, ...]:
    """The nodes of an inventory that `limit` leaves."""
    if path.suffix != ".py":
        return limited(load(path, settings, limit, reached).nodes, limit)
    if not pyinfra:
        raise WrongInput(
            f"--inventory {path}: a Python file is an inventory of pyinfra's",
            hint="node.plan and node.bootstrap take it with --engine pyinfra, which runs it",
        )
    from mplskit.fleet.inventory import pyinfra_hosts

    return pyinfra_hosts.load(path, settings, limit)


def may_ask(nodes: Sequence[Node], ask: bool) -> None:
    """Raises WrongInput when a password is to be asked for that no node wants."""
    if ask and not any(node.host.become == "sudo" for node in nodes):
        raise WrongInput(
            "--ask-become-password is for sudo, which no node of the run uses",
            hint="add --become sudo, or leave it out; doas takes a password from a terminal only",
        )


def with_password(nodes: Sequence[Node], ask: bool) -> tuple[Node, ...]:
    """The nodes, each where sudo makes the login root with the password for it: one for all."""
    if not any(node.host.become == "sudo" for node in nodes):
        return tuple(nodes)
    password = become_password(ask)
    return tuple(
        replace(node, host=replace(node.host, password=password)) if node.host.become == "sudo" else node
        for node in nodes
    )


def _reaching(settings: Sequence[str]) -> None:
    """Raises WrongInput for a --set of anything but REACHING; that of host has its own words, as everywhere."""
    for layer in layers.settings(settings):
        for key in layer.entries:
            if key not in (*REACHING, "host"):
                raise WrongInput(
                    f"{layer.origin}: only {', '.join(REACHING[:-1])} and {REACHING[-1]} can be set here",
                    hint="what the node should be stands on the node itself; node.bootstrap brings it there",
                )


def _values(mpls_input: Sequence[str], platform_labels: str) -> dict[str, Any]:
    """What the flags beside --host say of the node."""
    size = platform_labels.strip()
    number = whole(size, 0, 10**18)
    return {
        "mpls_input": list(mpls_input),
        **({"platform_labels": size if number is None else number} if size else {}),
    }


def _word(flag: str, word: str, known: Sequence[str]) -> str:
    if word not in known:
        raise WrongInput(f"{flag}: {no_such('word', word, known)}")
    return word
