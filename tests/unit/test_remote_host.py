import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.remote.host import Host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("node", Host("node")),
        ("root@10.10.0.187", Host("10.10.0.187", "root")),
        ("root@node:2222", Host("node", "root", 2222)),
        ("::1", Host("::1")),
        ("[::1]", Host("::1")),
        ("[::1]:22", Host("::1", None, 22)),
        ("root@[fe80::1%eth0]:22", Host("fe80::1%eth0", "root", 22)),
        ("me@example.org@jump.example.org", Host("jump.example.org", "me@example.org")),
    ],
)
def test_a_host_is_read_as_users_write_it(text: str, host: Host) -> None:
    assert Host.parse(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "", "-oProxyCommand=reboot", "root@-v", "-l@node", "@node", "node:", "node:0", "node:65536", "node:ssh",
        "node:²", "a b", "node;reboot", "[node]:22", "[::1", "::1]:22", "[::1]22", "[::1]:", "1:2:3", "fe80::1%",
        "fe80::1%a;b", "root:secret@node", "node\n",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(WrongInput) as refused:
        Host.parse(text)
    assert repr(text) in refused.value.message
    assert refused.value.hint.startswith("allowed: HOST, USER@HOST, HOST:PORT, [IPV6]:PORT")


@given(
    st.one_of(st.from_regex(r"[a-z0-9_.][A-Za-z0-9_.-]{0,20}", fullmatch=True), st.ip_addresses().map(str)),
    st.none() | st.from_regex(r"[a-z_][a-z0-9_@+-]{0,10}", fullmatch=True),
    st.none() | st.integers(1, 65535),
)
def test_a_host_that_is_printed_can_be_read_again(name: str, user: str | None, port: int | None) -> None:
    assert Host.parse(str(Host(name, user, port))) == Host(name, user, port)


@given(st.text(max_size=30))
def test_no_text_becomes_an_option_of_ssh(text: str) -> None:
    try:
        host = Host.parse(text)
    except WrongInput:
        return
    assert not host.name.startswith("-") and not (host.user or "").startswith("-")
    assert host.ssh()[-2:] == ["--", host.name]


def test_ssh_never_asks_and_takes_the_config_file_that_is_given() -> None:
    assert Host("ler-1", "root", 2222, Path("lab.conf")).ssh("-v") == [
        *("ssh", "-T", "-F", "lab.conf"),
        *("-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
        *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"),
        *("-o", "ControlMaster=no", "-o", "RemoteCommand=none", "-o", "SessionType=default", "-o", "StdinNull=no"),
        *("-o", "ForkAfterAuthentication=no", "-o", "LogLevel=INFO"),
        *("-o", "ForwardAgent=no", "-o", "ForwardX11=no", "-o", "GSSAPIDelegateCredentials=no"),
        *("-o", "ClearAllForwardings=yes", "-o", "Tunnel=no", "-o", "PermitLocalCommand=no"),
        *("-l", "root", "-p", "2222", "-v", "--", "ler-1"),
    ]  # fmt: skip


EVERYTHING_ON = """\
Host *
  ForwardAgent yes
  ForwardX11 yes
  GSSAPIDelegateCredentials yes
  Tunnel yes
  LocalForward 8023 127.0.0.1:23
  RemoteForward 8022 127.0.0.1:22
  DynamicForward 1080
  PermitLocalCommand yes
  LocalCommand echo noise
  RemoteCommand top
  RequestTTY force
  SessionType none
  StdinNull yes
  ForkAfterAuthentication yes
  ControlMaster auto
  LogLevel QUIET
"""


def test_whatever_an_ssh_config_turns_on_a_node_is_given_nothing_and_the_session_is_ours(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(EVERYTHING_ON)
    ssh = Host("ler-1", ssh_config=tmp_path / "config").ssh("-G")
    said = subprocess.run(ssh, check=True, capture_output=True, text=True).stdout
    effective = dict(line.split(" ", 1) for line in said.splitlines())
    assert {name: effective.get(name) for name in NOTHING_GIVEN | OURS} == NOTHING_GIVEN | OURS


NOTHING_GIVEN = {
    "forwardagent": "no",
    "forwardx11": "no",
    "gssapidelegatecredentials": "no",
    "tunnel": "false",
    "localforward": None,
    "remoteforward": None,
    "dynamicforward": None,
    "permitlocalcommand": "no",
}
OURS = {
    "remotecommand": None,
    "requesttty": "false",
    "sessiontype": "default",
    "stdinnull": "no",
    "forkafterauthentication": "no",
    "controlmaster": "false",
    "loglevel": "INFO",
}


def test_without_a_user_a_port_or_a_file_the_users_own_ssh_config_decides() -> None:
    words = Host.parse("ler-1").ssh()
    assert not {"-l", "-p", "-F"} & set(words)


def test_host_keys_are_checked_as_ssh_config_says_and_new_ones_taken_on_a_word() -> None:
    assert not [word for word in Host("ler-1").ssh() if "HostKey" in word]
    assert "StrictHostKeyChecking=accept-new" in Host("ler-1", accept_new=True).ssh()


def test_a_password_is_not_shown_with_its_host() -> None:
    host = Host("ler-1", become="sudo", password="correct horse")
    assert "correct" not in repr(host) + str(host) + " ".join(host.ssh())
