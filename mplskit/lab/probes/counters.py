"""The MPLS counters of all interfaces of a node, as `ip -j stats show group afstats subgroup mpls` prints them."""

import json

NAMES = tuple(f"rx.{name}" for name in ("packets", "bytes", "errors", "dropped", "noroute")) + tuple(
    f"tx.{name}" for name in ("packets", "bytes", "errors", "dropped")
)
# iproute2 5.19 or later.
COMMAND = ("ip", "-j", "stats", "show", "group", "afstats", "subgroup", "mpls")


def parse_counters(output: str) -> dict[str, dict[str, int]]:
    """For each interface that MPLS runs on, its counters by the names of NAMES; none where `ip` printed no JSON."""
    try:
        found = {row["ifname"]: row.get("mpls_stats") for row in json.loads(output)}
        return {
            dev: {name: int(stats[way][kind]) for name in NAMES for way, kind in [name.split(".")]}
            for dev, stats in found.items()
            if stats
        }
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
