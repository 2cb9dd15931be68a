"""A stock Debian node becomes MPLS-ready over SSH, says so, and stays so: one node, and each test leaves it ready."""

from dataclasses import replace
from pathlib import Path

import pytest

from mplskit import process
from mplskit.remote.host import Host
from mplskit.remote.session import once
from mplskit.vm.machine import Guest, Machine, booted
from tests.worlds.checkout import ROOT, Ran, invoke, overlay
from tests.worlds.contained_node import FILES

# eth0, the only interface, carries the default route.
ALLOWED = ("--allow", "default-route")

# The namespaces of earlier checks are cleaned up in the background; until then they keep the modules in use.
# Debian has mpls_gso built in.
UNLOAD = """\
tries=0
until error=$(rmmod mpls_iptunnel mpls_router 2>&1); ! grep -q ^mpls_ /proc/modules; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then echo "$error" >&2; exit 1; fi
    sleep 0.2
done"""


def node(task: str, host: Host, *words: str) -> Ran:
    return invoke(task, "--host", str(host), "--ssh-config", str(host.ssh_config), "--json", *words)


def on(host: Host, command: str) -> str:
    return once(host, command, timeout=600).stdout


def checks(host: Host, folder: Path) -> process.Finished:
    """The suite of checks, run from `folder` as a user of pytest does."""
    words = [f"--hosts=ssh://{host}", f"--ssh-config={host.ssh_config}", str(ROOT / "bootstrap" / "checks")]
    return process.run([ROOT / ".venv" / "bin" / "pytest", *words], cwd=folder, check=False)


def input_of(host: Host, name: str, make: str) -> str:
    """The `input` of an interface that `make` brings, after udev has dealt with it."""
    return on(host, f"{make} && udevadm settle && cat /proc/sys/net/mpls/conf/{name}/input").strip()


@pytest.fixture(scope="module")
def prepared(stock_vm: Machine) -> Ran:
    """How the node was set up."""
    return node("node.bootstrap", stock_vm.host, "--mpls-input", "eth0", *ALLOWED)


def test_a_node_that_was_never_set_up_is_told_so(stock_vm: Machine) -> None:
    ran = node("node.verify", stock_vm.host)
    assert ran.code == 1
    verdicts = {check["id"]: check["passed"] for check in ran.json["checks"]}
    assert verdicts["N1"] is False
    assert verdicts["K3"] is False
    assert verdicts["K5"] is True


def test_a_dry_run_shows_the_files_and_touches_nothing(stock_vm: Machine) -> None:
    ran = node("node.bootstrap", stock_vm.host, "--mpls-input", "eth0", *ALLOWED, "--dry-run")
    assert ran.code == 0
    assert "net/mpls/conf/eth0/input = 1\n" in ran.json["files"]["/etc/sysctl.d/90-mplskit.conf"]
    assert on(stock_vm.host, "ls /etc/mplskit 2>&1 || true").strip().endswith("No such file or directory")


def test_a_stock_node_is_set_up_without_packages_and_without_a_reboot(stock_vm: Machine, prepared: Ran) -> None:
    ran = prepared
    assert ran.code == 0, ran.err
    changed = {(item["kind"], item["name"]) for item in ran.json["items"] if item["state"] == "changed"}
    assert {name for kind, name in changed if kind == "file"} == set(FILES)
    assert ("module", "mpls_router") in changed
    # The sysctls may be there before apply.sh asks: the module's arrival makes udev set them.
    sysctls = "/proc/sys/net/mpls/platform_labels /proc/sys/net/mpls/conf/eth0/input /proc/sys/net/mpls/conf/lo/input"
    assert on(stock_vm.host, f"cat {sysctls}").split() == ["100000", "1", "0"]
    assert ran.json["reboot_needed"] is None


def test_the_second_time_there_is_no_change(stock_vm: Machine, prepared: Ran) -> None:
    ran = node("node.bootstrap", stock_vm.host, "--mpls-input", "eth0", *ALLOWED)
    assert (ran.code, ran.json["changed"]) == (0, False)
    told = invoke(
        *("node.bootstrap", "--host", str(stock_vm.host), "--ssh-config", str(stock_vm.host.ssh_config)),
        *("--mpls-input", "eth0", *ALLOWED),
    )
    assert (told.code, told.out) == (0, "no change\n")


def test_it_is_verified(stock_vm: Machine, prepared: Ran) -> None:
    ran = node("node.verify", stock_vm.host)
    assert ran.code == 0, ran.out
    assert all(check["passed"] for check in ran.json["checks"])


def test_the_checks_run_by_plain_pytest_too(stock_vm: Machine, prepared: Ran, tmp_path: Path) -> None:
    ended = checks(stock_vm.host, tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert "21 passed" in ended.stdout or "22 passed" in ended.stdout


def test_a_login_that_is_not_roots_is_told_so_and_nothing_is_blamed_on_the_kernel(
    stock_vm: Machine, prepared: Ran, tmp_path: Path
) -> None:
    on(stock_vm.host, "useradd -m -s /bin/sh ann && cp -r /root/.ssh /home/ann && chown -R ann: /home/ann/.ssh")
    ann = replace(stock_vm.host, user="ann")
    for task in ("node.bootstrap", "node.verify"):
        ran = node(task, ann)
        assert (ran.code, ran.out) == (3, "")
        told = "error: ann@vm: must run as root, not as ann\nhint: log in as root (--host root@vm), or give --become"
        assert told in ran.err
    ended = checks(ann, tmp_path)
    assert ended.returncode == 1
    assert "labels are tried in a network namespace, which needs root: log in as root, or give --sudo" in ended.stdout
    assert "2 failed" in ended.stdout
    assert "lightweight tunnels" not in ended.stdout


def test_a_label_table_that_was_emptied_is_named_with_cause_and_cure_and_mended(
    stock_vm: Machine, prepared: Ran
) -> None:
    # The keeper looks once a minute, and would mend it: it is held where it holds no lock.
    held = "flock /run/mplskit/lock systemctl kill -s STOP mplskit-routes"
    on(stock_vm.host, f"{held}; echo 0 >/proc/sys/net/mpls/platform_labels")
    ran = node("node.verify", stock_vm.host)
    mended = node("node.bootstrap", stock_vm.host, "--mpls-input", "eth0", *ALLOWED)
    on(stock_vm.host, "systemctl kill -s CONT mplskit-routes")
    assert ran.code == 1
    [check] = [check for check in ran.json["checks"] if check["passed"] is not True]
    assert check["id"] == "S1"
    assert check["seen"] == "net.mpls.platform_labels = 0, wanted 100000"
    assert check["cause"].startswith("net.mpls.platform_labels is 0 by default")
    assert check["cure"].startswith("sysctl -w net.mpls.platform_labels=")
    changed = [(item["name"], item["detail"]) for item in mended.json["items"] if item["state"] == "changed"]
    assert changed == [("net/mpls/platform_labels", "0 -> 100000")]


def test_modules_that_were_unloaded_and_files_that_are_gone_are_named_and_mended(
    stock_vm: Machine, prepared: Ran
) -> None:
    on(stock_vm.host, f"{UNLOAD} && rm /etc/udev/rules.d/90-mplskit.rules")
    ran = node("node.verify", stock_vm.host)
    verdicts = {check["id"]: check["passed"] for check in ran.json["checks"]}
    assert {name for name, passed in verdicts.items() if passed is False} == {"K3", "K2", "N4"}
    assert {name for name, passed in verdicts.items() if passed is None} == {"S1", "S11", "X1", "S17", "P1"}
    assert node("node.bootstrap", stock_vm.host, "--mpls-input", "eth0", *ALLOWED).code == 0
    assert node("node.verify", stock_vm.host).code == 0


def test_interfaces_that_appear_later_accept_labels_when_they_are_named_and_only_as_long(
    stock_vm: Machine, prepared: Ran
) -> None:
    host = stock_vm.host
    names = ("eth0", "eth0.100", "dum.7", "core1")
    ran = node("node.bootstrap", host, *ALLOWED, *(word for name in names for word in ("--mpls-input", name)))
    assert [item["name"] for item in ran.json["items"] if item["state"] == "waits"] == list(names[1:])
    assert ran.code == 1
    assert input_of(host, "eth0.100", "ip link add link eth0 name eth0.100 type vlan id 100") == "1"
    assert input_of(host, "dum.7", "ip link add dum.7 type dummy") == "1"
    assert input_of(host, "other", "ip link add other type dummy") == "0"
    assert input_of(host, "core1", "ip link set other name core1") == "1"
    ran = node("node.bootstrap", host, "--mpls-input", "eth0", *ALLOWED)
    assert {item["name"] for item in ran.json["items"] if item["detail"] == "1 -> 0"} == {
        f"net/mpls/conf/{name}/input" for name in names[1:]
    }
    assert node("node.verify", host).code == 0


def test_input_that_someone_else_switched_on_is_named(stock_vm: Machine, prepared: Ran) -> None:
    assert input_of(stock_vm.host, "dum.8", "ip link add dum.8 type dummy") == "0"
    on(stock_vm.host, "echo 1 >/proc/sys/net/mpls/conf/dum.8/input")
    ran = node("node.verify", stock_vm.host)
    on(stock_vm.host, "ip link delete dum.8")
    [check] = [check for check in ran.json["checks"] if check["passed"] is not True]
    assert (check["id"], check["seen"]) == ("X1", "input is on for dum.8")


def test_a_node_is_ready_after_a_boot(stock_guest: Guest, tmp_path: Path) -> None:
    guest = replace(stock_guest, disk=overlay(stock_guest.disk, tmp_path / "disk.qcow2"), persist=True)
    with booted(guest, tmp_path / "first") as machine:
        assert node("node.bootstrap", machine.host, "--mpls-input", "eth0", *ALLOWED).code == 0
    with booted(guest, tmp_path / "second") as machine:
        ran = node("node.verify", machine.host)
        assert ran.code == 0, ran.out


def test_a_host_that_is_not_there_is_outside_and_not_a_bad_node(stock_vm: Machine) -> None:
    nowhere = Host("127.0.0.1", "root", 1, stock_vm.host.ssh_config)
    for task in ("node.bootstrap", "node.verify"):
        ran = node(task, nowhere)
        assert ran.code == 4
        assert "Connection refused" in ran.err
        assert ran.out == ""
