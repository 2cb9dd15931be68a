"""A node to look at without a machine: a folder that is entered by chroot, with real files and real tools.

What only a kernel or a service manager could say (`ip`, `modprobe`, `systemctl`, …) is said by scripts.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mplskit import process
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.render import render
from mplskit.remote.host import Host
from mplskit.remote.session import Answer

TOOLS = (
    "dash",
    "cat",
    "cut",
    "ls",
    "head",
    "grep",
    "awk",
    "sed",
    "sha256sum",
    "id",
    "test",
    "timeout",
    "gzip",
    "sort",
    "tr",
    "base64",
)
KERNEL = "6.1.0-18-amd64"
MPLS = ("mpls_router", "mpls_iptunnel", "mpls_gso")
Text = str | Path
SAYS = """\
#!/bin/dash
case "$*" in
{cases}
esac
"""
PROBE = """\
lo\tok\t
hop\tok\t127.0.0.2 lo
push\tok\t
table\tok\t
size\tok\t1000
pop\tok\t
swap\tok\t
push shown\tok\t198.51.100.1  encap mpls 16/17 via 127.0.0.2 dev lo
label shown\tok\t100 dev lo proto 77
label shown\tok\t101 as to 102/103 via inet 127.0.0.2 dev lo
"""


@dataclass(frozen=True)
class StandIn:
    """What a node is like. `files` are there as they are, a Path is a link to it; `says` is program (in /sbin, or with
    its path) -> pattern of its words -> what it says, after `! ` as an error; `mounts` are commands of sh, run in the
    folder before each question, in a mount namespace of their own.
    """

    files: Mapping[str, Text] = field(default_factory=dict)
    says: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mounts: str = ""

    def but(
        self,
        files: Mapping[str, Text | None] = {},
        says: Mapping[str, Mapping[str, str]] = {},
        mounts: str = "",
    ) -> "StandIn":
        """The same with other files (None: without), and with words that are looked for before the others."""
        merged = {**self.files, **files}
        programs = dict(self.says)
        for name, cases in says.items():
            others = {words: text for words, text in self.says.get(name, {}).items() if words not in cases}
            programs[name] = {**cases, **others}
        kept = {path: text for path, text in merged.items() if text is not None}
        return replace(self, files=kept, says=programs, mounts=mounts or self.mounts)

    def write(self, root: Path, userland: Path | None = None) -> Path:
        """Make the folder; its tools are links to those in `userland`, when that is given."""
        if userland is None:
            copy_userland(root)
        else:
            process.run(["cp", "-al", userland, root])
        for path, text in self.files.items():
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, str):
                file.write_text(text)
            else:
                file.symlink_to(text)
        for name, cases in self.says.items():  # the first pattern counts
            file = root / "sbin" / name if "/" not in name else root / name.lstrip("/")
            file.write_text(SAYS.format(cases="".join(_case(words, said) for words, said in cases.items())))
            file.chmod(0o755)
        return root

    def session(self, root: Path, userland: Path | None = None) -> "Session":
        """Make the folder, and what asks in it; needs root."""
        return Session(self.write(root, userland), Host("node"), self.mounts)


def _case(words: str, said: str) -> str:
    text = said.removeprefix("! ")
    to, status = ("", 0) if text == said else (" >&2", 1)
    return f"{words}) cat{to} <<'END'\n{text}END\nexit {status} ;;\n"


@dataclass
class Session:
    """Asks a stand-in, as a session with a node does."""

    root: Path
    host: Host
    mounts: str = ""

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        """Run a command in the folder."""
        words = ["chroot", str(self.root), *argv]
        if self.mounts:
            words = ["unshare", "--mount", "sh", "-c", f'cd "$0" && {self.mounts} && exec "$@"', str(self.root), *words]
        env = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        ended = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, timeout=timeout, check=check
        )
        return Answer(tuple(argv), ended.returncode, ended.stdout.decode())


def copy_userland(folder: Path) -> None:
    """A shell, the tools that the questions use, and their libraries: copies of this machine's."""
    for name in ("bin", "sbin", "usr", "dev", "proc/sys/net", "lib/modules", "tmp"):
        (folder / name).mkdir(parents=True)
    for name, target in (("usr/bin", "../bin"), ("usr/sbin", "../sbin"), ("bin/sh", "dash")):
        (folder / name).symlink_to(target)
    (folder / "dev" / "null").touch()
    wanted = {Path("/bin") / name: folder / "bin" / name for name in TOOLS if name != "zcat"}
    said = process.run(["ldd", *wanted]).stdout
    wanted |= {Path(word): folder / word.lstrip("/") for word in said.split() if word.startswith("/lib")}
    for source, copy in wanted.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    (folder / "bin" / "zcat").write_text('#!/bin/sh\nexec gzip -dc -- "$@"\n')
    (folder / "bin" / "zcat").chmod(0o755)


def interfaces(*names: str, **more: Mapping[str, object]) -> str:
    """What `ip -d -j link show` says of interfaces; of those in `more`, with what else it says."""
    rows = [{"ifname": name} for name in names] + [{"ifname": name, **rest} for name, rest in more.items()]
    return json.dumps(rows) + "\n"


SPEC = NodeSpec.model_validate(
    {
        "mpls_input": ["eth0"],
        "loopbacks": ["192.168.10.187/32"],
        "ip_forward": True,
        "routes": [
            {"push": [20101], "to": "192.168.10.152/32", "via": "10.9.0.2", "dev": "eth0", "src": "192.168.10.187"},
            {"pop": 20187, "dev": "lo"},
            {"swap": 20100, "as": [20200], "via": "10.9.0.2"},
        ],
        "openvpn": [
            {
                "dev": "tap-core",
                "address": "10.96.96.2/30",
                "remote": "192.0.2.10",
                "cert": "/etc/openvpn/one.crt",
                "key": "/etc/openvpn/one.key",
                "peer_fingerprint": ":".join(["5E"] * 32),
            }
        ],
        "ldp": {"router_id": "192.168.10.187", "interfaces": ["eth0"], "ospf_area": 0},
    }
)
PUSH = "192.168.10.152 encap mpls 20101 via 10.9.0.2 dev eth0 src 192.168.10.187"
LABELS = "20187 dev lo\n20100 as to 20200 via inet 10.9.0.2 dev eth0\n"
CONFIG = "CONFIG_LWTUNNEL=y\nCONFIG_MPLS=y\nCONFIG_MPLS_ROUTING=m\nCONFIG_MPLS_IPTUNNEL=m\n"
ACTIVE = "UnitFileState=enabled\nActiveState=active\nSubState=running\n"


def link(name: str, *, flags: str = "0x1003", mtu: int = 1500, type: int = 1, state: str = "up") -> dict[str, str]:
    """What /sys has of an interface."""
    values = {"flags": flags, "mtu": mtu, "type": type, "operstate": state}
    return {f"/sys/class/net/{name}/{key}": f"{value}\n" for key, value in values.items()}


def afstats(**dropped: int) -> str:
    """What `ip link afstats` says of interfaces that dropped labelled packets; of lo and eth0 in any case."""
    return "".join(
        f"{number}:{name}\n    mpls:\n        RX: bytes packets errors dropped noroute\n            0 0 0 {count} 0\n"
        "        TX: bytes packets errors dropped\n            0 0 0 0\n"
        for number, (name, count) in enumerate({"lo": 0, "eth0": 0, **dropped}.items(), 1)
    )


def ready(spec: NodeSpec = SPEC, push: str = PUSH, labels: str = LABELS) -> StandIn:
    """A node on which all conditions hold; `push` and `labels` are the routes that its kernel shows."""
    return StandIn(
        {
            **render(spec),
            **link("lo", flags="0x9", mtu=65536, type=772, state="unknown"),
            **link("eth0"),
            **link("tap-core"),
            f"/boot/config-{KERNEL}": CONFIG,
            "/proc/modules": "".join(f"{name} 45056 1 - Live 0x0000000000000000\n" for name in MPLS),
            **{f"/sys/module/{name}/initstate": "live\n" for name in MPLS},
            f"/lib/modules/{KERNEL}/modules.dep": "".join(f"kernel/net/mpls/{name}.ko:\n" for name in MPLS),
            f"/lib/modules/{KERNEL}/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
            "/proc/cmdline": "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro quiet\n",
            "/proc/sys/kernel/modules_disabled": "0\n",
            "/proc/sys/net/mpls/platform_labels": "100000\n",
            "/proc/sys/net/mpls/conf/eth0/input": "1\n",
            "/proc/sys/net/mpls/conf/lo/input": "0\n",
            "/proc/sys/net/mpls/conf/tap-core/input": "0\n",
            "/proc/sys/net/ipv4/conf/all/rp_filter": "0\n",
            "/proc/sys/net/ipv4/conf/lo/rp_filter": "2\n",
            "/proc/sys/net/ipv4/conf/eth0/rp_filter": "0\n",
            "/proc/sys/net/ipv4/ip_forward": "1\n",
            "/proc/sys/net/ipv6/conf/all/forwarding": "0\n",
            "/proc/812/comm": "ldpd\n",
        },
        {
            "uname": {"-r": f"{KERNEL}\n"},
            "modprobe": {"--showconfig": "options kvm nested=1\n", "*": ""},
            "systemctl": {"*": ACTIVE},
            "systemd-detect-virt": {"*": "none\n"},
            "unshare": {"*": PROBE},
            "ip": {
                "-V": "ip utility, iproute2-6.1.0, libbpf 1.1.0\n",
                "*'inet6 route show'*": "",
                "*'inet route show'*": f"{push}\n",
                "*'mpls route show'*": labels,
                "*'link show'*": interfaces("lo", "eth0", "tap-core"),
                "*'address show'*": "1: lo inet 127.0.0.1/8 scope host\n1: lo inet 192.168.10.187/32 scope global\n",
                "*afstats*": afstats(),
                "*'neighbour show'*": "10.9.0.2 dev eth0 lladdr 52:54:00:00:00:02 REACHABLE\n",
                "*": "",
            },
        },
    )
