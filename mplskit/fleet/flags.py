"""The flags by which a task is told which nodes it deals with, what they should be, and how many at a time."""

from dataclasses import dataclass

from mplskit.flag_groups import flag

# The most seconds that any --timeout takes.
DAY = 24 * 60 * 60
# What a node gets without one.
PATIENCE = 2 * 60 * 60


@dataclass(frozen=True)
class NodeFlags:
    """Which nodes are meant: one, or those of an inventory."""

    host: str = flag("the node: user@host:port, a name from ssh_config, or an IPv6 address ([::1]:22 with a port)")
    inventory: str = flag("a YAML file of nodes, instead of --host")
    limit: str = flag("only these of the inventory: names of nodes and groups, and globs, in commas; !x takes x out")
    set_: tuple[str, ...] = flag(
        "KEY=VALUE counts more than the inventory says, as in ldp.router_id=10.0.0.1 (again for each)", ()
    )


@dataclass(frozen=True)
class SpecFlags(NodeFlags):
    """Which nodes are meant, and what they should be. Where that stands on the node itself, NodeFlags are all."""

    mpls_input: tuple[str, ...] = flag(
        "with --host: an interface where labelled packets are accepted (again for each; no other accepts any)", ()
    )
    platform_labels: str = flag("with --host: size of the label table; incoming labels are below it (default 100000)")
    allow: tuple[str, ...] = flag(
        "default-route or shrink: let the run do what it refuses otherwise (again for each)", ()
    )


@dataclass(frozen=True)
class FleetFlags:
    """How many nodes at a time, and for how long."""

    parallel: str = flag("with --inventory: how many nodes at a time (default 16)")
    batch: str = flag("with --inventory: this many nodes first, and the next as many when they are through")
    max_failures: str = flag("with --inventory: begin no more nodes when more than this many have failed")
    failed: bool = flag(
        "with --inventory: only the nodes that are not known to be done as they are asked for now", False
    )
    timeout: str = flag(f"seconds for each node (default {PATIENCE})")


@dataclass(frozen=True)
class PackageFlags:
    """What is installed on a node, and what carries it there."""

    packages: str = flag("a folder with the kernel and iproute2 to install; without it the node's own are kept")
    apt: str = flag("a .sources file (deb822) of a signed apt repository, from where the node installs each --package")
    package: tuple[str, ...] = flag("with --apt: a package to install, as NAME or NAME=VERSION (again for each)", ())
    engine: str = flag("what carries the payload: ssh, or pyinfra where that is installed", "ssh")
