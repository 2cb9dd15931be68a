"""What carries the payload besides our own sessions: each sets up a stock Debian node, and then has nothing to do."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mplskit import process
from mplskit.remote.session import once
from mplskit.vm.guest import Guest
from mplskit.vm.machine import Machine, booted
from tests.worlds.checkout import Ran, invoke, overlay

NODES = """\
groups:
  edge-1: {platform_labels: 2000}
nodes:
  vm:
    groups: [edge-1]
    allow: [default-route]
    mpls_input: [eth0]
    loopbacks: [192.168.10.1/32]
    routes:
      - {push: [300], to: 192.0.2.1/32, via: 10.0.2.2}
      - {pop: 101, dev: lo}
"""
HOSTS = """\
edge = (
    ["vm"],
    {{
        "ssh_config_file": "{config}",
        "mplskit": {{"platform_labels": 3000, "mpls_input": ["eth0"], "allow": ["default-route"]}},
    }},
)
"""
# cloud-init's own stages of a first boot, those modules alone that the user-data is for.
CLOUD_INIT = """
set -e
cloud-init schema -c /root/user-data >&2
mkdir -p /var/lib/cloud/seed/nocloud /run/cloud-init
cp /root/user-data.gz /var/lib/cloud/seed/nocloud/user-data
cp /root/meta-data /var/lib/cloud/seed/nocloud/meta-data
cat >/etc/cloud/cloud.cfg.d/99-test.cfg <<EOF
{datasource_list: [NoCloud], network: {config: disabled}, ssh_deletekeys: false, disable_root: false,
 cloud_init_modules: [write-files], cloud_config_modules: [runcmd], cloud_final_modules: [scripts-user]}
EOF
cloud-init clean --logs
for stage in 'init --local' init 'modules --mode config' 'modules --mode final'; do cloud-init $stage; done
"""


@dataclass(frozen=True)
class Node:
    """A node that is as it was before each test, and its inventory."""

    machine: Machine
    nodes: Path

    def on(self, command: str, *, timeout: float = 600) -> str:
        return once(self.machine.host, command, timeout=timeout).stdout

    def task(self, name: str, *words: str) -> Ran:
        where = ("--inventory", str(self.nodes), "--ssh-config", str(self.machine.host.ssh_config))
        return invoke(name, *where, *words)

    def rendered(self, form: str) -> Path:
        """The folder that node.render writes."""
        folder = self.nodes.parent / form
        ran = self.task("node.render", "--format", form, "--to", str(folder))
        assert ran.code == 0, ran.err
        return folder

    def copy(self, *files: Path) -> None:
        process.run(["scp", "-q", "-r", "-F", self.machine.host.ssh_config or "", *files, "vm:"])

    def is_set_up(self) -> None:
        """Our own session finds nothing to do, and the kernel has what was asked for."""
        ran = self.task("node.plan", "--json")
        assert ran.code == 0, ran.err
        labels = self.on("cat /proc/sys/net/mpls/platform_labels; ip -f mpls route show 101")
        assert labels.split() == ["2000", "101", "dev", "lo", "proto", "77"]


@pytest.fixture(scope="module")
def machine(stock_guest: Guest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("carriers")
    with booted(replace(stock_guest, disk=overlay(stock_guest.disk, folder / "disk"), persist=True), folder) as running:
        yield running


@pytest.fixture
def node(machine: Machine, tmp_path: Path) -> Iterator[Node]:
    (tmp_path / "nodes.yaml").write_text(NODES)
    found = Node(machine, tmp_path / "nodes.yaml")
    yield found
    assert found.task("node.remove").code == 0


def test_the_engine_pyinfra_sets_a_node_up_and_then_finds_nothing_to_do(node: Node) -> None:
    engine = ("--engine", "pyinfra", "--json")
    planned = node.task("node.plan", *engine)
    assert (planned.code, planned.json["nodes"][0]["state"]) == (1, "changed"), planned.err
    first = node.task("node.bootstrap", *engine)
    assert (first.code, first.json["nodes"][0]["state"]) == (0, "changed"), first.err
    second = node.task("node.bootstrap", *engine)
    assert (second.code, second.json["nodes"][0]["state"]) == (0, "ok"), second.err
    node.is_set_up()
    assert node.on("ls -A /var/tmp | grep mplskit || true") == ""


@pytest.mark.full
def test_an_inventory_of_pyinfras_sets_a_node_up(node: Node, tmp_path: Path) -> None:
    (tmp_path / "hosts.py").write_text(HOSTS.format(config=node.machine.host.ssh_config))
    words = ("node.bootstrap", "--inventory", str(tmp_path / "hosts.py"), "--engine", "pyinfra", "--json")
    assert [invoke(*words).json["nodes"][0]["state"] for _ in range(2)] == ["changed", "ok"]
    assert node.on("cat /proc/sys/net/mpls/platform_labels").strip() == "3000"


@pytest.mark.full
def test_the_rendered_deploy_runs_under_pyinfra_alone(node: Node) -> None:
    folder = node.rendered("pyinfra")
    states = []
    for _ in range(2):
        argv = [sys.executable, "-m", "pyinfra", "-y", "inventory.py", "deploy.py"]
        process.run(argv, cwd=folder, timeout=300)
        *lines, end = (folder / "reports" / "vm.tsv").read_text().splitlines()
        states.append(Counter(line.partition("\t")[0] for line in lines))
        assert end == "ended\t0"
    assert states[0]["changed"] > 10
    assert set(states[1]) == {"same"}
    node.is_set_up()


def test_the_folder_of_files_is_applied_by_the_command_of_its_readme(node: Node) -> None:
    folder = node.rendered("files")
    assert "    vm: sh apply.sh node default-route\n" in (folder / "README").read_text()
    node.copy(folder / "vm")
    assert "changed\tfile\t/etc/mplskit/node.json\twritten\n" in node.on("cd vm && sh apply.sh node default-route")
    assert "changed" not in node.on("cd vm && sh apply.sh node default-route; rm -r ~/vm")
    node.is_set_up()


@pytest.mark.full
def test_cloud_init_takes_the_user_data_packed_and_applies_it(node: Node) -> None:
    folder = node.rendered("cloud-init")
    node.copy(*(folder / "vm").iterdir())
    node.on("apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y cloud-init >&2", timeout=900)
    said = node.on(CLOUD_INIT)
    assert "changed\tfile\t/etc/mplskit/node.json\twritten\n" in said
    node.is_set_up()
