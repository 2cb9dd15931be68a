"""The flags by which every task that deals with nodes is told which they are and how they are reached
(selection.chosen), and how many at a time.
"""

from types import MappingProxyType

from mplskit.cli import Flag

# The most seconds that any --timeout takes.
DAY = 24 * 60 * 60
# What a node gets without one.
PATIENCE = 2 * 60 * 60

SELECTION = MappingProxyType(
    {
        "host": Flag("the node: user@host:port, a name from ssh_config, or an IPv6 address ([::1]:22 with a port)"),
        "inventory": Flag("a YAML file of nodes, instead of --host"),
        "limit": Flag("only these of the inventory: names of nodes and groups, and globs, in commas; !x takes x out"),
        "set_": Flag(
            "KEY=VALUE counts more than the inventory says, as in ldp.router_id=10.0.0.1 (again for each)", []
        ),
        "mpls_input": Flag(
            "with --host: an interface where labelled packets are accepted (again for each; no other accepts any)", []
        ),
        "platform_labels": Flag(
            "with --host: size of the label table; incoming labels are below it (default 100000)", ""
        ),
        "allow": Flag("default-route or shrink: let the run do what it refuses otherwise (again for each)", []),
        "become": Flag("how the login becomes root: sudo or doas"),
        "ssh_config": Flag("an ssh_config file to use instead of yours"),
        "accept_new": Flag("take the host key of a node that is seen for the first time", False),
    }
)

PASSWORD = MappingProxyType(
    {
        "ask_become_password": Flag("ask for the password of sudo; otherwise that in MPLSKIT_BECOME_PASSWORD", False),
    }
)

FLEET = MappingProxyType(
    {
        "parallel": Flag("with --inventory: how many nodes at a time (default 16)"),
        "batch": Flag("with --inventory: this many nodes first, and the next as many when they are through"),
        "max_failures": Flag("with --inventory: begin no more nodes when more than this many have failed"),
        "failed": Flag(
            "with --inventory: only the nodes that are not known to be done as they are asked for now", False
        ),
        "timeout": Flag(f"seconds for each node (default {PATIENCE})"),
    }
)

ENGINE = MappingProxyType({"engine": Flag("what carries the payload: ssh, or pyinfra where that is installed", "ssh")})
