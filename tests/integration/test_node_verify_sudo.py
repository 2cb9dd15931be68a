"""node.verify by a login that needs sudo and its password: the same verdicts as root's, the password in no process."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.node.verify import questions
from mplskit.node.verify.verify import verify
from mplskit.paths import data
from mplskit.remote.session import Shell
from tests.worlds.logins import PASSWORD, Logins, demand_logins, logins


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    demand_logins()
    with logins(tmp_path_factory.mktemp("logins")) as running:
        yield running


def test_a_login_with_sudo_gets_the_verdicts_of_root(there: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    as_root = [(check.id, check.passed) for check in verify(there.host("root", None))]
    assert ("N1", False) in as_root
    assert ("S1", None) in as_root
    seen: set[bytes] = set()
    asked = questions._run

    def looking(shell: Shell, command: str) -> questions.Said:
        for file in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
            try:
                seen.add(file.read_bytes())
            except OSError:
                continue
        return asked(shell, command)

    monkeypatch.setattr(questions, "_run", looking)
    monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", PASSWORD)
    with_sudo = [(check.id, check.passed) for check in verify(there.host("asked", "sudo", PASSWORD))]
    assert with_sudo == as_root
    assert [text for text in seen if b"mplskit.node.verify.checks_server" in text]
    assert not [text for text in seen if PASSWORD.encode() in text]


def test_nodes_are_verified_at_the_same_time_in_threads(there: Logins) -> None:
    found: dict[str, int] = {}
    users = ("root", "free")

    def one(user: str) -> None:
        found[user] = len(verify(there.host(user, "sudo")))

    threads = [threading.Thread(target=one, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found["root"] == found["free"] > 20


def test_a_session_that_is_cut_while_the_checks_run_is_told_and_leaves_no_process(
    there: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = questions._run
    count = 0

    def cut(shell: Shell, command: str) -> questions.Said:
        nonlocal count
        count += 1
        return asked(
            shell, "kill -9 $(ps -o ppid= -p $(ps -o ppid= -p $(ps -o ppid= -p $PPID)))" if count == 5 else command
        )

    monkeypatch.setattr(questions, "_run", cut)
    with pytest.raises(OutsideFailed, match="ssh to root@node failed"):
        verify(there.host("root", None))
    own = process.run(["ps", "-o", "args=", "--ppid", str(os.getpid())]).stdout
    assert "mplskit.node.verify" not in own


@pytest.mark.parametrize(
    "words", [["--hosts=ssh://free@node", "--sudo"], ["--hosts=ssh://root@node"], ["--hosts=local://"]]
)
def test_the_checks_run_by_plain_pytest_too(words: list[str], there: Logins, tmp_path: Path) -> None:
    config = f"--ssh-config={there.server.folder / 'config'}"
    argv = [sys.executable, "-m", "pytest", *words, config, str(data("bootstrap") / "checks")]
    ended = process.run(argv, cwd=tmp_path, check=False)
    assert ended.returncode == 1  # this machine is no MPLS node
    assert "N1: not so: mplskit has set this node up" in ended.stdout
    assert "must run as root" not in ended.stdout
    assert "needs root" not in ended.stdout
    assert " error" not in ended.stdout.splitlines()[-1]
