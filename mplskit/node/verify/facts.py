"""What the checks ask a node, through testinfra: its files and a few commands; no Python is needed there."""

import json
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

import pytest
from pydantic import ValidationError

from mplskit.errors import OutsideFailed
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.render import LABELS_FILE, ROUTE_PROTOCOL, ROUTES_FILE, SPEC_FILE, SYSCTL_FILE, render
from mplskit.node.verify import mpls_counters
from mplskit.node.verify.kernel_interfaces import Interfaces, of_links
from mplskit.node.verify.kernel_routes import FAMILIES, KernelRoute, of_batch, of_show
from mplskit.node.verify.questions_ahead import Ahead
from mplskit.paths import data
from mplskit.whole_number import whole

SYSCTLS = "/proc/sys/net/mpls"
# The size of the label table in the sysctl file
TABLE = re.compile(r"^(net/mpls/platform_labels = )([0-9]+)$", re.MULTILINE)
TOOLS = "/sbin/ip /usr/sbin/ip /bin/ip /usr/bin/ip"

# Each family below a line of its own: only who asks knows which of them a `default` is of.
ROUTES = " && ".join(
    f'echo "= {family}" && "$ip" -o -N -f {family} route show {rest} proto {ROUTE_PROTOCOL}'
    for family, rest in (("inet", "table all"), ("inet6", "table all"), ("mpls", ""))
)
# Of others' label routes, which LDP makes by the thousand, one of each kind: of the same way out and as many labels.
KINDS = (
    r'{ kind = $0; sub(/^[0-9]+/, "", kind); gsub(/[0-9]+\//, "16/", kind); gsub(/[0-9]+ +via /, "16 via ", kind) } '
    r"!(kind in seen) { seen[kind]; print }"
)
OTHERS = f'echo "= others"; "$ip" -o -N -f mpls route show | grep -vw "proto {ROUTE_PROTOCOL}" | awk \'{KINDS}\' || :'
LINK = ("flags", "mtu", "type", "operstate", "tun_flags", "carrier_down_count")
# ARPHRD_NONE (linux/if_arp.h): tun, WireGuard. PPP has a protocol number for labels (drivers/net/ppp/ppp_generic.c).
IP_ALONE = "65534"


@dataclass(frozen=True)
class Part:
    """One step of the probe: whether `ip` or the kernel took it, and what was said."""

    ok: bool
    said: str


class Facts:
    """One node, asked when needed and then remembered. `given` says what it should be, in its own place."""

    def __init__(self, host: Ahead, given: NodeSpec | None = None) -> None:
        self._host = host
        self._given = given

    def run(self, command: str, *words: str) -> tuple[int, str, str]:
        """Exit status, stdout and stderr of a shell command; each %s in it is one of the words, quoted."""
        asked = command % tuple(map(shlex.quote, words)) if words else command
        said = self._host.run(f"PATH=/usr/sbin:/sbin:$PATH LC_ALL=C; export PATH LC_ALL; {asked}")
        return said.status, said.stdout, said.stderr

    def told(self, command: str, *words: str) -> str:
        """Stdout of a command that fails on no good node. Where it does, what the asking check looks at is not told."""
        status, text, error = self.run(command, *words)
        if status != 0:
            pytest.skip(f"it could not be read: {error.strip() or f'exit {status}'}")
        return text

    def read(self, path: str) -> str | None:
        """A file's text; None when it cannot be read."""
        status, text, _ = self.run("cat -- %s", path)
        return text if status == 0 else None

    @cached_property
    def spec(self) -> NodeSpec | None:
        """What the node should be; None when it does not say, or says what cannot be."""
        if self._given is not None:
            return self._given
        try:
            return NodeSpec.model_validate(json.loads(self.read(SPEC_FILE) or "")["spec"])
        except (ValueError, KeyError, TypeError, ValidationError, RecursionError):
            return None

    @cached_property
    def user(self) -> int:
        """The number of the user that asks; 0 is root."""
        return _number("the number of the user", self.run("id -u")[1])

    @cached_property
    def kernel(self) -> str:
        """The release of the running kernel."""
        return self.told("uname -r").strip()

    @cached_property
    def kernel_config(self) -> frozenset[str]:
        """The set options of the running kernel (`CONFIG_MPLS=y`); empty when its configuration cannot be read."""
        text = self.run("cat %s 2>/dev/null || zcat /proc/config.gz 2>/dev/null", f"/boot/config-{self.kernel}")[1]
        return frozenset(line for line in text.splitlines() if line.startswith("CONFIG_"))

    @cached_property
    def loaded_modules(self) -> frozenset[str]:
        """What is loaded, and what has a folder in /sys/module because it is built in."""
        return frozenset(self.run("cut -d ' ' -f 1 /proc/modules; ls /sys/module")[1].split())

    @cached_property
    def module_files(self) -> Mapping[str, str]:
        """The MPLS modules of the running kernel on disk: name -> modules.dep, or modules.builtin when built in."""
        folder = f"/lib/modules/{self.kernel}"
        text = self.run("cd %s && grep -H -o '^[^:]*/mpls_[a-z]*[.]ko' modules.dep modules.builtin", folder)[1]
        rows = (line.partition(":") for line in text.splitlines())
        return {path.rpartition("/")[2].removesuffix(".ko"): index for index, _, path in rows}

    def is_live(self, module: str) -> bool:
        """Whether a module is loaded or built in (a built-in may have no trace but in modules.builtin)."""
        return module in self.loaded_modules or self.module_files.get(module) == "modules.builtin"

    @cached_property
    def platform_labels(self) -> int | None:
        """The size of the label table; None when mpls_router is not live."""
        text = self.read(f"{SYSCTLS}/platform_labels")
        return _number("platform_labels", text) if text else None

    @cached_property
    def inputs(self) -> Mapping[str, bool]:
        """Whether labelled packets are accepted, for each interface: any value but 0 is on. lo has it on every node."""
        _, text, error = self.run(f"grep -H '' {SYSCTLS}/conf/*/input")
        parts = ((row.rpartition(":")[0].split("/"), row.rpartition(":")[2]) for row in text.splitlines())
        found = {path[-2]: value != "0" for path, value in parts if len(path) > 1}
        if not found:
            pytest.skip(f"it could not be read: {error.strip() or 'no interface has an input'}")
        return found

    @cached_property
    def tool(self) -> tuple[str, str]:
        """The first `ip` and what its -V says; of iproute2 when there is one at all."""
        text = self.run(
            f'for ip in {TOOLS}; do case $("$ip" -V 2>&1) in *iproute2*) echo "$ip"; "$ip" -V; exit;; esac; done; '
            "command -v ip; ip -V 2>&1"
        )[1]
        path, _, version = text.partition("\n")
        return path, version.strip().partition("\n")[0]

    @cached_property
    def rendered(self) -> Mapping[str, str]:
        """The files that the node's spec becomes: path -> text."""
        return render(self.spec) if self.spec else {}

    @cached_property
    def as_rendered(self) -> Mapping[str, bool]:
        """Whether each file of the node is what its spec becomes; those that are not there are left out."""
        answer = self.run("sha256sum -- " + " ".join(["%s"] * len(self.rendered)), *self.rendered)[1]
        found = {path: digest for digest, _, path in (line.partition("  ") for line in answer.splitlines())}
        wanted = {path: sha256(text.encode()).hexdigest() for path, text in self.rendered.items()}
        if found.get(SYSCTL_FILE) not in (None, wanted.get(SYSCTL_FILE)) and self.larger_table:
            text = TABLE.sub(rf"\g<1>{self.larger_table}", self.rendered[SYSCTL_FILE])
            wanted[SYSCTL_FILE] = sha256(text.encode()).hexdigest()
        return {path: found[path] == digest for path, digest in wanted.items() if path in found}

    @cached_property
    def larger_table(self) -> int | None:
        """The label table's size in the sysctl file of the node, where that is more than the spec's: it only grows."""
        found = TABLE.search(self.read(SYSCTL_FILE) or "")
        size = int(found[2]) if found else 0
        return size if self.spec and size > self.spec.platform_labels else None

    @cached_property
    def wanted_routes(self) -> tuple[KernelRoute, ...]:
        """The routes that the spec asks for, as they are written for `ip`; by the own names of their interfaces."""
        texts = (self.rendered.get(path, "") for path in (ROUTES_FILE, LABELS_FILE))
        return tuple(self._by_own_names(route) for text in texts for route in of_batch(text))

    def _by_own_names(self, route: KernelRoute) -> KernelRoute:
        hops = tuple(replace(hop, dev=self.interfaces.real(hop.dev)) if hop.dev else hop for hop in route.hops)
        return replace(route, hops=hops)

    @cached_property
    def _routes_shown(self) -> Mapping[str, str]:
        text = self.told(f"ip=%s; {ROUTES} && {{ {OTHERS}; }}", self.tool[0] or "ip")
        return dict(re.findall(r"^= (\w+)\n((?:[^=].*\n)*)", text, re.MULTILINE))

    @cached_property
    def routes(self) -> tuple[KernelRoute, ...]:
        """The routes in the kernel that have our protocol number."""
        shown = self._routes_shown
        try:
            return tuple(route for family in FAMILIES for route in of_show(shown.get(family, ""), family))
        except ValueError as error:
            raise OutsideFailed("the routes that `ip` shows are not understood", detail=str(error)) from None

    @cached_property
    def other_labels(self) -> tuple[KernelRoute, ...]:
        """Label routes in the kernel that are somebody else's, LDP's say: one of each kind, where it is understood."""
        found: list[KernelRoute] = []
        for line in self._routes_shown.get("others", "").splitlines():
            with suppress(ValueError):
                found += of_show(line, "mpls")
        return tuple(found)

    @cached_property
    def lo_addresses(self) -> frozenset[str]:
        """The addresses of lo, with their lengths."""
        text = self.told("%s -o address show dev lo", self.tool[0] or "ip")
        return frozenset(words[3] for line in text.splitlines() if len(words := line.split()) > 3)

    @cached_property
    def unresolved(self) -> frozenset[tuple[str, str]]:
        """Neighbours that did not answer: address and interface, since a link-local address is one on each link."""
        lines = self.told("%s -N neighbour show", self.tool[0] or "ip").splitlines()
        rows = (line.split() for line in lines if line.split()[-1:] in (["FAILED"], ["INCOMPLETE"]))
        return frozenset((words[0], words[2]) for words in rows if words[1:2] == ["dev"] and len(words) > 3)

    @cached_property
    def interfaces(self) -> Interfaces:
        """The interfaces by name, and how they lie upon each other."""
        text = self.told("%s -d -j link show", self.tool[0] or "ip")
        try:
            return of_links(text)
        except ValueError:
            pytest.skip("it could not be read: `ip -d -j link show` says no JSON")

    @cached_property
    def counters(self) -> Mapping[str, Mapping[str, int]]:
        """The MPLS counters of each interface: `rx.dropped`, `tx.errors` and their like, since it is there."""
        found = mpls_counters.parse(self.told(mpls_counters.command(self.tool[0] or "ip")))
        if not found:
            pytest.skip("it could not be read: `ip` shows no MPLS counters")
        return found

    @cached_property
    def links(self) -> Mapping[str, Mapping[str, str]]:
        """What the kernel says of each interface: the files of LINK that it has there, by their names."""
        globs = " ".join(f"/sys/class/net/*/{name}" for name in LINK)
        found: dict[str, dict[str, str]] = {}
        for row in self.run(f"grep -H '' {globs} 2>/dev/null")[1].splitlines():
            path, _, value = row.rpartition(":")
            if path.count("/") > 1:
                name, field = path.split("/")[-2:]
                found.setdefault(name, {})[field] = value
        if not found:
            pytest.skip("it could not be read: /sys/class/net has no interface")
        return found

    @cached_property
    def ip_settings(self) -> Mapping[str, str]:
        """Sysctls below net/ipv4 and net/ipv6 that delivery and forwarding need: key -> value."""
        keys = "ipv4/conf/all/rp_filter ipv4/conf/lo/rp_filter ipv4/ip_forward ipv6/conf/all/forwarding"
        rows = self.run(f"cd /proc/sys/net && grep -H '' {keys} 2>/dev/null")[1].splitlines()
        return {f"net/{path}": value for path, _, value in (row.rpartition(":") for row in rows)}

    def unit(self, name: str) -> tuple[str, str]:
        """Whether a unit of systemd is enabled, and whether it is active, in systemd's words."""
        rows = self.run("systemctl show --property UnitFileState,ActiveState,SubState -- %s", name)[1].splitlines()
        said = {key: value for key, _, value in (row.partition("=") for row in rows)}
        active = said.get("ActiveState", "not told")
        return said.get("UnitFileState") or "not there", f"{active} ({said.get('SubState', '')})"

    @cached_property
    def probe(self) -> Mapping[str, tuple[Part, ...]]:
        """What came of each part of checks/probe.sh, in the order in which they were tried."""
        script = (data("bootstrap") / "checks" / "probe.sh").read_text()
        _, text, error = self.run("unshare --net sh -c %s sh %s", script, self.tool[0] or "ip")
        found: dict[str, tuple[Part, ...]] = {}
        for line in text.splitlines():
            name, tab, rest = line.partition("\t")
            state, _, said = rest.partition("\t")
            if tab:
                found[name] = (*found.get(name, ()), Part(state == "ok", said))
        return found or {"namespace": (Part(False, error.strip()),)}


def _number(what: str, text: str) -> int:
    """Raises OutsideFailed for what is no number."""
    number = whole(text.strip(), 0, 1 << 62)
    if number is None:
        raise OutsideFailed(f"{what} is not understood: {text.strip()[:200]!r}")
    return number
