"""From a node's spec to the plain files that make it so: one renderer for every carrier."""

from functools import cache
from ipaddress import IPv4Address, IPv6Address

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mplskit.json_rows import in_rows
from mplskit.node.grammar.part import Part
from mplskit.node.grammar.routes import incoming
from mplskit.node.grammar.spec import NodeSpec
from mplskit.paths import data

MODULES = ("mpls_router", "mpls_iptunnel", "mpls_gso")
MODULES_FILE = "/etc/modules-load.d/mplskit.conf"
SYSCTL_FILE = "/etc/sysctl.d/90-mplskit.conf"
UDEV_FILE = "/etc/udev/rules.d/90-mplskit.rules"
SPEC_FILE = "/etc/mplskit/node.json"
ROUTES_FILE = "/etc/mplskit/routes.batch"
LABELS_FILE = "/etc/mplskit/labels.batch"
KEEPER = "mplskit-routes.service"
UNIT_FILE = f"/etc/systemd/system/{KEEPER}"
OPENVPN_FILE = "/etc/openvpn/mplskit-{}.conf"
OPENVPN_UNIT = "openvpn@mplskit-{}.service"
FRR_FILE = "/etc/frr/frr.conf"
FRR_DAEMONS = "/etc/frr/daemons"
FRR_UNIT = "frr.service"
SCRIPTS = "/usr/local/lib/mplskit"
KEEPERS_SCRIPTS = ("keep.sh", "live.sh", "routes.sh")

# The routing protocol number of every route of ours ("M"): unused in iproute2's rt_protos and by FRR and BIRD.
ROUTE_PROTOCOL = 77


def render(spec: NodeSpec) -> dict[str, str]:
    """The files of a node: absolute path on the node -> text. A file with nothing to say is left out."""
    files = {
        MODULES_FILE: _text("modules-load.conf.j2", spec),
        SYSCTL_FILE: _text("sysctl.conf.j2", spec),
        UDEV_FILE: _text("udev.rules.j2", spec),
        SPEC_FILE: _text("node.json.j2", spec),
        **{f"{SCRIPTS}/{name}": (data("bootstrap") / "payload" / name).read_text() for name in KEEPERS_SCRIPTS},
    }
    if spec.delivers or spec.loopbacks or any(incoming(route) is None for route in spec.routes):
        files[ROUTES_FILE] = _text("routes.batch.j2", spec)
    if any(incoming(route) is not None for route in spec.routes):
        files[LABELS_FILE] = _text("labels.batch.j2", spec)
    routes = "".join(files.get(path, "") for path in (ROUTES_FILE, LABELS_FILE))
    files[UNIT_FILE] = _text("mplskit-routes.service.j2", spec, memory=keepers_memory(len(routes)))
    for vpn in spec.openvpn:
        files[OPENVPN_FILE.format(vpn.dev)] = _text("openvpn.conf.j2", spec, vpn=vpn)
    if spec.ldp:
        files[FRR_FILE] = _text("frr.conf.j2", spec, ldp=spec.ldp)
    return files


def keepers_memory(size: int) -> int:
    """MiB that the keeper may use, for batch files of `size` bytes: 100,000 label routes (6 MiB) get 256.

    It grows in steps of a MiB of text, some 15,000 routes: a few routes more do not restart the keeper.
    """
    return 64 + 32 * (size >> 20)


def services(spec: NodeSpec) -> dict[str, tuple[str, ...]]:
    """The units of systemd that a node needs, each with the files that it reads when it is started."""
    keeper = (UNIT_FILE, *(f"{SCRIPTS}/{name}" for name in KEEPERS_SCRIPTS))
    units: dict[str, tuple[str, ...]] = {KEEPER: keeper}
    for vpn in spec.openvpn:
        keys = (vpn.cert, vpn.key, *([vpn.ca] if vpn.ca else []))
        units[OPENVPN_UNIT.format(vpn.dev)] = (OPENVPN_FILE.format(vpn.dev), *keys)
    if spec.ldp:
        units[FRR_UNIT] = (FRR_FILE, FRR_DAEMONS)
    return units


def frr_daemons(spec: NodeSpec) -> tuple[str, ...]:
    """The daemons of FRRouting that a node needs, beside zebra: those to switch on in /etc/frr/daemons."""
    if not spec.ldp:
        return ()
    return ("ldpd",) if spec.ldp.ospf_area is None else ("ldpd", "ospfd")


def prepare() -> None:
    """Read all templates, so that rendering takes less time from now on."""
    for name in _environment().list_templates():
        _environment().get_template(name)


def _text(template: str, spec: NodeSpec, **more: Part | int) -> str:
    return _environment().get_template(template).render(spec=spec, modules=MODULES, protocol=ROUTE_PROTOCOL, **more)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(data("bootstrap") / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["family"] = _family
    environment.filters["incoming"] = incoming
    environment.filters["in_rows"] = in_rows
    return environment


def _family(address: IPv4Address | IPv6Address) -> str:
    """`inet 10.0.0.1`: labels have no family of their own, so `via` must name the next hop's."""
    return f"inet6 {address}" if address.version == 6 else f"inet {address}"
