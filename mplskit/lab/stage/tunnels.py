"""The OpenVPN ends of a lab: their configurations, and certificates that are made for the run."""

import tempfile
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from mplskit import process
from mplskit.lab.grammar.links import Link
from mplskit.lab.grammar.topology import Topology
from mplskit.node.grammar.sections import OpenVPN
from mplskit.node.payload.render import OPENVPN_FILE, render

FOLDER = "/etc/openvpn"
DAYS = 30
# 1194, the usual one, is that of taps.
FIRST_PORT = 1195


@dataclass(frozen=True)
class Tunnel:
    """One end: `config` is the path of its configuration, `files` that and its keys by their paths on the node."""

    node: str
    dev: str
    config: str
    files: dict[str, bytes]


def tunnels(topology: Topology) -> list[Tunnel]:
    """Every end of an OpenVPN of the topology, those that listen first."""
    sections = [(node, vpn) for node, spec in topology.nodes.items() for vpn in spec.openvpn]
    only_ip = [link for link in topology.links if link.tunnel]
    if not sections and not only_ip:
        return []
    keys = certificates([*topology.nodes])
    found = [
        (vpn.remote is None, Tunnel(node, vpn.dev, *_section(topology, node, vpn, keys[node])))
        for node, vpn in sections
    ]
    for number, link in enumerate(only_ip):
        found += [(index == 1, _tun(topology, link, index, FIRST_PORT + number, keys)) for index in (0, 1)]
    return [tunnel for listens in (True, False) for first, tunnel in found if first is listens]


def keys_of(vpn: OpenVPN, keys: dict[str, bytes]) -> dict[str, bytes]:
    """The files that a section names, with what is in them."""
    return {vpn.cert: keys["cert"], vpn.key: keys["key"], **({vpn.ca: keys["ca"]} if vpn.ca else {})}


def certificates(names: list[str]) -> dict[str, dict[str, bytes]]:
    """An authority made for the run, and for each name: its `ca`, `cert` and `key` as PEM. Needs openssl."""
    process.require("openssl", package="openssl")
    new: list[str | Path] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = {}
    with tempfile.TemporaryDirectory() as scratch:
        ca, ca_key = Path(scratch, "ca"), Path(scratch, "ca.key")
        words = ["-x509", "-days", str(DAYS), "-subj", "/CN=mplskit lab"]
        process.run(["openssl", "req", *new, *words, "-keyout", ca_key, "-out", ca])
        for number, name in enumerate(names, 1):
            key, request, cert = (Path(scratch, f"{number}.{kind}") for kind in ("key", "request", "cert"))
            process.run(["openssl", "req", *new, "-subj", f"/CN={name}", "-keyout", key, "-out", request])
            sign: list[str | Path] = ["-req", "-in", request, "-CA", ca, "-CAkey", ca_key]
            process.run(["openssl", "x509", *sign, "-set_serial", str(number), "-days", str(DAYS), "-out", cert])
            made[name] = {"ca": ca.read_bytes(), "cert": cert.read_bytes(), "key": key.read_bytes()}
    return made


def _section(topology: Topology, node: str, vpn: OpenVPN, keys: dict[str, bytes]) -> tuple[str, dict[str, bytes]]:
    path = OPENVPN_FILE.format(vpn.dev)
    text = render(topology.nodes[node])[path]
    return path, {path: text.encode(), **keys_of(vpn, keys)}


def _tun(topology: Topology, link: Link, index: int, port: int, keys: dict[str, dict[str, bytes]]) -> Tunnel:
    """One end of a tun: the configuration of a tap, but for the kind of device and its point-to-point addresses."""
    end, far = link.ends[index], link.ends[1 - index]
    below = next(
        other
        for other in topology.links
        if not other.tunnel and {e.node for e in other.ends} == {e.node for e in link.ends}
    )
    remote = next(other.address.ip for other in below.ends if other.node == far.node)
    config = f"{FOLDER}/mplskit-{end.dev}.conf"
    files = {kind: f"{FOLDER}/{end.dev}.{kind}" for kind in ("ca", "cert", "key")}
    lines = [
        f"dev {end.dev}",
        "dev-type tun",
        f"tun-mtu {link.mtu}",
        *_point_to_point(end.address, far.address),
        *(
            ["tls-client", "nobind", f"remote {remote} {port}"]
            if index == 0
            else ["tls-server", "dh none", f"port {port}"]
        ),
        *(f"{kind} {path}" for kind, path in files.items()),
        "data-ciphers AES-256-GCM",
        "keepalive 10 60",
        "verb 3",
    ]
    text = "".join(f"{line}\n" for line in lines)
    return Tunnel(
        end.node, end.dev, config, {config: text.encode(), **{files[kind]: keys[end.node][kind] for kind in files}}
    )


def _point_to_point(own: object, far: object) -> list[str]:
    if isinstance(own, IPv4Interface) and isinstance(far, IPv4Interface):
        return [f"ifconfig {own.ip} {far.ip}"]
    return [f"ifconfig-ipv6 {own} {getattr(far, 'ip', far)}"]
