"""Routes as `ip` writes them, in a batch and in `route show`: text in, values out. One grammar serves both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Literal

# As `ip -f` names them.
Family = Literal["inet", "inet6", "mpls"]
FAMILIES: tuple[Family, ...] = ("inet", "inet6", "mpls")
DEFAULT: Mapping[Family, str] = {"inet": "0.0.0.0/0", "inet6": "::/0"}
MAIN = 254
# What the kernel gives a route that says no metric.
OWN_METRIC: Mapping[Family, int] = {"inet": 0, "inet6": 1024, "mpls": 0}
# How `ip` and, with -N, the kernel name drop routes (RTN_* in linux/rtnetlink.h).
DROPS = {"unreachable": "unreachable", "blackhole": "blackhole", "6": "blackhole", "7": "unreachable"}
# RTNH_F_* that keep packets from leaving (linux/rtnetlink.h).
DOWN = frozenset({"dead", "linkdown"})

# What has a value and tells routes of ours apart from nothing.
_PASSED_OVER = ("proto", "scope", "pref", "error", "realm", "flags")


@dataclass(frozen=True)
class Hop:
    """Where packets go next, and the labels that they get, top first. `dev` alone: they are delivered there."""

    via: str | None = None
    dev: str | None = None
    labels: tuple[int, ...] = ()
    weight: int = 1
    down: frozenset[str] = frozenset()
    onlink: bool = False

    def meets(self, wanted: "Hop") -> bool:
        """Whether this hop, of the kernel, is the one that was written; a device that was left out is any."""
        dev = wanted.dev if wanted.dev is not None else self.dev
        return replace(self, down=frozenset()) == replace(wanted, dev=dev)

    def __str__(self) -> str:
        labels = "/".join(map(str, self.labels))
        parts = (("labels", labels), ("via", self.via), ("dev", self.dev))
        return " ".join(f"{name} {value}" for name, value in parts if value) + (" onlink" if self.onlink else "")


@dataclass(frozen=True)
class KernelRoute:
    """A route: `dst` is a prefix, or an incoming label, which tells its family. None is what was not said.

    `drop` is how packets are dropped, `unreachable` or `blackhole`; they have no next hop then. `metric` is None where
    it is the kernel's own.
    """

    dst: str
    table: int = MAIN
    hops: tuple[Hop, ...] = ()
    mtu: int | None = None
    ttl: int | None = None
    src: str | None = None
    ttl_propagate: str | None = None
    drop: str = ""
    metric: int | None = None

    @property
    def key(self) -> tuple[str, int, int | None]:
        """What the kernel tells routes apart by."""
        return self.dst, self.table, self.metric

    @property
    def name(self) -> str:
        """The prefix or the label, and how packets are dropped."""
        return f"{self.drop} {self.dst}".strip()

    def __str__(self) -> str:
        name = f"label {self.dst}" if self.dst.isdigit() else self.name
        return f"{name} {', '.join(map(str, self.hops))}".strip()

    def lacks(self, wanted: "KernelRoute") -> str:
        """What of a route that was written is not so in this one, of the kernel; nothing when it is the same."""
        if self.drop != wanted.drop:
            return wanted.name if wanted.drop else ", ".join(map(str, wanted.hops))
        left = list(self.hops)
        for hop in wanted.hops:
            met = next((other for other in left if other.meets(hop)), None)
            if met is None:
                return str(hop)
            left.remove(met)
        if left:
            return f"only {', '.join(map(str, wanted.hops))}, and not {left[0]}"
        asked = {"mtu": wanted.mtu, "ttl": wanted.ttl, "src": wanted.src, "ttl-propagate": wanted.ttl_propagate}
        shown = {"mtu": self.mtu, "ttl": self.ttl, "src": self.src, "ttl-propagate": self.ttl_propagate}
        return next((f"{name} {value}" for name, value in asked.items() if value not in (None, shown[name])), "")


def of_batch(text: str) -> list[KernelRoute]:
    """The routes of a batch file for `ip -batch`: its lines `route add …` or `route replace …`.

    There no prefix is left to be told by the family: the default route is written as 0.0.0.0/0 or ::/0.
    """
    lines = (line.split() for line in text.splitlines())
    return [parse(" ".join(words[2:])) for words in lines if words[:1] == ["route"] and len(words) > 2]


def of_show(text: str, family: Family) -> list[KernelRoute]:
    """The routes of `ip -o -N -f FAMILY route show`, one line each."""
    return [parse(line, family) for line in text.splitlines() if line.strip()]


def parse(line: str, family: Family | None = None) -> KernelRoute:
    """One route. Raises ValueError when it cannot be understood, or is none of its family.

    `default` stands for a prefix of the family that was asked for, whatever its next hops are: without one it is none.
    """
    words = line.replace("\\", " ").split()
    if not words:
        raise ValueError("a route has a destination")
    route = _Words(words, family)
    while route.left:
        route.take()
    return route.whole()


@dataclass
class _Words:
    """What is left of a route to read, and what was read of it so far."""

    left: list[str]
    family: Family | None
    found: dict[str, str] = field(default_factory=dict)
    hops: list[Hop] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Labels begin at 16: a smaller number is no destination.
        self._drop = DROPS[self._next()] if self.left[0] in DROPS else ""
        self._dst = self._next()
        self._hop = Hop()

    def take(self) -> None:
        """Read one thing."""
        word = self._next()
        if word == "nexthop":
            self._end_hop()
        elif word in ("encap", "as"):
            if self.left[:1] in (["mpls"], ["to"]):
                self._next()
            labels = tuple(int(label) for label in self._next().split("/"))
            self._hop = replace(self._hop, labels=labels)
        elif word == "via":
            family = self._next()
            self._hop = replace(self._hop, via=str(ip_address(self._next() if family in ("inet", "inet6") else family)))
        elif word == "dev":
            self._hop = replace(self._hop, dev=self._next())
        elif word == "weight":
            self._hop = replace(self._hop, weight=int(self._next()))
        elif word == "onlink":
            self._hop = replace(self._hop, onlink=True)
        elif word in DOWN:
            self._hop = replace(self._hop, down=self._hop.down | {word})
        elif word in ("ttl-propagate", "ttl-propogate"):
            self.found["ttl-propagate"] = self._next()
        elif word in ("table", "mtu", "ttl", "src", "metric"):
            value = self._next()
            self.found[word] = self._next() if value == "lock" else value
        elif word in _PASSED_OVER:
            self._next()

    def whole(self) -> KernelRoute:
        """The route."""
        self._end_hop()
        number = self._number
        src = self.found.get("src")
        dst = _destination(self._dst, self.family)
        metric = number("metric")
        return KernelRoute(
            dst,
            number("table") or MAIN,
            # IPv6 shows lo, which nobody wrote.
            () if self._drop else tuple(self.hops),
            number("mtu"),
            number("ttl"),
            str(ip_address(src)) if src else None,
            self.found.get("ttl-propagate"),
            self._drop,
            None if metric == OWN_METRIC[_family(dst)] else metric,
        )

    def _number(self, name: str) -> int | None:
        return int(self.found[name]) if name in self.found else None

    def _next(self) -> str:
        if not self.left:
            raise ValueError("a route ends too early")
        return self.left.pop(0)

    def _end_hop(self) -> None:
        if self._hop != Hop():
            self.hops.append(self._hop)
        self._hop = Hop()


def _destination(dst: str, family: Family | None) -> str:
    """The prefix or the label in full. Raises ValueError for one that is not of the family, when that is known."""
    if dst == "default" and family is not None and family in DEFAULT:
        return DEFAULT[family]
    full = dst if dst.isdigit() else str(ip_network(dst, strict=False))
    if family not in (None, _family(full)):
        raise ValueError(f"{dst} is no destination of {family}")
    return full


def _family(dst: str) -> Family:
    return "mpls" if dst.isdigit() else "inet6" if ":" in dst else "inet"


def missing(wanted: Iterable[KernelRoute], shown: Iterable[KernelRoute]) -> dict[KernelRoute, str]:
    """What is not so, for each wanted route that the kernel does not have as it was written."""
    there: Mapping[tuple[str, int, int | None], list[KernelRoute]] = _by_key(shown)
    found = {}
    for route in wanted:
        others = there.get(route.key, [])
        lacking = [other.lacks(route) for other in others]
        if "" not in lacking:
            found[route] = f"wants {lacking[0]}" if lacking else "is not there"
    return found


def beyond(wanted: Iterable[KernelRoute], shown: Iterable[KernelRoute]) -> list[KernelRoute]:
    """The routes that nobody wants."""
    keys = {route.key for route in wanted}
    return [route for route in shown if route.key not in keys]


def _by_key(routes: Iterable[KernelRoute]) -> dict[tuple[str, int, int | None], list[KernelRoute]]:
    found: dict[tuple[str, int, int | None], list[KernelRoute]] = {}
    for route in routes:
        found.setdefault(route.key, []).append(route)
    return found
