"""What apply.sh does of OpenVPN and FRRouting with the files of a node, which here are folders of a namespace."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_services import DAEMONS, FRR, LDP, PRISTINE, ran

pytestmark = pytest.mark.usefixtures("namespaces")

# There is neither a module nor a unit here.
KINDS = ("file", "package")


def failed(said: list[Item | str]) -> list[tuple[str, str]]:
    return [
        (item.name, item.detail)
        for item in said
        if isinstance(item, Item) and item.state == "failed" and item.kind in KINDS
    ]


def test_the_packages_own_configuration_is_replaced_and_the_daemons_are_switched_on(tmp_path: Path) -> None:
    said = ran(tmp_path, LDP, 'sh "$APPLY" image; cat /etc/frr/daemons; cat /var/lib/mplskit/before/etc/frr/frr.conf')
    assert Item("changed", "file", FRR, "changed") in said
    assert Item("changed", "file", DAEMONS, "changed") in said
    assert said[-6:] == ["# switches", "bgpd=no", "ospfd=yes", "ldpd=yes", *PRISTINE.splitlines()]


def test_daemons_that_cannot_be_switched_on_for_once_stay_as_we_switched_them(tmp_path: Path) -> None:
    taken = '"${APPLY%/*}/files/etc/frr/daemons"'
    spoilt = f"rm -rf {taken}; mkdir -p {taken}/x"
    said = ran(tmp_path, LDP, f'sh "$APPLY" image >/dev/null; {spoilt}; sh "$APPLY" image 2>/dev/null; cat {DAEMONS}')
    [(name, why)] = failed(said)
    assert (name, why.endswith("Is a directory")) == (DAEMONS, True)
    assert said[-4:] == ["# switches", "bgpd=no", "ospfd=yes", "ldpd=yes"]


@pytest.mark.parametrize("file", [FRR, "/etc/frr/ldpd.conf"])
def test_a_configuration_by_hand_is_refused_in_a_plan_too(tmp_path: Path, file: str) -> None:
    said = ran(tmp_path, LDP, f"echo 'router bgp 65000' >{file}; sh \"$APPLY\" plan; echo $?; cat {file}")
    ((name, detail),) = failed(said)
    assert name == file
    assert detail.startswith("was written by hand and is left alone: take ldp out of the spec, and add there")
    assert "mpls ldp; router-id 10.255.0.1; address-family ipv4;" in detail
    assert said[-2:] == ["1", "router bgp 65000"]


@pytest.mark.parametrize("ours", ["", "# only a remark", "log syslog debugging"])
def test_what_configures_nothing_is_nobodys(tmp_path: Path, ours: str) -> None:
    assert failed(ran(tmp_path, LDP, f"echo '{ours}' >{FRR}; sh \"$APPLY\" plan")) == []


def test_what_was_changed_by_hand_after_us_is_refused(tmp_path: Path) -> None:
    said = ran(tmp_path, LDP, f'sh "$APPLY" image; echo \'router bgp 65000\' >>{FRR}; sh "$APPLY" plan')
    assert [name for name, _ in failed(said)] == [FRR]


def test_what_we_wrote_is_ours_the_next_time(tmp_path: Path) -> None:
    said = ran(tmp_path, LDP, 'sh "$APPLY" image >/dev/null; sh "$APPLY" plan')
    assert failed(said) == []
    assert [item.state for item in said if isinstance(item, Item) and item.name in (FRR, DAEMONS)] == ["same", "same"]


def test_another_daemon_that_was_switched_on_since_stays_on_when_ours_go(tmp_path: Path) -> None:
    stage(tmp_path / "without", NodeSpec(mpls_input=("eth0",)))
    script = f"""\
sh "$APPLY" image >/dev/null; sed -i s/bgpd=no/bgpd=yes/ {DAEMONS}
cp -r {tmp_path}/without /run/without && sh /run/without/apply.sh image | grep frr; cat {DAEMONS} {FRR}"""
    assert ran(tmp_path, LDP, script) == [
        Item("changed", "file", DAEMONS, "what was there before is back"),
        Item("changed", "file", FRR, "what was there before is back"),
        *("# switches", "bgpd=yes", "ospfd=no", "ldpd=no", *PRISTINE.splitlines()),
    ]


def test_a_configuration_that_became_somebodys_own_stays_when_ldp_goes(tmp_path: Path) -> None:
    stage(tmp_path / "without", NodeSpec(mpls_input=("eth0",)))
    script = f"""\
sh "$APPLY" image >/dev/null; echo 'router bgp 65000' >>{FRR}
cp -r {tmp_path}/without /run/without && sh /run/without/apply.sh image | grep frr.conf; tail -n 1 {FRR}"""
    assert ran(tmp_path, LDP, script) == [
        Item("note", "file", FRR, "stays: it was changed by hand since mplskit wrote it"),
        "router bgp 65000",
    ]


def vpn(**how: str) -> NodeSpec:
    keys = {"cert": "/etc/openvpn/a.crt", "key": "/etc/openvpn/a.key", **how}
    return NodeSpec.model_validate({"openvpn": [{"dev": "tap0", "address": "10.96.96.2/30", **keys}]})


def test_missing_keys_are_named_in_a_plan_too(tmp_path: Path) -> None:
    said = ran(tmp_path, vpn(ca="/etc/openvpn/ca.crt"), 'echo x >/etc/openvpn/a.crt; sh "$APPLY" plan')
    why = "is not there, and /etc/openvpn/mplskit-tap0.conf needs it: bring it to the node first"
    assert failed(said) == [("/etc/openvpn/a.key", why), ("/etc/openvpn/ca.crt", why)]


def test_an_openvpn_that_knows_no_fingerprints_is_told_beforehand(tmp_path: Path) -> None:
    script = 'for kind in crt key; do echo x >/etc/openvpn/a.$kind; done; sh "$APPLY" plan'
    assert failed(ran(tmp_path, vpn(peer_fingerprint=":".join(["AB"] * 32)), script)) == [
        (
            "openvpn",
            "2.5.1-3 knows no peer by its fingerprint, 2.6 does: let /etc/openvpn/mplskit-tap0.conf have ca instead",
        )
    ]
