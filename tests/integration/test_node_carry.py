"""Carrying over a real SSH session, to a login whose apply.sh is what the test says it is."""

import shlex

import pytest

from mplskit.errors import OutsideFailed
from mplskit.node.carry import carry
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload.payload import archive
from mplskit.node.payload.session_opening import script
from mplskit.node.payload_report import Item
from mplskit.remote.host import Host
from mplskit.remote.session import stream
from tests.worlds.scripted_nodes import World

SPEC = NodeSpec.model_validate({"mpls_input": ["eth0"], "allow": ["shrink", "default-route"]})


def node(world: World, apply: str, login: str = "") -> Node:
    """A node with that apply.sh; `login` is said before anything else."""
    world.node("ler-1", apply)
    if login:
        path = world.folder / "ler-1" / "login"
        path.write_text(f"{login}\n{path.read_text()}")
    return Node("ler-1", Host("ler-1", ssh_config=world.folder / "ssh_config"), SPEC)


def test_apply_gets_the_mode_and_what_is_allowed(fleet: World) -> None:
    said = 'printf "note\\tnode\\twords\\t%s\\n" "$*"'
    assert carry(node(fleet, said), "plan").items == (Item("note", "node", "words", "plan shrink default-route"),)


def test_what_a_login_script_says_is_no_item(fleet: World) -> None:
    said = node(fleet, "printf 'same\\tfile\\t/etc/x\\t\\n'", login="echo Welcome; printf 'a\\tb\\n'")
    assert carry(said, "node").items == (Item("same", "file", "/etc/x", ""),)


def test_no_escape_sequence_of_a_node_reaches_the_terminal(fleet: World) -> None:
    said = "printf 'diff\\tfile\\t/etc/x\\t+\\033[2Jgone\\r\\n'"
    assert carry(node(fleet, said), "plan").items == (Item("diff", "file", "/etc/x", "+�[2Jgone�"),)


def test_items_are_heard_as_they_come(fleet: World) -> None:
    go_on = fleet.folder / "go-on"
    said = (
        "printf 'changed\\tfile\\t/etc/a\\twritten\\n'; "
        f"while ! [ -e {go_on} ]; do sleep 0.02; done; printf 'same\\tfile\\t/etc/b\\t\\n'"
    )
    heard: list[str] = []

    def hear(item: Item) -> None:
        heard.append(item.name)
        go_on.touch()

    assert len(carry(node(fleet, said), "node", hear=hear).items) == 2
    assert heard == ["/etc/a", "/etc/b"]


@pytest.mark.parametrize(
    ("said", "message", "detail"),
    [
        ("exit 0", "did not run to its end on ler-1 (exit 0)", ""),
        ("echo Illegal instruction >&2; exit 132", "did not run to its end on ler-1 (exit 132)", "Illegal instruction"),
        ("printf 'same\\tfile\\t/etc/x\\t\\n'; exit 3", "did not run to its end on ler-1 (exit 3)", ""),
        ("printf 'failed\\tfile\\t/etc/x\\tno\\n'; exit 0", "did not run to its end on ler-1 (exit 0)", ""),
    ],
)
def test_a_payload_that_ends_otherwise_than_it_says_is_told(said: str, message: str, detail: str, fleet: World) -> None:
    with pytest.raises(OutsideFailed) as failed:
        carry(node(fleet, said), "node")
    assert failed.value.message.endswith(message)
    assert failed.value.detail == detail


def test_a_stream_that_was_cut_anywhere_runs_nothing(fleet: World) -> None:
    ran = fleet.folder / "ran"
    host = node(fleet, f": >{ran}").host
    whole = b"".join(archive(SPEC))
    end = whole.rindex(b"apply.sh\0")  # its header, the last
    entries = [start for start in range(0, end, 512) if whole[start + 257 : start + 262] == b"ustar"]
    assert len(entries) > 4
    for length in (*entries[:3], entries[-1] + 100, end, end + 512, end + 1024):
        stream(host, f"exec sh -c {shlex.quote(script('node'))}", [whole[:length]], print)
        assert not ran.exists(), f"after {length} of {len(whole)} bytes"
    stream(host, f"exec sh -c {shlex.quote(script('node'))}", [whole], print)
    assert ran.exists()


def test_what_a_node_says_on_stderr_and_in_foreign_lines_is_fit_for_a_terminal(fleet: World) -> None:
    said = "printf '\\033]0;title\\007foreign\\n'; printf '\\033[2Jgone\\n' >&2; exit 3"
    with pytest.raises(OutsideFailed) as failed:
        carry(node(fleet, said), "node")
    assert failed.value.detail == "�]0;title�foreign\n�[2Jgone"


def test_a_node_that_says_one_line_without_end_is_left(fleet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mplskit.node.carry.MOST", 4 << 20)
    with pytest.raises(OutsideFailed) as failed:
        carry(node(fleet, "exec tr '\\0' x </dev/zero"), "node")
    assert failed.value.message == "ler-1 sent more than 4 MiB: the session was ended"
