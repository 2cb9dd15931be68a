"""The real Kconfig of Debian's kernel source, through the host's apt and the user's own cache."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine
from tests.golden import assert_golden
from tests.worlds.offered_linux import mplskit, offered

__all__ = ["mplskit"]
pytestmark = pytest.mark.skipif(not offered(), reason="this machine's apt offers no linux-source package")


def test_the_guest_base_holds_all_that_labels_and_labs_ask(mplskit: CommandLine) -> None:
    done = mplskit("kernel.config", "--source", "debian", "--base", "guest", "--options", "lab", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {row["verdict"] for row in told["verdicts"]} == {"granted"}
    assert told["base"] == []
    config = Path(told["config"]).read_text().splitlines()
    for line in (
        "CONFIG_MPLS=y", "CONFIG_LWTUNNEL=y", "CONFIG_MPLS_ROUTING=m", "CONFIG_MPLS_IPTUNNEL=m",
        "CONFIG_NET_MPLS_GSO=m", "CONFIG_VETH=m", "CONFIG_TUN=m", "CONFIG_NET_VRF=m", "CONFIG_DUMMY=m",
    ):  # fmt: skip
        assert line in config


def words(stderr: str) -> str:
    """The error, with what differs from kernel to kernel and from machine to machine left out."""
    said = stderr[stderr.index("mplskit: error:") :]
    said = re.sub(r"((?:Kconfig[\w.-]*|[\w-]+\.config)):[0-9]+", r"\1:N", said)
    return re.sub(r"gcc \([^)]*\) [0-9.]+", "gcc VERSION", said)


LOST = {
    "menu-switch": ["MPLS=n"],
    "no-net": ["NET=n"],
    "demoted-and-selected": ["NET_IPIP=m", "MPLS_ROUTING=y", "INET_ESP=m", "XFRM=n"],
    "typo-and-renamed-and-compiler": ["MPLS_IPTUNEL=m", "NF_NAT_IPV4=m", "LTO_CLANG_FULL=y"],
}


@pytest.mark.parametrize("case", LOST)
def test_what_is_lost_is_explained_in_exactly_these_words(mplskit: CommandLine, case: str) -> None:
    failed = mplskit("kernel.config", "--source", "debian", *(word for text in LOST[case] for word in ("--set", text)))
    assert failed.returncode == 1, failed.stderr
    assert "cannot be parsed" not in failed.stderr
    assert_golden(f"explain-real-{case}", words(failed.stderr), {})


def verdicts(stdout: str) -> dict[str, dict[str, Any]]:
    return {row["symbol"]: row for row in json.loads(stdout)["verdicts"]}


def test_without_modules_what_was_asked_as_one_is_built_in(mplskit: CommandLine) -> None:
    done = mplskit("kernel.config", "--source", "debian", "--set", "MODULES=n", "--json")
    assert done.returncode == 0, done.stderr
    row = verdicts(done.stdout)["MPLS_ROUTING"]
    assert (row["asked"], row["got"], row["verdict"]) == ("m", "y", "granted")
    assert row["why"].startswith("built in, since MODULES is n (")


# Of each kind one: a menu that is closed, a number whose range is too small, a text that is hidden, a hidden prompt, a
# demoted one, several links in a row, one that others select.
MENDED = {
    "NET_ACT_MPLS": "m",
    "NR_CPUS": "4000",
    "SYSTEM_TRUSTED_KEYS": "a file",
    "SYSFS": "n",
    "9P_FS": "y",
    "OPENVSWITCH_GENEVE": "m",
    "DEBUG_INFO": "y",
}


def test_the_ways_that_are_told_grant_what_was_lost(mplskit: CommandLine) -> None:
    # A file that is named has to be there, and to hold a certificate.
    file = mplskit.folder / "labels.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    values = {**MENDED, "SYSTEM_TRUSTED_KEYS": f'"{file}"'}
    asked = [word for symbol, value in values.items() for word in ("--set", f"{symbol}={value}")]
    failed = mplskit("kernel.config", "--source", "debian", *asked, "--json")
    assert failed.returncode == 1, failed.stderr
    rows = verdicts(failed.stdout)
    for symbol in MENDED:
        assert rows[symbol]["verdict"] != "granted" and rows[symbol]["ways"], rows[symbol]
        first, last = rows[symbol]["chain"][0], rows[symbol]["chain"][-1]
        assert first["symbol"] == symbol and re.fullmatch(r"[\w./-]*Kconfig[\w.-]*:[0-9]+", last["place"])
    more = [word for symbol in MENDED for text in rows[symbol]["ways"][0] for word in ("--set", text)]
    done = mplskit("kernel.config", "--source", "debian", *asked, *more, "--json")
    assert done.returncode == 0, done.stderr
    assert {verdicts(done.stdout)[symbol]["verdict"] for symbol in MENDED} == {"granted"}


def test_fix_adds_what_is_unambiguous_and_leaves_the_rest(mplskit: CommandLine) -> None:
    asked = ("--set", "NET_ACT_MPLS=m", "--set", "NF_NAT_IPV4=m", "--set", "MPLS_IPTUNEL=m")
    failed = mplskit("kernel.config", "--source", "debian", *asked, "--fix", "--json")
    assert failed.returncode == 1
    assert "! --fix: --set NETFILTER=y --set NF_CONNTRACK=m --set NF_NAT=m instead of NF_NAT_IPV4=m\n" in failed.stderr
    rows = verdicts(failed.stdout)
    assert rows["NET_ACT_MPLS"]["verdict"] == rows["NET_CLS_ACT"]["verdict"] == rows["NF_NAT"]["verdict"] == "granted"
    assert rows["NET_CLS_ACT"]["asked_by"] == "--fix: for NET_ACT_MPLS"
    assert rows["NF_NAT"]["asked_by"] == "--fix: instead of NF_NAT_IPV4=m (--set NF_NAT_IPV4=m)"
    assert [symbol for symbol, row in rows.items() if row["verdict"] != "granted"] == ["MPLS_IPTUNEL"]


# As the fragments that harden kernels have them: symbols of many releases, most of them gone.
TURNED_OFF = (
    "ACPI_CUSTOM_METHOD", "BINFMT_AOUT", "COMPAT_BRK", "DEVKMEM", "HARDENED_USERCOPY_FALLBACK", "INET_DIAG", "IPX",
    "LEGACY_PTYS", "LEGACY_VSYSCALL_EMULATE", "NET_SCH_CBQ", "OABI_COMPAT", "PROC_KCORE", "SECURITY_SELINUX_DISABLE",
    "SECURITY_WRITABLE_HOOKS", "SLAB", "SLOB", "X86_X32", "ZSMALLOC_STAT",
)  # fmt: skip


def test_a_fragment_that_turns_off_what_is_long_gone_is_granted(mplskit: CommandLine, tmp_path: Path) -> None:
    fragment = tmp_path / "hard.config"
    fragment.write_text("".join(f"# CONFIG_{symbol} is not set\n" for symbol in TURNED_OFF))
    done = mplskit("kernel.config", "--source", "debian", "--fragment", fragment, "--json")
    assert done.returncode == 0, done.stderr
    rows = verdicts(done.stdout)
    assert rows["DEVKMEM"]["why"] == "this kernel has no such symbol"
    assert {rows[symbol]["verdict"] for symbol in TURNED_OFF} == {"granted"}


def test_a_revision_that_cannot_be_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    refused = CommandLine(tmp_path)("kernel.build", "--source", "debian", "--revision", "mpls1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "error: --revision 'mpls1': not a version that both builders take\n" in refused.stderr
    assert list(tmp_path.iterdir()) == []
