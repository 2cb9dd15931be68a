"""The hosts that a command line names, reached as its flags say."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.flag_groups import spelled
from mplskit.remote.flags import ReachFlags, SessionFlags
from mplskit.remote.host import BECOME, Host
from mplskit.remote.password import may_ask, with_password
from mplskit.wording import no_such


def reached_as_told(host: Host, reach: ReachFlags) -> Host:
    """The host, reached as the flags say where they say something. Raises WrongInput for what they cannot say."""
    if reach.become and reach.become not in BECOME:
        raise WrongInput(f"--become: {no_such('word', reach.become, list(BECOME))}")
    config = Path(reach.ssh_config) if reach.ssh_config else None
    if config and (config.is_dir() or not config.exists()):
        raise WrongInput(f"--ssh-config {config}: there is no such file")
    return replace(
        host,
        become=BECOME.get(reach.become, host.become),
        ssh_config=config or host.ssh_config,
        accept_new=reach.accept_new or host.accept_new,
    )


def session_hosts(names: Sequence[str], session: SessionFlags, named_by: str) -> tuple[Host, ...]:
    """The hosts of these names, with the password for sudo; `named_by` are the flags that name hosts.

    Raises WrongInput for a name that is none, and for a flag that says how a host is reached when there is none;
    MachineLacks when the password cannot be asked for.
    """
    for one in fields(session):
        value = getattr(session, one.name)
        if value and not names:
            said = f" {value}" if isinstance(value, str) else ""
            raise WrongInput(f"--{spelled(one.name)}{said}: no node is asked", hint=f"it goes with {named_by}")
    hosts = [reached_as_told(Host.parse(name), session) for name in names]
    may_ask(hosts, session.ask_become_password)
    return with_password(hosts, session.ask_become_password)


def session_host(name: str, session: SessionFlags) -> Host | None:
    """The host that --host names, as `session_hosts` makes it; None without a name."""
    hosts = session_hosts([name] if name else [], session, "--host")
    return hosts[0] if hosts else None
