"""What node.render writes: other programs' formats, which no value can break, in a folder that is only ever ours."""

import ast
import base64
import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mplskit.errors import WrongInput
from mplskit.node.formats.ansible import inventory as ansible_inventory
from mplskit.node.formats.cloud_init import user_data
from mplskit.node.formats.folder import name_of, write
from mplskit.node.formats.pyinfra import inventory as pyinfra_inventory
from mplskit.node.formats.quoted import quoted, yaml_of
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.remote.host import Host

SPEC = NodeSpec(mpls_input=("eth0",), allow=("default-route",))
NODE = Node("ler-1", Host("10.0.0.1", "ann", 2222, become="sudo", password="s3cret"), SPEC, ("edge-1",))
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
                "edge-1": {"hosts": {"ler-1": {}}},
            }
        }
    }


def test_pyinfra_gets_the_nodes_their_groups_strict_host_keys_and_no_password() -> None:
    found: dict[str, object] = {}
    text = pyinfra_inventory([NODE], ["ler-1"])
    exec(text, found)
    ((name, data),), shared = found["all"]  # type: ignore[attr-defined]
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
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == ["to"]


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
