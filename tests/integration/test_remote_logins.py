"""Logins whose shells are no `sh`, or say something by themselves: none of it is taken for words of ours."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mplskit import process
from mplskit.audit.judged_kernel import of_machine
from mplskit.config.machine_kernel import read_machine
from mplskit.errors import MachineLacks, OutsideFailed
from mplskit.node.carry import carry
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.verify.reboot import _boot_id
from mplskit.node.verify.verify import verify
from mplskit.paths import data
from mplskit.remote.host import Become, Host
from mplskit.remote.login import for_any_shell
from mplskit.remote.session import shell, stream
from tests.worlds.logins import PASSWORD, Logins, demand_logins, logins

LOGINS: list[tuple[str, Become | None, str | None]] = [
    ("loud", None, None),
    ("loud", "sudo", None),
    ("csh", None, None),
    ("csh", "sudo", PASSWORD),
    ("fish", None, None),
    ("fish", "sudo", PASSWORD),
]
# What the shells have rules of their own for.
HARD = "one!two 'three' \\\\ \\n $HOME `id` \"four\" %s %% ~ * {a,b} é\nnext # ; & | < > ( ) [ ] ^ !!"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    demand_logins("csh", "fish")
    with logins(tmp_path_factory.mktemp("logins")) as running:
        yield running


@pytest.mark.parametrize(("user", "become", "password"), LOGINS)
def test_only_the_command_is_heard_whatever_the_login_says(
    user: str, become: Become | None, password: str | None, there: Logins
) -> None:
    host, lines = there.host(user, become, password), list[str]()
    script = f"printf '%s\\n' {process.quote([HARD])}; cat; echo to stderr >&2; exit 3"
    assert stream(host, script, [b"fed\n"], lines.append) == (3, "to stderr\n")
    assert lines == [*HARD.split("\n"), "fed"]
    with shell(host) as session:
        assert session.run(["printf", "%s", HARD]).output == HARD
        assert session.run(["id", "-un"]).output == ("root\n" if become else f"{user}\n")


def test_a_loud_node_is_planned_verified_and_asked_for_its_kernel_like_any_other(there: Logins) -> None:
    node = there.host("loud", "sudo")
    root = there.host("root", None)
    spec = NodeSpec.model_validate({"mpls_input": ["lo"]})
    assert carry(Node("node", node, spec), "plan").items == carry(Node("node", root, spec), "plan").items
    verdicts = [[(check.id, check.passed, check.seen) for check in verify(host)] for host in (node, root)]
    assert verdicts[0] == verdicts[1]
    machine = read_machine(there.host("loud", None))
    assert replace(of_machine(machine, None), name="") == replace(of_machine(read_machine(root), None), name="")
    assert _boot_id(there.host("loud", None))[0] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_what_a_start_up_file_says_is_no_word_of_sudo(there: Logins) -> None:
    with pytest.raises(MachineLacks) as refused:
        stream(there.host("loud", "doas"), "true", [], print)
    assert refused.value.detail == "doas: Operation not permitted"
    assert "no rule of doas lets loud become root" in refused.value.hint


def test_what_a_banner_says_is_no_word_of_ssh(there: Logins) -> None:
    host = there.host("stranger", None)
    with pytest.raises(OutsideFailed) as refused:
        stream(host, "true", [], print)
    assert refused.value.detail.endswith("stranger@127.0.0.1: Permission denied (publickey).")
    assert "the node takes none of the keys" in refused.value.hint


def test_a_login_that_runs_something_else_is_told_with_its_words(there: Logins) -> None:
    host = there.host("menu", None)
    said = "This account is currently not available."
    with pytest.raises(OutsideFailed) as shelled, shell(host):
        pass
    with pytest.raises(OutsideFailed) as carried:
        carry(Node("node", host, NodeSpec()), "plan")
    with pytest.raises(OutsideFailed) as asked:
        read_machine(host)
    assert [shelled.value.detail, carried.value.detail, asked.value.detail] == [said, said, said]


@pytest.mark.parametrize(
    ("user", "words"),
    [("loud", ["--hosts=ssh://loud@node", "--sudo"]), ("csh", ["--hosts=ssh://csh@node"])],
)
def test_the_checks_run_by_plain_pytest_on_such_logins_too(user: str, words: list[str], there: Logins) -> None:
    config = f"--ssh-config={there.server.folder / 'config'}"
    argv = [sys.executable, "-m", "pytest", *words, config, str(data("bootstrap") / "checks" / "test_kernel.py")]
    ended = process.run(argv, check=False)
    assert ended.returncode == 1
    assert " error" not in ended.stdout.splitlines()[-1]
    release = os.uname().release
    assert f"seen:  {release} is running" in ended.stdout or f"seen:  {release} was built" in ended.stdout
    assert "not found" not in ended.stdout


@pytest.mark.parametrize("program", ["sh", "bash", "csh", "fish"])
def test_a_script_comes_through_any_shell_as_it_is(program: str, there: Logins) -> None:
    script = f"printf '%s\\n' {process.quote([HARD])}"
    assert process.run([program, "-c", for_any_shell(script)]).stdout == f"{HARD}\n"


def test_a_session_that_does_not_end_is_ended(there: Logins) -> None:
    host: Host = there.host("root", None)
    for command in ("sleep 60", "exec >&- 2>&-; exec sleep 60"):
        with pytest.raises(OutsideFailed) as late:
            stream(host, command, [], print, seconds=2)
        assert late.value.message == "root@node: no end after 2 s: the session was ended"
