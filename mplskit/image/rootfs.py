"""The Debian system of a node: `furnish.sh` brings kernel, `ip` and the node's setup."""

from collections.abc import Sequence
from pathlib import Path

from mplskit.debian.archives import Archive
from mplskit.debian.kernel_choice import FileKernel
from mplskit.debian.package_file import packaged_config
from mplskit.debian.system_tree import System
from mplskit.errors import BuildFailed
from mplskit.image.image_request import ImageRequest

HERE = Path(__file__).parent
BASE = (
    *("systemd-sysv", "systemd-resolved", "udev", "kmod", "procps"),
    *("openssh-server", "iproute2", "iputils-ping", "tcpdump"),
)
# What a kernel must have built in to find its root on a virtio disk without an initramfs.
TO_FIND_ROOT = ("CONFIG_VIRTIO_PCI=y", "CONFIG_VIRTIO_BLK=y", "CONFIG_EXT4_FS=y")


def system(request: ImageRequest, sources: Sequence[Archive], payload: Path, public_key: Path) -> System:
    """The system of a node, whose setup is in `payload`."""
    furnish = (HERE / "furnish.sh", payload)
    return System(request.suite, sources, packages(request), HERE / "tree", public_key, furnish)


def packages(request: ImageRequest) -> tuple[str, ...]:
    """What apt installs: the kernel of the suite if no other is given, and the maker of initramfs if it needs one."""
    if not isinstance(request.kernel, FileKernel):
        # Debian's kernels depend on linux-base, whichever suite they are of.
        own = request.suites_kernel
        return (*BASE, own.package if own else "linux-base", "initramfs-tools")
    return BASE if finds_root(packaged_config(request.kernel.deb.path)[1]) else (*BASE, "initramfs-tools")


def finds_root(config: str) -> bool:
    """Whether a kernel of that configuration mounts a virtio disk without an initramfs."""
    return set(TO_FIND_ROOT) <= set(config.splitlines())


def kernel_release(tree: Path) -> str:
    """The release of the tree's only kernel. Raises BuildFailed when there is none, or more than one."""
    found = sorted(path.name.removeprefix("vmlinuz-") for path in (tree / "boot").glob("vmlinuz-*"))
    if len(found) != 1:
        raise BuildFailed(f"the image has {len(found)} kernels: {', '.join(found)}")
    return found[0]
