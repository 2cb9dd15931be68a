"""The kernel, its modules, and the ip that talks to it."""

import pytest

from mplskit.node.facts import PUSH_PROBE, PUSH_SHOWN
from mplskit.node.render import MODULES

OPTIONS = (("LWTUNNEL", "y"), ("MPLS", "y"), ("MPLS_ROUTING", "ym"), ("MPLS_IPTUNNEL", "ym"))


@pytest.mark.condition("N5")
def test_the_kernel_that_was_brought_is_running(facts, seen):
    newest = facts.run("ls -t /var/lib/mplskit/packages 2>/dev/null | grep '^linux-image-' | head -n 1")[1].strip()
    brought = newest.removeprefix("linux-image-")
    seen(f"{facts.kernel} is running, {brought} was brought" if brought else f"{facts.kernel}, the node's own")
    assert brought in ("", facts.kernel)


@pytest.mark.condition("K1")
def test_the_kernel_can_put_labels_on_packets(facts, seen):
    config = facts.kernel_config
    tool, version = facts.tool
    lacking = [name for name, granted in OPTIONS if config and not any(f"CONFIG_{name}={v}" in config for v in granted)]
    if lacking:
        seen(f"{facts.kernel} was built without {', '.join(lacking)}")
    elif facts.is_live("mpls_iptunnel") and "iproute2" in version:
        if facts.user != 0:
            pytest.fail(
                "a push is tried in a network namespace, which needs root: log in as root, or give --sudo", False
            )
        _, shown, error = facts.run("unshare --net sh -c %s", PUSH_PROBE.replace("ip ", f"{tool} "))
        seen(f"in a network namespace of its own a push of two labels shows as: {(shown or error).strip()}")
        assert shown.split() == PUSH_SHOWN
    elif config:
        seen(f"{facts.kernel} was built with {', '.join(f'CONFIG_{name}' for name, _ in OPTIONS)}")
    else:
        pytest.skip("the kernel's configuration cannot be read, and there is nothing to try it with: see K2, K16")
    assert not lacking


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


def is_live(module, facts, seen):
    if facts.is_live(module):
        seen(f"{module} is loaded" if module in facts.loaded_modules else f"{module} is built in")
        return True
    if module not in facts.module_files:
        pytest.skip(f"there is no {module} for {facts.kernel}: see K5")
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
