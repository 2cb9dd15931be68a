"""A login that is not root's, over a real SSH session: told so by node.bootstrap and node.verify in the same words."""

from collections.abc import Callable

import pytest

from mplskit import process
from mplskit.errors import Exit, MachineLacks
from mplskit.node.bootstrap import bootstrap
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.verify.verify import verify
from mplskit.remote.host import Host
from tests.worlds.sshd import Sshd


@pytest.fixture(scope="module")
def plain(sshd: Sshd) -> Host:
    """A login without privileges: what it runs is in a user namespace where it is nobody."""
    if process.run(["unshare", "--user", "true"], check=False).returncode != 0:
        pytest.skip("this machine gives no user namespaces to us")
    sshd.login(sshd.folder / "plain", r"exec unshare --user sh -c \"$SSH_ORIGINAL_COMMAND\"")
    return sshd.host(key="plain")


@pytest.mark.parametrize(
    "task", [lambda host: bootstrap(Node("node", host, NodeSpec())), verify], ids=["bootstrap", "verify"]
)
def test_a_login_that_is_not_roots_is_told_so(task: Callable[[Host], object], plain: Host) -> None:
    with pytest.raises(MachineLacks) as refused:
        task(plain)
    assert refused.value.code == Exit.MACHINE_LACKS
    assert str(refused.value) == (
        "error: node: must run as root, not as nobody\n"
        "hint: log in as root (--host root@node), or give --become sudo or --become doas"
    )
