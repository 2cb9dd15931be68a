"""When units are restarted: systemctl is a script of ours that writes it down, everything else is as on a node."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import KEEPER
from tests.worlds.contained_services import DAEMONS, FRR, LDP, SYSTEMD, ran

pytestmark = pytest.mark.usefixtures("namespaces")

UNIT = "frr.service"
BROUGHT = '"${APPLY%/*}/files/usr/local/lib/mplskit/live.sh"'
SAME = Item("same", "service", UNIT, "enabled, active")
AGAIN = Item("changed", "service", UNIT, "restarted")


def after(folder: Path, script: str, unit: str = UNIT, spec: NodeSpec = LDP) -> list[Item | str]:
    """What a second bootstrap says of a unit, when `script` ran after the first."""
    said = ran(folder, spec, f"UNIT={unit}\n{SYSTEMD}\napply >/dev/null; {script}\napply plan; apply; apply")
    assert said[-1] == Item("same", "service", unit, "enabled, active")
    return said[:-1]


@pytest.mark.parametrize(
    ("edit", "does"),
    [
        (f"sed -i s/bgpd=no/bgpd=yes/ {DAEMONS}; echo '# a remark' >>{DAEMONS}", SAME),
        (f"sed -i s/ldpd=yes/ldpd=no/ {DAEMONS}", AGAIN),
    ],
    ids=["daemons of others", "our daemon"],
)
def test_frrouting_is_restarted_for_what_is_ours_alone(edit: str, does: Item, tmp_path: Path) -> None:
    assert after(tmp_path, edit) == [does, does]


@pytest.mark.parametrize(
    ("edit", "does"), [(f"sed -i '2i # a remark' {BROUGHT}", "same"), (f"sed -i '2i :' {BROUGHT}", "changed")]
)
def test_the_keeper_is_restarted_for_other_code_and_for_no_remark(edit: str, does: str, tmp_path: Path) -> None:
    said = after(tmp_path, edit, KEEPER)
    assert [item.state for item in said if isinstance(item, Item)] == [does, does]


def test_what_an_older_release_started_with_the_same_files_goes_on(tmp_path: Path) -> None:
    record = f"/var/lib/mplskit/services/{UNIT}"
    older = f"printf 'disabled inactive\\n%s\\n' $(cat {FRR} {DAEMONS} | sha256sum | cut -d ' ' -f 1) >{record}"
    assert after(tmp_path, older) == [SAME, SAME]
    edit = f'{older}; sh "$APPLY" node >/dev/null; sed -i s/bgpd=no/bgpd=yes/ {DAEMONS}'
    assert after(tmp_path, edit) == [SAME, SAME]


def test_a_tunnel_is_restarted_for_a_new_certificate(tmp_path: Path) -> None:
    keys = {"cert": "/etc/openvpn/a.crt", "key": "/etc/openvpn/a.key", "ca": "/etc/openvpn/a.crt"}
    spec = NodeSpec.model_validate({"openvpn": [{"dev": "tap0", "address": "10.96.96.2/30", **keys}]})
    unit = "openvpn@mplskit-tap0.service"
    script = f"UNIT={unit}\n{SYSTEMD}\nfor kind in crt key; do echo one >/etc/openvpn/a.$kind; done\n"
    script += "apply >/dev/null; apply; echo two >/etc/openvpn/a.crt; apply; apply"
    said = ran(tmp_path, spec, script)
    assert [item.state for item in said if isinstance(item, Item)] == ["same", "changed", "same"]
