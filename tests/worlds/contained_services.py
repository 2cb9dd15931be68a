"""FRRouting and OpenVPN on a contained node as dpkg knows them, and a systemctl that is a script of ours."""

import hashlib
from pathlib import Path

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import contained

PRISTINE = "# default\nlog syslog informational\n"
DIGEST = hashlib.md5(PRISTINE.encode()).hexdigest()
# FRRouting and OpenVPN as dpkg knows them: no file of theirs is needed.
THERE = f"""\
mkdir -p /etc/frr /etc/openvpn /etc/alternatives && ln -s "$(command -v mawk || command -v gawk)" /etc/alternatives/awk
for package in frr:8.4.4-1 openvpn:2.5.1-3; do
    printf 'Package: %s\\nStatus: install ok installed\\nVersion: %s\\n' "${{package%:*}}" "${{package#*:}}"
    printf 'Architecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: an example\\n'
    [ "${{package%:*}}" != frr ] || printf 'Conffiles:\\n /etc/frr/frr.conf {DIGEST}\\n'
    echo
done >/var/lib/dpkg/status
printf '%s' '{PRISTINE}' >/etc/frr/frr.conf
printf '# switches\\nbgpd=no\\nospfd=no\\nldpd=no\\n' >/etc/frr/daemons
"""
LDP = NodeSpec.model_validate(
    {"mpls_input": ["eth0"], "ldp": {"router_id": "10.255.0.1", "interfaces": ["eth0"], "ospf_area": 0}}
)
FRR, DAEMONS = "/etc/frr/frr.conf", "/etc/frr/daemons"
SYSTEMD = r"""
mkdir -p /run/systemd/system /run/units
cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
[ "$1" != --quiet ] || shift
case $1 in
is-enabled | is-active) [ -e "/run/units/$2.${1#is-}" ] ;;
enable) : >"/run/units/$2.enabled" ;;
restart) : >"/run/units/$2.active"; echo "restart $2" ;;
disable | stop) rm -f "/run/units/${3:-$2}".* ;;
esac
END
chmod +x /usr/local/bin/systemctl
apply() { sh "$APPLY" "${1:-node}" | grep "service	$UNIT" ; }
"""


def ran(folder: Path, spec: NodeSpec, script: str) -> list[Item | str]:
    """What a script says on a node that has them, with the payload of a spec."""
    stage(folder / "stage", spec)
    return contained(folder / "stage", THERE + script)
