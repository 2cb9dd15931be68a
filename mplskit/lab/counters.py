"""The MPLS counters of an interface, as `ip -j stats show dev DEV group afstats subgroup mpls` prints them."""

import json

NAMES = tuple(f"rx.{name}" for name in ("packets", "bytes", "errors", "dropped", "noroute")) + tuple(
    f"tx.{name}" for name in ("packets", "bytes", "errors", "dropped")
)


def command(device: str) -> list[str]:
    """The command that prints the counters of `device` (iproute2 5.19 or later)."""
    return ["ip", "-j", "stats", "show", "dev", device, "group", "afstats", "subgroup", "mpls"]


def parse_counters(output: str) -> dict[str, int]:
    """The counters by the names of NAMES; none where MPLS does not run on the interface, or `ip` printed no JSON."""
    try:
        rows = json.loads(output)
        stats = rows[0]["mpls_stats"]
        return {name: int(stats[way][kind]) for name in NAMES for way, kind in [name.split(".")]}
    except (ValueError, LookupError, TypeError):
        return {}
