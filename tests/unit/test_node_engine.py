"""--engine pyinfra before any node is reached: what is refused, what pyinfra's inventories may say, what is brought."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bootstrap.carriers.needed import needed
from mplskit.debian.package_file import Deb, Package, Role
from mplskit.errors import Failure, MachineLacks, WrongInput
from mplskit.fleet.flags import NodeFlags
from mplskit.fleet.formats.pyinfra import Carried
from mplskit.fleet.inventory import pyinfra_hosts
from mplskit.fleet.inventory.selection import selected
from mplskit.fleet.pyinfra import program
from mplskit.fleet.pyinfra.bounds import check_pyinfra
from mplskit.fleet.pyinfra.engines import engine_of
from mplskit.fleet.pyinfra.reports import report_of, unreachable
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload import packages_there
from mplskit.node.payload.packages_there import Offer
from mplskit.node.payload_report import Item, parse_line
from mplskit.remote.host import Host
from tests.golden import assert_golden

ROOT = Path(__file__).parents[2]
SUDO = Node("ler-1", Host("ler-1", become="sudo"), NodeSpec())


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MPLSKIT_BECOME_PASSWORD", raising=False)
    return tmp_path


def engine(word: str) -> object:
    return engine_of(word, Carried(), lambda node, report: pytest.fail("no node is reached"))


def golden(case: str, failure: Failure, here: Path) -> None:
    assert_golden(case, f"{failure}\n", {here: "HERE", Path(sys.executable): "PYTHON"})


def test_ssh_needs_nothing_in_its_place() -> None:
    assert engine("ssh") is None


def test_an_unknown_engine_is_told_with_those_that_there_are(here: Path) -> None:
    with pytest.raises(WrongInput) as caught:
        engine("pyinfro")
    golden("engine-unknown", caught.value, here)


def test_a_machine_without_pyinfra_is_told_how_to_install_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyinfra_cli", None)
    with pytest.raises(MachineLacks) as caught:
        engine("pyinfra")
    golden("engine-pyinfra-missing", caught.value, here)


def test_the_version_told_is_that_of_the_extra() -> None:
    assert f'fleet = ["pyinfra=={program.VERSION}"]' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("case", "flags", "password"),
    [
        ("engine-timeout", {"timeout": "60"}, None),
        ("engine-ask-password", {"ask_become_password": True}, None),
        ("engine-password", {}, "s3cret"),
    ],
)
def test_what_pyinfra_cannot_do_is_refused(
    case: str, flags: dict[str, Any], password: str | None, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if password:
        monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", password)
    with pytest.raises(WrongInput) as caught:
        check_pyinfra([SUDO], **{"timeout": "", "ask_become_password": False, **flags})
    golden(case, caught.value, here)


def test_a_password_that_no_node_wants_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", "s3cret")
    check_pyinfra([Node("ler-1", Host("ler-1"), NodeSpec())], timeout="", ask_become_password=False)


def test_a_python_file_is_not_run_unless_pyinfra_carries(here: Path) -> None:
    Path("hosts.py").write_text("raise SystemExit('this is code')\n")
    with pytest.raises(WrongInput) as caught:
        selected(NodeFlags(inventory="hosts.py"))
    golden("engine-python-inventory", caught.value, here)


def read(text: str, settings: Sequence[str] = (), limit: str = "") -> tuple[Node, ...]:
    if find_spec("pyinfra_cli") is None:
        pytest.skip("pyinfra is not installed (./run installs it)")
    Path("hosts.py").write_text(text)
    return pyinfra_hosts.load(Path("hosts.py"), settings, limit)


def test_hosts_their_groups_and_their_connection_are_taken_over() -> None:
    nodes = read(
        "edge = (['ler-1', ('ler-2', {'ssh_hostname': '10.0.0.2', 'ssh_port': 2222, '_doas': True})],\n"
        "    {'ssh_user': 'ann', '_sudo': False, 'mplskit': {'mpls_input': ['eth0']}})\n"
        "core = [('lsr-1', {'ssh_config_file': 'config', 'ssh_strict_host_key_checking': 'accept-new',\n"
        "    'ssh_key': 'keys/one', 'ssh_forward_agent': False, 'mplskit': {'routes': [{'pop': 100, 'dev': 'lo'}]}})]\n"
    )
    assert [(node.name, node.groups) for node in nodes] == [
        ("ler-1", ("edge", "hosts")),
        ("ler-2", ("edge", "hosts")),
        ("lsr-1", ("core", "hosts")),
    ]
    assert nodes[0].host == Host("ler-1", "ann")
    assert nodes[1].host == Host("10.0.0.2", "ann", 2222, become="doas")
    assert nodes[2].host == Host("lsr-1", ssh_config=Path.cwd() / "config", accept_new=True)
    assert nodes[0].spec == NodeSpec(mpls_input=("eth0",))
    connection = getattr(nodes[2], "connection")  # noqa: B009
    assert connection == {"ssh_forward_agent": False, "ssh_key": str(Path.cwd() / "keys/one")}


def test_set_counts_more_for_those_that_limit_leaves() -> None:
    text = "edge = (['a', 'b'], {'mplskit': {'platform_labels': 2000}})\n"
    [node] = read(text, ["platform_labels=3000", "user=ann"], "b")
    assert (node.name, node.spec.platform_labels, node.host.user) == ("b", 3000, "ann")


def test_all_that_does_not_fit_is_told_with_file_and_host(here: Path) -> None:
    with pytest.raises(WrongInput) as caught:
        read(
            "edge = ([\n"
            "    ('bare', {'mplskit': None}), ('worded', {'mplskit': 'mpls_input'}),\n"
            "    ('label', {'mplskit': {'routes': [{'pop': 7}]}}),\n"
            "    ('key', {'mplskit': {'mpls_inputs': ['eth0'], 'user': 'ann'}}),\n"
            "    ('port', {'ssh_port': 70000, 'mplskit': {}}),\n"
            "    ('address', {'ssh_hostname': 'ann@10.0.0.1', 'mplskit': {}}),\n"
            "    ('root', {'_sudo': True, '_doas': True, '_su_user': 'root', '_sudo_user': 'ann', 'mplskit': {}}),\n"
            "    ('secret', {'ssh_password': 's3cret', '_sudo_password': 's3cret', 'mplskit': {}}),\n"
            "    ('open', {'ssh_strict_host_key_checking': 'no', 'ssh_new': 1, 'ssh_forward_agent': True,\n"
            "     'mplskit': {}}),\n"
            "    ('@docker/x', {'mplskit': {}}), ('a b', {'mplskit': {}}),\n"
            "], {})\n"
        )
    assert "s3cret" not in str(caught.value)
    golden("engine-hosts", caught.value, here)


def test_a_wrong_setting_is_told_as_one(here: Path) -> None:
    with pytest.raises(WrongInput) as caught:
        read("edge = (['a'], {'mplskit': {}})\n", ["platform_labels=-1"])
    golden("engine-hosts-set", caught.value, here)


def test_a_file_that_pyinfra_cannot_read_is_told_in_its_words(here: Path) -> None:
    with pytest.raises(WrongInput) as caught:
        read("raise ValueError('no such data centre')\n")
    assert caught.value.message == "hosts.py: pyinfra does not read it as an inventory"
    assert "no such data centre" in caught.value.detail


def test_a_file_without_hosts_is_refused() -> None:
    with pytest.raises(WrongInput, match="at least one node"):
        read("edge = []\n")


OFFER = """\
have\tpackage\tiproute2\tBBBB 6.12
have\tspace\t/var/tmp\t100 /
have\tspace\t/boot\t70 /boot
have\tspace\t/lib\t100 /
have\tspace\t/usr\t100 /
have\tinitrd\tlargest\t30
have\tnode\tpackages\t
"""


def test_needed_packages_and_room_are_those_of_our_own_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Package("linux-image-6.12", "1", "image.deb", "AAAA", 20 << 10, Role.IMAGE)
    tool = Package("iproute2", "6.12", "ip.deb", "BBBB", 4 << 10, Role.IPROUTE2)
    debs = [Deb(Path(package.file), package) for package in (image, tool)]
    monkeypatch.setattr(packages_there, "unpacked", lambda deb: {"/boot": 50, "/lib": 40})
    asked = [
        {
            "name": deb.package.package,
            "identity": f"{deb.package.sha256} {deb.package.version}",
            "part": deb.package.file,
            "needs": dict(packages_there.needs(deb)),
            "kernel": deb.package.role is Role.IMAGE,
        }
        for deb in debs
    ]
    own = Offer()
    for line in OFFER.splitlines():
        own.take(parse_line(line))
    missing, lacking = needed(asked, OFFER)
    assert missing == ["image.deb"]
    assert [parse_line(line) for line in lacking] == own.lacking(own.missing(debs))
    assert lacking == ["failed\tnode\tspace\t/boot has 0 MiB free, and 1 MiB are needed (/boot) for linux-image-6.12"]
    assert needed(asked, "")[0] == ["image.deb", "ip.deb"]


def test_a_report_has_items_and_the_exit_status(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "a.log").write_text("a login's message\n")
    (tmp_path / "reports" / "a.tsv").write_text("Welcome!\nchanged\tfile\t/etc/x\twritten\nended\t0\n")
    assert report_of(tmp_path, "a", Host("a")).items == (Item("changed", "file", "/etc/x", "written"),)
    (tmp_path / "reports" / "a.tsv").write_text("")
    with pytest.raises(Failure, match="did not run on a") as caught:
        report_of(tmp_path, "a", Host("a"))
    assert caught.value.detail == "a login's message"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("SSH error (StrictPolicy: No host key for a found in known_hosts)", "--accept-new"),
        ("SSH host key error (Host key for a does not match.)", "ssh-keygen -R"),
        ("Authentication error (username=ann): No authentication methods available", "must be in the agent"),
        ("Could not connect ([Errno None] Unable to connect to port 22 on 10.0.0.1)", "is sshd running"),
        ("Could not connect (timed out)", "does a firewall drop the packets"),
        ("Could not resolve hostname ([Errno -2] Name or service not known)", "no such name"),
    ],
)
def test_a_node_that_pyinfra_does_not_reach_is_told_with_a_way_on(words: str, hint: str) -> None:
    failure = unreachable(Host("a"), [words])
    assert (failure.message, failure.detail) == ("pyinfra does not reach a", words)
    assert hint in failure.hint
