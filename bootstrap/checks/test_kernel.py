"""The kernel, its modules, and the ip that talks to it."""

import pytest

from mplskit.node.payload.render import MODULES
from mplskit.node.verify.kernel_routes import missing, of_batch, of_show

# What checks/probe.sh asks for, in the words of its next hop.
PROBED = {
    "push": "route add 198.51.100.1/32 encap mpls 16/17 via {via} dev {dev}",
    "pop": "route add 100 dev lo",
    "swap": "route add 101 as 102/103 via inet {via} dev {dev}",
}
BROUGHT = "/var/lib/mplskit/packages"
OPTIONS = (("LWTUNNEL", "y"), ("MPLS", "y"), ("MPLS_ROUTING", "ym"), ("MPLS_IPTUNNEL", "ym"))


@pytest.mark.condition("N5")
def test_the_kernel_that_was_brought_is_running(facts, seen):
    there = facts.told("if test -e %s; then ls -t %s; fi", BROUGHT, BROUGHT)
    brought = next((name.removeprefix("linux-image-") for name in there.split() if name.startswith("linux-image-")), "")
    seen(f"{facts.kernel} is running, {brought} was brought" if brought else f"{facts.kernel}, the node's own")
    assert brought in ("", facts.kernel)


@pytest.mark.condition("K1")
def test_the_kernel_can_put_labels_on_packets(facts, seen):
    config = facts.kernel_config
    version = facts.tool[1]
    lacking = [name for name, granted in OPTIONS if config and not any(f"CONFIG_{name}={v}" in config for v in granted)]
    if lacking:
        seen(f"{facts.kernel} was built without {', '.join(lacking)}")
    elif facts.is_live("mpls_iptunnel") and "iproute2" in version:
        state = tried(facts, ("lo", "push"), ("push",))
        seen(f"in a network namespace of its own: {state or 'a push of two labels is kept as written'}")
        assert not state
    elif config:
        seen(f"{facts.kernel} was built with {', '.join(f'CONFIG_{name}' for name, _ in OPTIONS)}")
    else:
        pytest.skip("the kernel's configuration cannot be read, and there is nothing to try it with: see K2, K16")
    assert not lacking


@pytest.mark.condition("P1")
def test_labels_are_pushed_swapped_and_popped_as_they_are_asked_for(facts, live, seen):
    if not facts.is_live("mpls_iptunnel"):
        pytest.skip("mpls_iptunnel is not live: see K2")
    if "iproute2" not in facts.tool[1]:
        pytest.skip("there is no ip of iproute2 to try it with: see K16")
    state = tried(facts, ("lo", "dummy", "up", "address", "push", "table", "size", "pop", "swap"), tuple(PROBED))
    through = facts.probe.get("hop", (None,))[0]
    seen(state or f"push, pop and swap, in a table of 1000 labels, through {through.said.split()[1]}")
    assert not state


def tried(facts, steps, routes):
    """What went wrong in the probe, with the part's name; nothing when the kernel shows what was written."""
    if facts.user != 0:
        pytest.fail("labels are tried in a network namespace, which needs root: log in as root, or give --sudo", False)
    probe = facts.probe
    failed = [f"{name}: {part.said}" for name in ("namespace", *steps) for part in probe.get(name, ()) if not part.ok]
    if failed:
        return "; ".join(failed)
    if "size" in steps and probe["size"][0].said != "1000":
        return f"table: it was made 1000 labels large, and is {probe['size'][0].said}"
    via, dev = probe["hop"][0].said.split()
    kept = {name: [part.said for part in probe.get(f"{name} shown", ())] for name in ("push", "label")}
    shown = [*of_show("\n".join(kept["push"]), "inet"), *of_show("\n".join(kept["label"]), "mpls")]
    for name in routes:
        wanted = of_batch(PROBED[name].format(via=via, dev=dev))
        for why in missing(wanted, shown).values():
            lines = " | ".join((*kept["push"], *kept["label"]))
            return f"{name}: `ip` took {wanted[0]}, and it {why}; shown: {lines or 'nothing'}"
    return ""


@pytest.mark.condition("K5")
def test_the_running_kernel_has_the_mpls_modules(facts, seen):
    absent = [name for name in MODULES if not facts.is_live(name) and name not in facts.module_files]
    folder = f"/lib/modules/{facts.kernel}"
    if facts.run("test -d %s", folder)[0] != 0 and absent:
        others = facts.run("ls /lib/modules")[1].split()
        seen(f"there is no {folder} any more; kernels there: {' '.join(others) or 'none'}.")
    seen(f"{folder} has no {', '.join(absent)}" if absent else f"{folder} has {', '.join(MODULES)}")
    assert not absent


@pytest.mark.condition("K3")
def test_mpls_router_is_live(facts, seen):
    assert is_live("mpls_router", facts, seen)
    seen(
        "and /proc/sys/net/mpls is there" if facts.platform_labels is not None else "but there is no /proc/sys/net/mpls"
    )
    assert facts.platform_labels is not None


@pytest.mark.condition("K2")
def test_mpls_iptunnel_is_live(facts, seen):
    assert is_live("mpls_iptunnel", facts, seen)


@pytest.mark.condition("G1")
def test_mpls_gso_is_live(facts, seen):
    assert is_live("mpls_gso", facts, seen)


@pytest.mark.condition("N8")
def test_nothing_keeps_the_modules_from_loading_at_the_next_boot(facts, seen):
    loadable = [name for name in MODULES if facts.module_files.get(name) != "modules.builtin"]
    configured = facts.told("modprobe --showconfig && cat /proc/cmdline").replace("-", "_").splitlines()
    lines = [
        line
        for line in configured
        if line.split()[:1] in (["blacklist"], ["install"]) and line.split()[1:2] and line.split()[1] in loadable
    ]
    lines += [
        word
        for word in configured[-1].split()
        if word.startswith("module_blacklist=")
        and set(word.partition("=")[2].replace("-", "_").split(",")) & set(loadable)
    ]
    seen("; ".join(lines) or "no line of modprobe.d and of the command line does")
    assert not lines


def is_live(module, facts, seen):
    if facts.is_live(module):
        seen(f"{module} is loaded" if module in facts.loaded_modules else f"{module} is built in")
        return True
    if module not in facts.module_files:
        pytest.skip(f"there is no {module} for {facts.kernel}: see K5")
    if facts.read("/proc/sys/kernel/modules_disabled") == "1\n":
        seen("modules_disabled is 1: no module can be loaded until the next boot;")
    refused = facts.run("modprobe --dry-run --verbose %s 2>&1", module)[1].strip()
    seen(f"{module} is not loaded; loading it would do: {refused or 'nothing'}")
    return False


@pytest.mark.condition("K16")
def test_ip_is_iproute2_and_knows_mpls(facts, seen):
    tool, version = facts.tool
    error = facts.run("%s -f mpls route show", tool or "ip")[2].strip()
    seen(f"{tool or 'ip'}: {version or 'not there'}")
    if error:
        seen(f"says: {error}")
    assert "iproute2" in version
    assert not error
