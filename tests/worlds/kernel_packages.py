"""Small kernels: configurations, and packages laid out as distributions do."""

from collections.abc import Sequence
from pathlib import Path

from tests.worlds.package_file import make_deb

# y and m as Debian has them.
SYMBOLS = {
    "PROC_SYSCTL": "y",
    "SYSFS": "y",
    "IP_MULTIPLE_TABLES": "y",
    "NET_L3_MASTER_DEV": "y",
    "NET_VRF": "m",
    "NET_IPIP": "m",
    "NET_IPGRE": "m",
    "NET_CLS_ACT": "y",
    "NET_SCH_INGRESS": "m",
    "NET_CLS_FLOWER": "m",
    "NET_ACT_MPLS": "m",
    "MPLS": "y",
    "LWTUNNEL": "y",
    "NET_MPLS_GSO": "y",
    "MPLS_ROUTING": "m",
    "MPLS_IPTUNNEL": "m",
}
PLAIN = ("drivers/net/vrf", "net/ipv4/ipip", "net/ipv4/ip_gre", "net/sched/sch_ingress", "net/sched/cls_flower")
MPLS = ("net/mpls/mpls_router", "net/mpls/mpls_iptunnel", "net/sched/act_mpls")


def config(version: str = "6.8.0", **changes: str) -> str:
    """A `.config` of Debian's symbols with changes; `n` takes one out."""
    values = {**SYMBOLS, **changes}
    lines = [f"# CONFIG_{k} is not set" if v == "n" else f"CONFIG_{k}={v}" for k, v in values.items()]
    return "\n".join(
        [
            "#",
            "# Automatically generated file; DO NOT EDIT.",
            f"# Linux/x86 {version} Kernel Configuration",
            "#",
            *lines,
            "",
        ]
    )


def modules(release: str, paths: Sequence[str], suffix: str = ".ko.zst") -> dict[str, str]:
    """Module files, as empty ones."""
    return {f"lib/modules/{release}/kernel/{path}{suffix}": "" for path in paths}


def ubuntu(folder: Path, release: str = "6.8.0-50-generic") -> tuple[Path, Path, Path]:
    """A kernel as Ubuntu splits it: image, modules with the configuration, and modules-extra with those of MPLS."""
    image, plain, extra = (f"linux-{kind}-{release}" for kind in ("image", "modules", "modules-extra"))
    settled = {
        f"boot/config-{release}": config(),
        f"lib/modules/{release}/modules.builtin": "kernel/net/mpls/mpls_gso.ko\n",
        **modules(release, PLAIN),
    }
    return (
        make_deb(folder, image, {f"boot/vmlinuz-{release}": "MZ"}, f"kmod, linux-base (>= 4.5), {plain}"),
        make_deb(folder, plain, settled, "linux-firmware | firmware"),
        make_deb(folder, extra, modules(release, MPLS), f"{image} | linux-image-unsigned-{release}"),
    )


def bzimage(payload: bytes) -> bytes:
    """An x86 kernel: one sector, one that sets up, the payload behind 0x40 bytes of code."""
    head = bytearray(1024 + 0x40)
    head[0x1F1] = 1
    head[0x202:0x206] = b"HdrS"
    head[0x248:0x24C] = (0x40).to_bytes(4, "little")
    return bytes(head) + payload
