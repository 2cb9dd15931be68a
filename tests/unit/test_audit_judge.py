from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.audit.audit_report import as_json
from mplskit.audit.cure import cure, way_on
from mplskit.audit.feature_verdicts import State, feature_verdicts, needed, see
from mplskit.audit.features import Symbol, load_features, version_of
from mplskit.audit.judged_kernel import Kernel, of_config, of_machine, release_in
from mplskit.config.fragment import parse_config
from mplskit.config.machine_kernel import MachineKernel
from mplskit.debian.kernel_packages import SuiteKernel, clauses, suite_kernel
from mplskit.errors import WrongInput
from mplskit.paths import data
from mplskit.remote.host import Host
from tests.worlds.kernel_packages import config

KNOWLEDGE = load_features()
ROUTER = Symbol(symbol="MPLS_ROUTING", module="mpls_router", since="4.1", without="no labels")
MPLS = Symbol(symbol="MPLS", since="4.1", without="nothing", shown_by=("mpls_router",))
FILES = {f"mpls_{name}": f"kernel/net/mpls/mpls_{name}.ko" for name in ("router", "iptunnel")}
EXT4 = {"ext4": "kernel/fs/ext4/ext4.ko"}


def machine(text: str | None = None, **changes: object) -> Kernel:
    """A Debian host of 6.1 with configuration and modules, or what is changed of it."""
    said = MachineKernel(
        name="ler-1",
        release="6.1.0-50-amd64",
        architecture="x86_64",
        config=config() if text is None else text,
        config_from="/boot/config-6.1.0-50-amd64",
        loaded=frozenset(),
        listed=frozenset(),
        module_files=FILES,
        builtin=frozenset({"mpls_gso"}),
        os={"ID": "debian", "VERSION_CODENAME": "bookworm"},
    )
    return of_machine(replace(said, **changes), Host("ler-1"))  # type: ignore[arg-type] # fields by name


def verdicts(kernel: Kernel) -> dict[str, bool | None]:
    return {verdict.feature.name: verdict.ready for verdict in feature_verdicts(kernel, KNOWLEDGE)}


def advice(kernel: Kernel, *demanded: str) -> str:
    lacking = [verdict for verdict in needed(feature_verdicts(kernel, KNOWLEDGE), demanded) if not verdict.ready]
    return cure(kernel, lacking, KNOWLEDGE.cures, others=True)


@pytest.mark.parametrize(
    ("kernel", "state", "where"),
    [
        (Kernel("k", "6.1", {"MPLS_ROUTING": "y"}), State.BUILT_IN, ""),
        (Kernel("k", "6.1", {"MPLS_ROUTING": "m"}), State.MODULE, "mpls_router, in the kernel's package"),
        (Kernel("k", "6.1", {"MPLS_ROUTING": "m"}, modules=FILES), State.MODULE, "kernel/net/mpls/mpls_router.ko"),
        (
            Kernel("k", "6.1", {"MPLS_ROUTING": "m"}, modules={}, loaded=frozenset({"mpls_router"})),
            State.MODULE,
            "mpls_router is loaded",
        ),
        (
            Kernel("k", "6.1", {"MPLS_ROUTING": "m"}, modules={}, modules_from="/lib/modules/6.1"),
            State.MISSING,
            "no mpls_router in /lib/modules/6.1",
        ),
        (
            Kernel("k", "6.1", {"MPLS_ROUTING": "m"}, modules={}, elsewhere={"mpls_router": "extra"}),
            State.ELSEWHERE,
            "extra",
        ),
        (
            Kernel("k", "6.1", {"MPLS_ROUTING": "m"}, modules={}, absent_packages=("extra",)),
            State.NOT_GIVEN,
            "mpls_router",
        ),
        (Kernel("k", "6.1", {}, modules=FILES), State.ABSENT, ""),
        (Kernel("k", "4.0.9", {"MPLS_ROUTING": "m"}, modules=FILES), State.TOO_OLD, "since 4.1"),
        (Kernel("k", "", {"MPLS_ROUTING": "y"}), State.BUILT_IN, ""),
        (Kernel("k", "6.1", None, modules=FILES), State.MODULE, "kernel/net/mpls/mpls_router.ko"),
        (Kernel("k", "6.1", None, modules={}, builtin=frozenset({"mpls_router"})), State.BUILT_IN, ""),
        (
            Kernel("k", "6.1", None, modules={}, loaded=frozenset({"mpls_router"})),
            State.MODULE,
            "mpls_router is loaded",
        ),
        (Kernel("k", "6.1", None, modules={}), State.UNKNOWN, ""),
        (Kernel("k", "6.1"), State.UNKNOWN, ""),
        (Kernel("k", "6.1", None, modules=EXT4, modules_from="a.deb"), State.UNKNOWN, ""),
        (Kernel("k", "6.1", None, modules={}, builtin=frozenset({"mpls_gso"})), State.UNKNOWN, ""),
        (
            Kernel("k", "6.1", None, modules=EXT4, modules_from="/lib/modules/6.1", builtin=frozenset({"mpls_gso"})),
            State.ABSENT,
            "no mpls_router in /lib/modules/6.1, nor built in",
        ),
        (
            Kernel("k", "6.1", None, modules=EXT4, builtin=frozenset({"mpls_gso"}), absent_packages=("extra",)),
            State.UNKNOWN,
            "",
        ),
        (
            Kernel("k", "6.1", None, modules=EXT4, builtin=frozenset({"x"}), elsewhere={"mpls_router": "extra"}),
            State.ELSEWHERE,
            "extra",
        ),
    ],
)
def test_a_symbol_with_a_module_is_seen_as(kernel: Kernel, state: State, where: str) -> None:
    seen = see(kernel, ROUTER)
    assert (seen.state, seen.where) == (state, where)


@pytest.mark.parametrize(
    ("kernel", "state", "where"),
    [
        (Kernel("k", "6.1", {"MPLS": "y"}), State.BUILT_IN, ""),
        (Kernel("k", "6.1", {}), State.ABSENT, ""),
        (Kernel("k", "6.1", None, modules=FILES), State.BUILT_IN, "as mpls_router shows"),
        (Kernel("k", "6.1", None, modules={}), State.UNKNOWN, ""),
    ],
)
def test_a_symbol_without_a_module_is_seen_as(kernel: Kernel, state: State, where: str) -> None:
    seen = see(kernel, MPLS)
    assert (seen.state, seen.where) == (state, where)


def test_a_feature_is_not_ready_when_one_that_it_builds_on_is_not() -> None:
    assert verdicts(of_config("k", config(MPLS_ROUTING="n"))) == {
        "transit": False,
        "edge": False,
        "gso": True,
        "late": False,
        "tunnels": False,
        "vrf": False,
        "tc": True,
    }


@pytest.mark.parametrize("one", ["NET_IPGRE", "NET_IPIP", "BAREUDP"])
def test_one_kind_of_tunnel_is_enough(one: str) -> None:
    none = dict.fromkeys(("NET_IPGRE", "NET_IPIP", "BAREUDP"), "n")
    assert verdicts(of_config("k", config(**none)))["tunnels"] is False
    assert verdicts(of_config("k", config(**{**none, one: "m"})))["tunnels"] is True


def test_modules_alone_tell_what_their_kernel_has() -> None:
    found = verdicts(machine("", module_files={**FILES, "vrf": "kernel/drivers/net/vrf.ko"}))
    assert found == {
        "transit": True,
        "edge": True,
        "gso": True,
        "late": None,
        "tunnels": False,
        "vrf": None,
        "tc": False,
    }


def test_a_node_that_is_ready_is_to_be_set_up() -> None:
    assert verdicts(machine())["edge"] is True
    assert way_on(machine(), KNOWLEDGE.cures) == "MPLS-ready, nothing to build: ./run node.bootstrap --host ler-1"


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (
            machine(config(MPLS="n", MPLS_ROUTING="n")),
            "./run kernel.build --base running --host ler-1, then ./run node.bootstrap --host ler-1 --packages dist",
        ),
        (
            machine(config(MPLS="n", MPLS_ROUTING="n"), release="6.18.44-vm"),
            "./run kernel.build --base running --host ler-1, then ./run node.bootstrap --host ler-1 --packages dist; "
            "or install the distribution's own kernel: ./run kernel.audit --subject debian:bookworm/linux-image-amd64 "
            "says what it can do",
        ),
        (
            machine(module_files={}, other_kernels=("6.1.0-51-amd64",)),
            "boot a kernel that is whole on this machine (6.1.0-51-amd64): the modules of 6.1.0-50-amd64 are gone, as "
            "after an upgrade",
        ),
        (
            machine(module_files={"ext4": "kernel/fs/ext4.ko"}, os={"ID": "ubuntu"}, release="6.8.0-50-generic"),
            "install linux-modules-extra-6.8.0-50-generic, where Ubuntu has mpls_router, mpls_iptunnel",
        ),
        (
            machine(module_files={}),
            "bring mpls_router, mpls_iptunnel back: the package of the kernel 6.1.0-50-amd64 is not installed whole (a "
            "container needs the modules of its host)",
        ),
        (
            machine("", module_files={}),
            "give the kernel's package or its configuration: nothing here says how 6.1.0-50-amd64 was configured",
        ),
        (
            machine("", module_files=EXT4, builtin=frozenset()),
            "give the kernel's package or its configuration: nothing here says how 6.1.0-50-amd64 was configured",
        ),
        (
            machine("", module_files=EXT4, config_from=""),
            "./run kernel.build --base debian, then ./run node.bootstrap --host ler-1 --packages dist",
        ),
    ],
)
def test_the_cure_fits_what_was_seen(kernel: Kernel, said: str) -> None:
    assert advice(kernel) == said


def test_a_command_in_a_cure_can_be_pasted_into_a_shell() -> None:
    kernel = replace(of_config("k", config(NET_VRF="n")), rebuild=("--base", "/tmp/a b/it's"), bootstrap="[::1]:22")
    assert advice(kernel, "vrf") == (
        """./run kernel.build --base '/tmp/a b/it'"'"'s' --options l3vpn, """
        "then ./run node.bootstrap --host '[::1]:22' --packages dist"
    )
    assert way_on(kernel, KNOWLEDGE.cures) == "MPLS-ready, nothing to build: ./run node.bootstrap --host '[::1]:22'"


def test_a_package_that_apt_has_is_named_with_the_modules_in_it() -> None:
    values = parse_config(config())
    apart = dict.fromkeys(("mpls_router", "mpls_iptunnel"), "linux-modules-extra-6.8")
    kernel = Kernel("apt:linux-image-generic", "6.8", values, modules={}, elsewhere=apart)
    assert advice(kernel) == "install linux-modules-extra-6.8, which has mpls_router, mpls_iptunnel"


def test_one_build_brings_everything_that_is_demanded() -> None:
    kernel = of_config("k", config(NET_VRF="n", NET_ACT_MPLS="n"))
    assert advice(kernel, "vrf", "tc").startswith("./run kernel.build --options l3vpn --options tc, then")


def test_an_audit_is_a_json_document() -> None:
    kernel = of_config("my.config", config(NET_MPLS_GSO="n"))
    document: Any = as_json(kernel, feature_verdicts(kernel, KNOWLEDGE), ["vrf"], KNOWLEDGE)
    [gso] = [feature for feature in document["features"] if feature["feature"] == "gso"]
    assert (document["subject"], document["release"], document["config_from"]) == ("my.config", "6.8.0", "my.config")
    assert (document["ready"], document["needed"]) == (False, ["transit", "edge", "gso", "vrf"])
    assert gso == {
        "feature": "gso",
        "title": "TCP keeps its speed under labels (segmentation)",
        "verdict": "not ready",
        "builds_on": (),
        "symbols": [
            {
                "symbol": "NET_MPLS_GSO",
                "module": "mpls_gso",
                "state": "absent",
                "where": None,
                "without": "ping works and TCP crawls (measured 23 Mbit/s instead of 1,002)",
            }
        ],
        "too_old_for": (),
        "cure": "./run kernel.build, then ./run node.bootstrap --host HOST --packages dist",
    }


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("# Linux/x86 6.12.1 Kernel Configuration\n", "6.12.1"),
        ('# Linux/arm64 7.2.0-rc1 Kernel Configuration\nCONFIG_LOCALVERSION="-lab"\n', "7.2.0-rc1-lab"),
        ("CONFIG_MPLS=y\n", ""),
    ],
)
def test_a_configuration_says_its_version(text: str, release: str) -> None:
    assert release_in(text) == release


@pytest.mark.parametrize(
    ("release", "version"), [("6.1.0-50-amd64", (6, 1)), ("7.2.13+deb14-amd64", (7, 2)), ("x", None), ("", None)]
)
def test_a_release_has_a_version(release: str, version: tuple[int, int] | None) -> None:
    assert version_of(release) == version


def test_the_options_named_are_option_sets() -> None:
    named = {feature.options for feature in KNOWLEDGE.features}
    assert named <= {path.stem for path in (data("kconfig") / "options").glob("*.config")}


@pytest.mark.parametrize(
    ("line", "changed", "message"),
    [
        ("builds_on: [transit]", "builds_on: [transitt]", "transitt is no feature above this one"),
        ("cures:\n  ready:", "cures:\n  redy:", "should be 'ready', 'install', "),
        ("host {host}", "host {node}", "there is no word '{node}'; allowed: release, host, modules, "),
        ("decides: true", "decide: true", "there is no such key; allowed: name, title, decides, "),
    ],
)
def test_knowledge_that_does_not_fit_is_told_with_its_line(
    line: str, changed: str, message: str, tmp_path: Path
) -> None:
    text = (data("kconfig") / "features.yaml").read_text()
    number = text[: text.index(line)].count("\n") + 1
    (tmp_path / "features.yaml").write_text(text.replace(line, changed, 1))
    with pytest.raises(WrongInput) as failed:
        load_features(tmp_path / "features.yaml")
    assert failed.value.message.startswith(f"{tmp_path}/features.yaml:{number}: ")
    assert message in failed.value.message


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("debian:trixie/linux-image-amd64", SuiteKernel("trixie", "linux-image-amd64")),
        ("apt:linux-image-generic", SuiteKernel(None, "linux-image-generic")),
        ("debian:bookworm-backports/linux-image-amd64", SuiteKernel("bookworm-backports")),
        ("debian:", None),
        ("linux-image-amd64", None),
        ("./debian:trixie/x", None),
    ],
)
def test_a_package_of_a_suite_is_named(text: str, spec: SuiteKernel | None) -> None:
    assert suite_kernel(text) == spec
    assert spec is None or str(spec) == text


def test_a_depends_field_has_clauses_with_alternatives() -> None:
    field = "kmod, linux-base (>= 4.5), linux-image-6.8 (= 1) | linux-image-unsigned-6.8, python3:any"
    assert clauses(field) == [["kmod"], ["linux-base"], ["linux-image-6.8", "linux-image-unsigned-6.8"], ["python3"]]


@given(st.text())
def test_any_depends_field_and_any_subject_can_be_read(text: str) -> None:
    assert all(clause for clause in clauses(text))
    assert suite_kernel(text) is None or text.startswith(("debian:", "apt:"))


@given(st.dictionaries(st.sampled_from(sorted(parse_config(config()))), st.sampled_from("ymn")))
def test_any_configuration_is_judged(changes: dict[str, str]) -> None:
    found = verdicts(of_config("k", config(**changes)))
    assert set(found.values()) <= {True, False}
