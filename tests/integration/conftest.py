"""What many files of tests stand on: fixtures of tests/worlds that pytest finds by their names."""

from tests.worlds.contained_node import namespaces
from tests.worlds.kernel_org_pinned import kernel_org_root, kernel_org_signers, world
from tests.worlds.scripted_nodes import fleet
from tests.worlds.sshd import sshd

__all__ = ["fleet", "kernel_org_root", "kernel_org_signers", "namespaces", "sshd", "world"]
