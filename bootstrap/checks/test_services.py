"""What runs on the node so that it stays as it is: the keeper of the routes, OpenVPN, FRRouting."""

import pytest

KEEPER = "mplskit-routes.service"


@pytest.mark.condition("N7")
def test_the_routes_are_kept_applied(facts, spec, asked, seen):
    asked([path for path in facts.rendered if path.endswith(f"/{KEEPER}")], "route, address or interface")
    assert runs(facts, [KEEPER], seen)


@pytest.mark.condition("V1")
def test_openvpn_runs(facts, spec, asked, seen):
    asked(spec.openvpn, "OpenVPN")
    assert runs(facts, [f"openvpn@mplskit-{vpn.dev}.service" for vpn in spec.openvpn], seen)


@pytest.mark.condition("D1")
def test_the_ldpd_of_frrouting_runs(facts, spec, asked, seen):
    asked(spec.ldp, "LDP")
    running = facts.run("grep -lx ldpd /proc/[0-9]*/comm 2>/dev/null")[1].split()
    there = runs(facts, ["frr.service"], seen)
    seen("and ldpd runs" if running else "and no ldpd runs")
    assert there and running


def runs(facts, units, seen):
    states = {unit: facts.unit(unit) for unit in units}
    seen("; ".join(f"{unit}: {enabled}, {active}" for unit, (enabled, active) in states.items()))
    return all(enabled == "enabled" and active == "active (running)" for enabled, active in states.values())
