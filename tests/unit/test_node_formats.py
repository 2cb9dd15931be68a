"""What node.render writes: other programs' formats, which no value can break, in a folder that is only ever ours."""

import ast
import base64
import gzip
import io
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mplskit import process
from mplskit.errors import WrongInput
from mplskit.fleet.formats.ansible import group_names
from mplskit.fleet.formats.ansible import inventory as ansible_inventory
from mplskit.fleet.formats.cloud_init import payload, size_note, user_data
from mplskit.fleet.formats.folder import name_of, write
from mplskit.fleet.formats.pyinfra import inventory as pyinfra_inventory
from mplskit.fleet.formats.quoted_yaml import quoted, yaml_of
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload.payload import archive
from mplskit.node.payload.session_opening import script
from mplskit.remote.host import Host
from tests.golden import assert_golden

SPEC = NodeSpec(mpls_input=("eth0",), allow=("default-route",))
NODE = Node("ler-1", Host("10.0.0.1", "ann", 2222, become="sudo", password="s3cret"), SPEC, ("edge-1",))
RICH = Node(
    "ler-1",
    Host("10.0.0.1", "ann", 2222, Path("ssh config"), "sudo", True),
    NodeSpec.model_validate(
        {
            "platform_labels": 200_000,
            "mpls_input": ["eth0", "eth1.100"],
            "loopbacks": ["10.255.0.1/32", "2001:db8::1/128"],
            "ip_forward": True,
            "routes": [
                {"to": "10.1.0.0/24", "push": [1000, 2000], "via": "192.0.2.1"},
                {"swap": 100, "as": [200], "via": "192.0.2.1"},
                {"pop": 300, "dev": "lo"},
            ],
            "allow": ["default-route", "shrink"],
        }
    ),
    ("edge-1", "pe"),
)
ROOT = Path(__file__).parents[2]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_any_text_is_itself_again_in_yaml_and_in_python(text: str) -> None:
    assert YAML(typ="safe", pure=True).load(quoted(text)) == text
    assert ast.literal_eval(quoted(text)) == text


@given(
    st.recursive(
        TEXT | st.integers() | st.booleans(),
        lambda below: st.lists(below) | st.dictionaries(TEXT.filter(lambda key: len(key) < 100), below),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, list | dict))
)
def test_any_document_is_itself_again(value: object) -> None:
    assert YAML(typ="safe", pure=True).load(yaml_of(value)) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["no", "on", "1:20", "010", "0x10", "~", "2026-01-01", "{{ x }}", "!!python/none"])
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    assert reader.load(yaml_of({"a_key": text})) == {"a_key": text}


def test_ansible_gets_the_nodes_their_groups_and_no_password() -> None:
    text = ansible_inventory([NODE], ["ler-1"])
    assert YAML(typ="safe", pure=True).load(text) == {
        "all": {
            "children": {
                "mplskit": {
                    "hosts": {
                        "ler-1": {
                            "ansible_host": "10.0.0.1",
                            "ansible_user": "ann",
                            "ansible_port": 2222,
                            "ansible_become": True,
                            "ansible_become_method": "ansible.builtin.sudo",
                            "mplskit_allow": ["default-route"],
                        }
                    }
                },
                "edge_1": {"hosts": {"ler-1": {}}},
            }
        }
    }


def test_pyinfra_gets_the_nodes_their_groups_strict_host_keys_and_no_password() -> None:
    found: dict[str, Any] = {}
    text = pyinfra_inventory([NODE], ["ler-1"])
    exec(text, found)
    ((name, data),), shared = found["all"]
    assert name == "ler-1"
    assert data.pop("mplskit_script").endswith('sh "$d/apply.sh" node default-route 9<&-\n')
    assert data == {
        "ssh_hostname": "10.0.0.1",
        "ssh_user": "ann",
        "ssh_port": 2222,
        "ssh_strict_host_key_checking": "yes",
        "_sudo": True,
    }
    assert shared == {"mplskit_mode": "node"}
    assert found["edge-1"] == ["ler-1"]
    assert "s3cret" not in text


def test_cloud_init_gets_the_payload_as_one_archive() -> None:
    text = user_data(NODE)
    assert text.startswith("#cloud-config\n")
    config = YAML(typ="safe", pure=True).load(text)
    (file,) = config["write_files"]
    assert (file["path"], file["permissions"], file["encoding"]) == ("/run/mplskit-payload.tar", "0600", "gz+b64")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(base64.b64decode(file["content"])))) as tar:
        assert tar.getnames()[-1] == "apply.sh"
        assert "files/etc/mplskit/node.json" in tar.getnames()
    assert "s3cret" not in text


def test_scripts_of_cloud_init_have_the_same_words_without_comments(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(payload(NODE))) as tar:
        tar.extractall(tmp_path)
    for path in sorted((ROOT / "bootstrap" / "payload").glob("*.sh")):
        mine = [line for line in (tmp_path / path.name).read_text().splitlines() if not line.strip().startswith("#")]
        assert mine == [line for line in path.read_text().splitlines() if not line.strip().startswith("#")]
        assert process.run(["sh", "-n", tmp_path / path.name], check=False).returncode == 0
    stays = "files/usr/local/lib/mplskit/live.sh"
    assert (tmp_path / stays).read_text() == (ROOT / "bootstrap" / "payload" / "live.sh").read_text()


def test_no_part_of_the_payload_writes_lines_that_look_like_comments() -> None:
    for path in (ROOT / "bootstrap" / "payload").glob("*.sh"):
        assert "<<" not in path.read_text() or path.name in ("live.sh", "keep.sh", "routes.sh"), path


def test_user_data_is_smaller_for_having_no_comments() -> None:
    whole = gzip.compress(base64.b64encode(gzip.compress(b"".join(archive(SPEC)), mtime=0)), mtime=0)
    # Those of the scripts that stay on the node stay, too.
    assert len(gzip.compress(user_data(NODE).encode(), mtime=0)) < 0.91 * len(whole)


def test_a_large_user_data_is_told_with_what_clouds_take() -> None:
    takes = "clouds take at most: Amazon EC2 16,384, OpenStack 49,149, Azure 65,535"
    assert size_note(22_096, 16_000) == (
        f"! user-data has up to 22,096 bytes, and {takes}. user-data.gz is the same for cloud-init and has up to 16,000"
    )
    assert size_note(70_000, 50_000).endswith(
        "and has up to 50,000; too large for Amazon EC2 and OpenStack all the same: use node.bootstrap there"
    )


def test_groups_get_names_that_ansible_takes() -> None:
    assert group_names(["edge-1", "core.x", "2nd"], ["ler-1"]) == {
        "edge-1": "edge_1",
        "core.x": "core_x",
        "2nd": "_2nd",
    }


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["edge-1", "edge.1"], "group edge.1, as edge_1 in Ansible, has the name of the group edge-1"),
        (["ler-1", "ler"], "group ler-1, as ler_1 in Ansible, has the name of the node ler_1"),
        (["mplskit"], "group mplskit has the name of a group of Ansible's own"),
    ],
)
def test_groups_of_one_name_in_ansible_are_refused(groups: list[str], message: str) -> None:
    with pytest.raises(WrongInput) as caught:
        group_names(groups, ["ler_1"])
    assert caught.value.message == message


def shown(folder: Path) -> str:
    """What people see of a folder: its files, and the text of those that are neither scripts nor archives."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        lines.append(f"== {name}")
        if path.suffix == ".tar":
            lines += _members(path.read_bytes())
        elif not re.search(r"\.(sh|gz|json)$|deploy\.py$|/(files|want)/", str(path)):
            text = path.read_text()
            archive = re.search(r'"content": "([A-Za-z0-9+/=]+)"', text)
            if archive:
                inside = "\n".join(_members(gzip.decompress(base64.b64decode(archive[1]))))
                text = text.replace(archive[1], f"…\n{inside}\n…")
            for node in (RICH, NODE):
                words = script("node", node.spec.allow)
                text = text.replace(repr(words)[1:-1], "SCRIPT").replace(quoted(words)[1:-1], "SCRIPT")
            lines.append(text)
    return "\n".join(lines)


def _members(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [f"  {name}" for name in tar.getnames() if not name.endswith(".sh")]


@pytest.mark.parametrize("form", ["files", "cloud-init", "pyinfra", "ansible"])
def test_a_folder_of_two_nodes_is_what_people_see(form: str, tmp_path: Path) -> None:
    write(form, [RICH, replace(NODE, name="lsr-1", host=Host("lsr-1", become="doas"))], tmp_path / "to")
    assert_golden(f"render-{form}", shown(tmp_path / "to"), {tmp_path: "HERE", Path.cwd(): "CWD"})


@pytest.mark.parametrize(
    ("host", "name"), [("root@[::1]:22", "1"), ("ann@10.0.0.1:2222", "10.0.0.1"), ("fe80::1%eth0", "fe80-1-eth0")]
)
def test_a_host_of_the_command_line_is_named_by_its_address(host: str, name: str) -> None:
    assert name_of(Node(host, Host.parse(host), SPEC)) == name


@pytest.mark.parametrize("form", ["files", "cloud-init", "pyinfra", "ansible"])
def test_a_folder_is_replaced_by_the_same_again(form: str, tmp_path: Path) -> None:
    first = write(form, [NODE], tmp_path / "to")
    before = {path: (tmp_path / "to" / path).read_bytes() for path in first}
    assert {path: (tmp_path / "to" / path).read_bytes() for path in write(form, [NODE], tmp_path / "to")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_what_somebody_else_wrote_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("x")
    with pytest.raises(WrongInput, match=r"node\.render did not write"):
        write("files", [NODE], tmp_path)
    assert (tmp_path / "thesis").read_text() == "x"


def test_what_somebody_changed_is_never_replaced(tmp_path: Path) -> None:
    write("ansible", [NODE], tmp_path / "to")
    (tmp_path / "to" / "playbook.yml").write_text("mine")
    with pytest.raises(WrongInput, match=r"playbook\.yml"):
        write("ansible", [NODE], tmp_path / "to")


def test_a_format_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="allowed: files, cloud-init, pyinfra, ansible"):
        write("chef", [NODE], tmp_path / "to")
