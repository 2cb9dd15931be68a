"""QEMU, and the machine that every call of it makes."""

from collections.abc import Sequence

QEMU = "qemu-system-x86_64"
PACKAGE = "qemu-system-x86"


def machine(accelerator: Sequence[str]) -> list[str]:
    """A PC with nothing in it that was not asked for; a reboot ends it, so a panic is noticed."""
    bare = ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")
    return [QEMU, "-machine", "q35", *accelerator, *bare]
