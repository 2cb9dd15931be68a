"""From a node's spec to the plain files that make it so: one renderer for every carrier."""

from functools import cache
from ipaddress import IPv4Address, IPv6Address

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mplskit.node.spec import NodeSpec
from mplskit.paths import data

MODULES = ("mpls_router", "mpls_iptunnel", "mpls_gso")
MODULES_FILE = "/etc/modules-load.d/mplskit.conf"
SYSCTL_FILE = "/etc/sysctl.d/90-mplskit.conf"
UDEV_FILE = "/etc/udev/rules.d/90-mplskit.rules"
SPEC_FILE = "/etc/mplskit/node.json"
ROUTES_FILE = "/etc/mplskit/routes.batch"
LABELS_FILE = "/etc/mplskit/labels.batch"

# The routing protocol number of every route of ours ("M"): unused in iproute2's rt_protos and by FRR and BIRD.
ROUTE_PROTOCOL = 77


def render(spec: NodeSpec) -> dict[str, str]:
    """The files of a node: absolute path on the node -> text. A file with nothing to say is left out."""
    files = {
        MODULES_FILE: _text("modules-load.conf.j2", spec),
        SYSCTL_FILE: _text("sysctl.conf.j2", spec),
        UDEV_FILE: _text("udev.rules.j2", spec),
        SPEC_FILE: _text("node.json.j2", spec),
    }
    if spec.loopbacks or any(route.kind == "push" for route in spec.routes):
        files[ROUTES_FILE] = _text("routes.batch.j2", spec)
    if any(route.kind != "push" for route in spec.routes):
        files[LABELS_FILE] = _text("labels.batch.j2", spec)
    return files


def _text(template: str, spec: NodeSpec) -> str:
    return (
        _environment()
        .get_template(template)
        .render(
            spec=spec,
            modules=MODULES,
            protocol=ROUTE_PROTOCOL,
            json=spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        )
    )


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
    return environment


def _family(address: IPv4Address | IPv6Address) -> str:
    """`inet 10.0.0.1`: labels have no family of their own, so `via` must name the next hop's."""
    return f"inet6 {address}" if address.version == 6 else f"inet {address}"
