import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import Exit, OutsideFailed
from mplskit.remote.host import Host
from mplskit.remote.session import shell, stream
from tests.worlds.sshd import Sshd, free_port

MEBIBYTE = b"\0" * (1 << 20)


def run(host: Host, command: str, feed: Iterator[bytes] | list[bytes]) -> tuple[int, str, list[str]]:
    lines: list[str] = []
    status, stderr = stream(host, command, feed, lines.append)
    return status, stderr, lines


def test_bytes_go_in_and_lines_come_out(sshd: Sshd) -> None:
    command = "cat; printf 'last without newline'; echo to stderr >&2; exit 3"
    status, stderr, lines = run(sshd.host(), command, [b"one\ntw", b"", b"o\n\xff\n"])
    assert (status, stderr) == (3, "to stderr\n")
    assert lines == ["one", "two", "�", "last without newline"]


def test_a_hundred_megabytes_in_and_as_many_out_do_not_deadlock(sshd: Sshd) -> None:
    line = b"x" * 1023 + b"\n"
    count = 0

    def counted(text: str) -> None:
        nonlocal count
        count += len(text) + 1

    status, _ = stream(sshd.host(), "cat", (line * 1024 for _ in range(100)), counted)
    assert (status, count) == (0, 100 << 20)


def test_a_command_that_ends_without_reading_its_input_is_no_error(sshd: Sshd) -> None:
    status, _, lines = run(sshd.host(), "echo enough; exit 1", (MEBIBYTE for _ in range(100)))
    assert (status, lines) == (1, ["enough"])


def test_a_command_that_stops_reading_is_heard_to_its_end(sshd: Sshd) -> None:
    status, _, lines = run(sshd.host(), "head -c 10 | wc -c; exec 0<&-; echo on", (MEBIBYTE for _ in range(100)))
    assert (status, lines) == (0, ["10", "on"])


def test_a_feed_that_fails_ends_the_session_with_its_own_error(sshd: Sshd) -> None:
    def feed() -> Iterator[bytes]:
        yield b"some"
        raise FileNotFoundError("linux-image.deb")

    with pytest.raises(FileNotFoundError, match=r"linux-image\.deb"):
        run(sshd.host(), "cat", feed())


def test_a_node_does_not_get_the_operators_agent(sshd: Sshd, tmp_path: Path) -> None:
    host = sshd.host()
    assert host.ssh_config is not None
    config, agent = tmp_path / "config", tmp_path / "agent"
    given = host.ssh_config.read_text().replace("IdentityAgent none", f"IdentityAgent {agent}\n  ForwardAgent yes")
    config.write_text(given)
    ask = 'echo "agent: $SSH_AUTH_SOCK"'
    with process.started(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL):
        while not agent.exists():
            time.sleep(0.01)
        by_hand = process.run(["ssh", "-T", "-F", config, "node", ask]).stdout
        _, _, lines = run(Host("node", ssh_config=config), ask, [])
    assert "agent: /tmp/ssh-" in by_hand
    assert lines == ["agent: "]


def test_a_refused_port_is_said(sshd: Sshd) -> None:
    fails(sshd.host(port=free_port()), "Connection refused", "nothing listens there")


def test_a_key_that_the_node_does_not_know_is_said(sshd: Sshd) -> None:
    fails(sshd.host(key="stranger"), "Permission denied (publickey)", "the node takes none of the keys")


def test_an_unknown_host_key_is_not_accepted(sshd: Sshd) -> None:
    fails(sshd.host(known=False), "Host key verification failed", "the node's host key is not known here")


def test_a_changed_host_key_is_not_accepted(sshd: Sshd, tmp_path: Path) -> None:
    host = sshd.host()
    assert host.ssh_config is not None
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {(sshd.folder / 'stranger.pub').read_text()}")
    config = tmp_path / "config"
    config.write_text(host.ssh_config.read_text().replace(str(sshd.folder / "known_hosts"), str(tmp_path / "known")))
    fails(Host("node", ssh_config=config), "IDENTIFICATION HAS CHANGED", "ssh-keygen -R node")


def test_a_name_that_does_not_exist_is_said() -> None:
    fails(Host("no-such-node.invalid"), "Could not resolve hostname", "no such name")


def test_a_listener_that_is_no_sshd_is_said(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                # What is left unread would make the kernel reset the connection instead of closing it.
                connection.makefile("rb").readline()
                connection.close()

        other = threading.Thread(target=hang_up)
        other.start()
        fails(sshd.host(port=port), "Connection closed by", "does not speak SSH")
        other.join()


def test_an_ssh_config_that_is_not_there_is_said(tmp_path: Path) -> None:
    fails(Host("node", ssh_config=tmp_path / "none"), "Can't open user config file", "is not there")


def test_a_session_that_is_cut_is_said(sshd: Sshd) -> None:
    with pytest.raises(OutsideFailed) as failed:
        run(sshd.host(), "echo begun; kill -9 $PPID; sleep 60", (MEBIBYTE for _ in range(100)))
    assert failed.value.hint.startswith("the session was cut")


def fails(host: Host, words: str, hint: str) -> None:
    """Both kinds of session fail in the same way."""
    with pytest.raises(OutsideFailed) as streamed:
        stream(host, "true", [], print)
    with pytest.raises(OutsideFailed) as shelled, shell(host):
        pass
    for failed in (streamed.value, shelled.value):
        assert failed.code == Exit.OUTSIDE_FAILED
        assert words in failed.detail
        assert hint in failed.hint
