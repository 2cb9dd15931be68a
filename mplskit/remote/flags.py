"""The flags by which a task is told how it gets into a node, and becomes root there."""

from dataclasses import dataclass

from mplskit.flag_groups import flag


@dataclass(frozen=True)
class ReachFlags:
    """How nodes are reached."""

    become: str = flag("how the login becomes root: sudo or doas")
    ssh_config: str = flag("an ssh_config file to use instead of yours")
    accept_new: bool = flag("take the host key of a node that is seen for the first time", False)


@dataclass(frozen=True)
class SessionFlags(ReachFlags):
    """How nodes are reached that a session is begun on."""

    ask_become_password: bool = flag("ask for the password of sudo; otherwise that in MPLSKIT_BECOME_PASSWORD", False)


# None is given.
AS_SSH_CONFIG_SAYS = SessionFlags()
