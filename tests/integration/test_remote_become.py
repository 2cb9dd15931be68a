"""Real sudo and doas behind a real sshd: who becomes root, how, and where the password never shows."""

import hashlib
import os
import platform
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import Exit, MachineLacks
from mplskit.remote.become import Becoming
from mplskit.remote.channel import opened
from mplskit.remote.host import Become, Host
from mplskit.remote.password import become_password
from mplskit.remote.pipes import Pipes
from mplskit.remote.refusals import PasswordRefused
from mplskit.remote.session import shell, stream
from tests.golden import assert_golden
from tests.worlds.logins import PASSWORD, Logins, demand_logins, logins

WAYS: list[tuple[str, Become | None, str | None]] = [
    ("root", None, None),
    ("root", "sudo", None),
    ("root", "doas", PASSWORD),
    ("free", "sudo", None),
    ("free", "sudo", PASSWORD),
    ("asked", "sudo", PASSWORD),
    ("free", "doas", None),
    ("free", "doas", PASSWORD),
]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    demand_logins("doas")
    with logins(tmp_path_factory.mktemp("logins")) as running:
        yield running


@pytest.mark.parametrize(("user", "become", "password"), WAYS)
def test_root_is_reached_and_gets_what_is_fed_and_nothing_else(
    user: str, become: Become | None, password: str | None, there: Logins
) -> None:
    host = there.host(user, become, password)
    lines: list[str] = []
    feed = [b"one\n", b"two\n\xff\0" + bytes(range(256)) * 8000]
    command = "id -u; sha256sum; echo to stderr >&2; exit 3"
    assert stream(host, command, feed, lines.append) == (3, "to stderr\n")
    assert lines == ["0", f"{hashlib.sha256(b''.join(feed)).hexdigest()}  -"]
    with shell(host) as sh:
        assert [sh.run(["id", "-u"]).output for _ in range(3)] == ["0\n", "0\n", "0\n"]
        assert sh.run(["od", "-An", "-tx1"], stdin=b"a\0b").output == " 61 00 62\n"


def test_a_password_that_is_no_longer_wanted_is_not_given_to_the_command(there: Logins) -> None:
    host = there.host("cam", "sudo", PASSWORD)
    for _ in range(2):  # the second time sudo remembers the first
        lines: list[str] = []
        assert stream(host, "cat", [b"fed\n"], lines.append)[0] == 0
        assert lines == ["fed"]


def test_a_command_as_root_answers_in_phases(there: Logins) -> None:
    command = "echo noise; echo ready; cat; echo done"
    with opened(there.host("asked", "sudo", PASSWORD), command) as channel:
        first, second = bytearray(), bytearray()

        def ready(data: bytes) -> bool:
            first.extend(data)
            return b"ready\n" in first

        def rest(data: bytes) -> bool:
            second.extend(data)
            return False

        channel.exchange(iter(()), ready, close=False)
        channel.exchange(iter([b"fed\n"]), rest, close=True)
        assert channel.end() == (0, "")
    assert (bytes(first), bytes(second)) == (b"noise\nready\n", b"fed\ndone\n")


def said_by_processes(*roots: int) -> dict[int, bytes]:
    """Command line and environment of these processes and of all below them; others belong to other tests."""
    parents, texts = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            texts[int(folder.name)] = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
    below = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return {pid: text for pid, text in texts.items() if pid in below}


def test_the_password_is_in_no_process_and_in_no_log(there: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", PASSWORD)
    with opened(there.host("asked", "sudo", PASSWORD), "echo up; exec cat") as channel:
        channel.exchange(iter(()), lambda data: True, close=False)
        seen = said_by_processes(os.getpid(), there.pid)
        channel.exchange(iter(()), lambda data: False, close=True)
        channel.end()
    assert [text for text in seen.values() if text.startswith(b"ssh\0-T\0")]
    assert [text for text in seen.values() if text.startswith(b"sudo\0-S\0")]
    assert not [text for text in seen.values() if PASSWORD.encode() in text]
    for log in (there.file("/etc/sudo.log"), (there.server.folder / "log").read_text()):
        assert "asked" in log or "127.0.0.1" in log
        assert PASSWORD not in log


def test_a_wrong_password_is_tried_once(there: Logins) -> None:
    before = there.file("/etc/sudo.log").count("incorrect password attempt")
    begin = time.monotonic()
    with pytest.raises(PasswordRefused) as refused:
        stream(there.host("asked", "sudo", "wrong " + PASSWORD), "true", [], print)
    assert time.monotonic() - begin < 10
    assert_golden("become-wrong-password", f"{refused.value}\n", {})
    deadline = time.monotonic() + 10
    while "incorrect" not in (log := there.file("/etc/sudo.log")[before:]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert " 1 incorrect password attempt " in log.replace("\n   ", "")
    assert PASSWORD not in log


REFUSED: dict[str, tuple[str, Become, str | None]] = {
    "password-wanted": ("asked", "sudo", None),
    "not-in-sudoers": ("none", "sudo", PASSWORD),
    "not-in-sudoers-and-no-password": ("none", "sudo", None),
    "not-for-sh": ("some", "sudo", PASSWORD),
    "terminal-wanted": ("tess", "sudo", None),
    "no-sudo": ("bare", "sudo", PASSWORD),
    "doas-password-wanted": ("asked", "doas", None),
    "doas-no-rule": ("none", "doas", None),
    "no-doas": ("bare", "doas", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_keeps_a_login_from_being_root_is_named_with_its_cure(case: str, there: Logins) -> None:
    host = there.host(*REFUSED[case])
    with pytest.raises(MachineLacks) as streamed:
        stream(host, "true", [b"x" * (1 << 20)], print)
    with pytest.raises(MachineLacks) as shelled, shell(host):
        pass
    assert str(streamed.value) == str(shelled.value)
    assert streamed.value.code == Exit.MACHINE_LACKS
    assert PASSWORD not in str(streamed.value)
    assert_golden(f"become-{case}", f"{streamed.value}\n".replace(f" on {platform.node()}.", " on HOSTNAME."), {})


def test_doas_without_rules_is_named(there: Logins) -> None:
    there_is = Path(f"/proc/{there.pid}/root/etc/doas.conf")
    rules = there_is.read_text()
    there_is.unlink()
    try:
        with pytest.raises(MachineLacks) as refused:
            stream(there.host("free", "doas"), "true", [], print)
    finally:
        there_is.write_text(rules)
    assert_golden("become-doas-not-enabled", f"{refused.value}\n", {})


def test_a_host_that_does_not_answer_is_no_lack_of_rights(there: Logins) -> None:
    host = there.host("asked", "sudo", PASSWORD)
    nowhere = Host("127.0.0.1", "asked", 1, host.ssh_config, "sudo", password=PASSWORD)
    with pytest.raises(Exception, match=r"ssh to asked@127\.0\.0\.1:1 failed"):
        stream(nowhere, "true", [], print)


def test_an_ssh_config_that_shares_connections_and_forwards_does_not_hold_or_break_a_session(
    there: Logins, tmp_path: Path
) -> None:
    host = there.host("free", "sudo")
    assert host.ssh_config is not None
    config = tmp_path / "config"
    config.write_text(
        host.ssh_config.read_text() + f"  ControlMaster auto\n  ControlPath {tmp_path}/c\n  ControlPersist 60\n"
        "  RemoteCommand echo theirs\n  RequestTTY force\n  LocalForward 127.0.0.1:1 127.0.0.1:2\n"
        "  ExitOnForwardFailure yes\n"
    )
    shared = Host("node", "free", None, config, "sudo")
    lines: list[str] = []
    for _ in range(2):
        assert stream(shared, "id -u", [], lines.append) == (0, "")
    assert lines == ["0", "0"]
    assert not [path for path in tmp_path.iterdir() if path.is_socket()]


def test_a_connection_that_the_user_holds_open_is_used(there: Logins, tmp_path: Path) -> None:
    host = there.host("free", "sudo")
    control = ["-o", f"ControlPath={tmp_path}/socket"]
    config = tmp_path / "config"
    # Without a key: only through the open connection is there a way in.
    config.write_text(f"Host node\n  HostName 127.0.0.1\n  Port 1\n  ControlPath {tmp_path}/socket\n")
    master = ["ssh", "-F", host.ssh_config or "", "-l", "free", *control, "-M", "-N", "-f", "node"]
    process.run(master, timeout=20, check=False)
    try:
        lines: list[str] = []
        assert stream(Host("node", "free", None, config, "sudo"), "id -u", [], lines.append) == (0, "")
        assert lines == ["0"]
    finally:
        process.run(["ssh", *control, "-O", "exit", "node"], check=False)


def test_the_first_host_key_is_taken_on_a_word_and_a_changed_one_never(there: Logins, tmp_path: Path) -> None:
    known = tmp_path / "known hosts"
    base = there.host("root", None).ssh_config
    assert base is not None
    config = tmp_path / "config"
    config.write_text(
        base.read_text().replace(f"UserKnownHostsFile {there.server.folder / 'known_hosts'}", "")
        + f'  UserKnownHostsFile "{known}"\n'
    )
    new = Host("node", "root", None, config, accept_new=True)
    with pytest.raises(Exception, match="ssh to root@node failed"):
        stream(Host("node", "root", None, config), "true", [], print)
    assert stream(new, "true", [], print)[0] == 0
    assert stream(Host("node", "root", None, config), "true", [], print)[0] == 0
    known.write_text(f"[127.0.0.1]:{there.server.port} {(there.server.folder / 'client.pub').read_text()}")
    with pytest.raises(Exception) as refused:
        stream(new, "true", [], print)
    assert "IDENTIFICATION HAS CHANGED" in str(refused.value)
    assert shlex.quote(str(new)) in str(refused.value)


@pytest.mark.parametrize("user", ["asked", "free"])
def test_a_command_that_is_shown_on_stderr_is_no_prompt(user: str, there: Logins, tmp_path: Path) -> None:
    base = there.host(user, "sudo", PASSWORD)
    assert base.ssh_config is not None
    config = tmp_path / "config"
    config.write_text(base.ssh_config.read_text() + "  LogLevel DEBUG\n")  # debug1: Sending command: …
    host = Host("node", user, None, config, "sudo", password=PASSWORD)
    lines: list[str] = []
    status, stderr = stream(host, "exec sh", [b"id -u\n"], lines.append)
    assert (status, lines) == (0, ["0"])
    assert "not found" not in stderr and PASSWORD not in stderr
    with shell(host) as sh:
        assert sh.run(["id", "-u"]).output == "0\n"


def test_a_line_that_nobody_asked_for_is_not_run_by_root(there: Logins) -> None:
    host = there.host("free", "sudo", "SECRETPW")
    becoming = Becoming(host, "exec sh")
    with process.started([*host.ssh(), becoming.command], stdin=-1) as ssh:
        pipes, came = Pipes(ssh, host.secret), bytearray()
        pipes.tell(b"SECRETPW\n")
        assert becoming.reach(pipes)

        def hear(data: bytes) -> bool:
            came.extend(data)
            return False

        pipes.exchange(iter([b"id -u\n"]), hear, close=True)
        assert (bytes(came), pipes.stderr) == (b"0\n", "")


def test_a_password_that_is_no_utf8_is_told_to_sudo_as_it_is(there: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ["nsenter", "--mount", f"--target={there.pid}"]
    process.run([*world, "chpasswd"], stdin=b"odd:s\xe9cret\n")
    monkeypatch.setitem(os.environb, b"MPLSKIT_BECOME_PASSWORD", b"s\xe9cret")
    lines: list[str] = []
    assert stream(there.host("odd", "sudo", become_password(False)), "id -u", [], lines.append)[0] == 0
    assert lines == ["0"]


def test_what_a_node_says_before_root_is_there_is_not_kept(there: Logins) -> None:
    class Noisy(Pipes):
        def exchange(self, feed, heard, **how):  # type: ignore[no-untyped-def]
            for _ in range(256):
                assert not heard(b"x" * 65536)
            super().exchange(feed, heard, **how)

    host = there.host("free", "sudo")
    becoming = Becoming(host, "echo there")
    begin = time.process_time()
    with process.started([*host.ssh(), becoming.command], stdin=-1) as ssh:
        assert becoming.reach(Noisy(ssh))
    assert time.process_time() - begin < 1
