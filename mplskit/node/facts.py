"""What the checks ask a node, through testinfra: its files and a few commands; no Python is needed there."""

import json
from collections.abc import Mapping
from functools import cached_property

from pydantic import ValidationError
from testinfra.host import Host

from mplskit.node.render import SPEC_FILE
from mplskit.node.spec import NodeSpec

SYSCTLS = "/proc/sys/net/mpls"
TOOLS = "/sbin/ip /usr/sbin/ip /bin/ip /usr/bin/ip"

# In a network namespace of its own, so that nothing of the node is touched: one route that pushes two labels,
# shown as the kernel has it.
PUSH_PROBE = """\
ip link set lo up && ip route add 198.51.100.1/32 encap mpls 16/17 via 127.0.0.2 dev lo && ip route show"""
PUSH_SHOWN = ["198.51.100.1", "encap", "mpls", "16/17", "via", "127.0.0.2", "dev", "lo"]


class Facts:
    """One node, asked when needed and then remembered."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def run(self, command: str, *words: str) -> tuple[int, str, str]:
        """Exit status, stdout and stderr of a shell command; each %s in it is one of the words, quoted."""
        answer = self._host.run(f"PATH=/usr/sbin:/sbin:$PATH LC_ALL=C; export PATH LC_ALL; {command}", *words)
        return answer.rc, answer.stdout, answer.stderr

    def read(self, path: str) -> str | None:
        """A file's text; None when it cannot be read."""
        status, text, _ = self.run("cat -- %s", path)
        return text if status == 0 else None

    @cached_property
    def spec(self) -> NodeSpec | None:
        """What the node should be; None when it does not say."""
        try:
            return NodeSpec.model_validate(json.loads(self.read(SPEC_FILE) or "")["spec"])
        except (ValueError, KeyError, TypeError, ValidationError):
            return None

    @cached_property
    def user(self) -> int:
        """The number of the user that asks; 0 is root."""
        return int(self.run("id -u")[1])

    @cached_property
    def kernel(self) -> str:
        """The release of the running kernel."""
        return self.run("uname -r")[1].strip()

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
        return int(text) if text else None

    @cached_property
    def inputs(self) -> Mapping[str, bool]:
        """Whether labelled packets are accepted, for each interface: any value but 0 is on."""
        rows = self.run(f"grep -H '' {SYSCTLS}/conf/*/input")[1].splitlines()
        parts = (row.rpartition(":") for row in rows)
        return {path.split("/")[-2]: value != "0" for path, _, value in parts}

    @cached_property
    def tool(self) -> tuple[str, str]:
        """The first `ip` and what its -V says; of iproute2 when there is one at all."""
        text = self.run(
            f'for ip in {TOOLS}; do case $("$ip" -V 2>&1) in *iproute2*) echo "$ip"; "$ip" -V; exit;; esac; done; '
            "command -v ip; ip -V 2>&1"
        )[1]
        path, _, version = text.partition("\n")
        return path, version.strip().partition("\n")[0]
