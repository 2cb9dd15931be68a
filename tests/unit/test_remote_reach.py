"""How the hosts of a command line are reached: what its flags say of it, for all tasks alike."""

from pathlib import Path

import pytest

from mplskit.errors import MachineLacks, WrongInput
from mplskit.remote.flags import AS_SSH_CONFIG_SAYS, ReachFlags, SessionFlags
from mplskit.remote.host import Host
from mplskit.remote.password import with_password
from mplskit.remote.reach import reached_as_told, session_host, session_hosts


def test_a_host_is_reached_as_ssh_config_says_unless_flags_say_otherwise(tmp_path: Path) -> None:
    (tmp_path / "lab.conf").touch()
    flags = SessionFlags(become="doas", ssh_config=str(tmp_path / "lab.conf"), accept_new=True)
    assert session_host("admin@ler-1:2222", AS_SSH_CONFIG_SAYS) == Host("ler-1", "admin", 2222)
    assert session_host("ler-1", flags) == Host(
        "ler-1", ssh_config=tmp_path / "lab.conf", become="doas", accept_new=True
    )
    assert session_host("", AS_SSH_CONFIG_SAYS) is None


def test_what_is_known_of_a_host_stays_where_the_flags_say_nothing() -> None:
    known = Host("ler-1", ssh_config=Path("config"), become="sudo", accept_new=True)
    assert reached_as_told(known, ReachFlags()) == known


def test_a_device_is_taken_as_an_ssh_config() -> None:
    assert reached_as_told(Host("ler-1"), ReachFlags(ssh_config="/dev/null")).ssh_config == Path("/dev/null")


@pytest.mark.parametrize("name", ["none.conf", "."])
def test_an_ssh_config_that_is_not_there_is_wrong_input(name: str, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as refused:
        reached_as_told(Host("ler-1"), ReachFlags(ssh_config=str(tmp_path / name)))
    assert refused.value.message == f"--ssh-config {tmp_path / name}: there is no such file"


def test_another_way_to_root_is_wrong_input() -> None:
    with pytest.raises(WrongInput) as refused:
        session_host("ler-1", SessionFlags(become="su"))
    assert refused.value.message == "--become: there is no word 'su'; allowed: sudo, doas; did you mean sudo?"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (SessionFlags(become="sudo"), "--become sudo: no node is asked"),
        (SessionFlags(ssh_config="lab.conf"), "--ssh-config lab.conf: no node is asked"),
        (SessionFlags(accept_new=True), "--accept-new: no node is asked"),
        (SessionFlags(ask_become_password=True), "--ask-become-password: no node is asked"),
    ],
)
def test_a_flag_of_a_host_is_refused_where_there_is_none(flags: SessionFlags, said: str) -> None:
    with pytest.raises(WrongInput) as refused:
        session_hosts([], flags, "--host or --trim-to")
    assert (refused.value.message, refused.value.hint) == (said, "it goes with --host or --trim-to")


def test_the_password_of_sudo_is_that_of_all_hosts_and_doas_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", "secret")
    hosts = session_hosts(["a", "b"], SessionFlags(become="sudo"), "--host")
    assert [host.password for host in hosts] == ["secret", "secret"]
    assert session_host("a", SessionFlags(become="doas")) == Host("a", become="doas")


def test_a_password_that_nobody_wants_is_not_asked_for() -> None:
    with pytest.raises(WrongInput, match="--ask-become-password is for sudo"):
        session_host("a", SessionFlags(become="doas", ask_become_password=True))


def test_a_password_is_asked_for_on_a_terminal_alone() -> None:
    with pytest.raises(MachineLacks, match="--ask-become-password needs a terminal to ask on"):
        session_host("a", SessionFlags(become="sudo", ask_become_password=True))


def test_a_password_goes_to_the_hosts_of_sudo_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", "secret")
    hosts = [Host("a", become="sudo"), Host("b", become="doas"), Host("c")]
    assert [host.password for host in with_password(hosts, ask=False)] == ["secret", None, None]
