"""A Debian tree that is a node: mmdebstrap makes it, `furnish.sh` brings keys, kernel, `ip` and the node's setup."""

import shlex
import signal
from collections.abc import Sequence
from pathlib import Path

from mplskit import files, process
from mplskit.debian.package_file import packaged_config
from mplskit.errors import BuildFailed, MachineLacks
from mplskit.image.image_request import ImageRequest
from mplskit.image.mirror import Archive
from mplskit.logins import bare
from mplskit.progress import note

HERE = Path(__file__).parent
BASE = (
    *("systemd-sysv", "systemd-resolved", "udev", "kmod", "procps"),
    *("openssh-server", "iproute2", "iputils-ping", "tcpdump"),
)
LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/doc/*")
KEPT = ("/usr/share/doc/*/copyright",)
# What a kernel must have built in to find its root on a virtio disk without an initramfs.
TO_FIND_ROOT = ("CONFIG_VIRTIO_PCI=y", "CONFIG_VIRTIO_BLK=y", "CONFIG_EXT4_FS=y")
# Mounts and processes of its own: when this one ends, so do they.
CONTAINED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def make_tree(
    request: ImageRequest,
    sources: Sequence[Archive],
    settings: Sequence[str],
    payload: Path,
    public_key: Path,
    tree: Path,
    log: Path,
) -> None:
    """Make the tree. Raises BuildFailed when mmdebstrap fails, MachineLacks when it cannot be contained."""
    furnish = shlex.join(["sh", str(HERE / "furnish.sh")]) + ' "$1" '
    furnish += shlex.join([str(HERE / "tree"), str(payload), str(public_key)])
    contained(
        [
            *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
            f"--include={','.join(packages(request))}",
            *(f"--aptopt={setting}" for setting in settings),
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
            *(f"--dpkgopt=path-include={path}" for path in KEPT),
            f"--customize-hook={furnish}",
            *(request.suite, tree),
            *(archive.line() for archive in sources),
        ],
        log,
    )
    forget_logins(tree)


def forget_logins(tree: Path) -> None:
    """Take the logins out of a tree's apt sources: whoever gets the image would have them."""
    folder = tree / "etc/apt"
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))):
        text = path.read_text() if path.is_file() else ""
        if bare(text) != text:
            files.write_atomically(path, bare(text))
            note(
                f"! /{path.relative_to(tree)} in the image is without the login that this machine's apt has: "
                "/etc/apt/auth.conf.d is the place for it (apt_auth.conf(5))"
            )


def contained(argv: Sequence[str | Path], log: Path) -> None:
    """Run a command in mount and PID namespaces that end with it, and with us, so nothing of it can be left behind.

    Raises MachineLacks when this machine refuses the namespaces, BuildFailed when the command fails.
    """
    tried = process.run([*CONTAINED, "true"], check=False)
    if tried.returncode != 0:
        raise MachineLacks(
            "this machine lets no process have mounts of its own, and an image is built with such",
            detail=tried.stderr.strip(),
            hint="a container needs CAP_SYS_ADMIN and a writable /proc for it (docker run --privileged); "
            "or build on a machine of your own",
        )
    # `unshare --fork` blocks SIGTERM; its child is killed with it.
    process.run([*CONTAINED, *argv], log=log, death_signal=signal.SIGKILL)


def packages(request: ImageRequest) -> tuple[str, ...]:
    """What apt installs: Debian's kernel if no other is given, and the maker of initramfs if the kernel needs one."""
    if request.kernel is None:
        return (*BASE, "linux-image-amd64", "initramfs-tools")
    return BASE if finds_root(packaged_config(request.kernel.path)[1]) else (*BASE, "initramfs-tools")


def finds_root(config: str) -> bool:
    """Whether a kernel of that configuration mounts a virtio disk without an initramfs."""
    return set(TO_FIND_ROOT) <= set(config.splitlines())


def kernel_release(tree: Path) -> str:
    """The release of the tree's only kernel. Raises BuildFailed when there is none, or more than one."""
    found = sorted(path.name.removeprefix("vmlinuz-") for path in (tree / "boot").glob("vmlinuz-*"))
    if len(found) != 1:
        raise BuildFailed(f"the image has {len(found)} kernels: {', '.join(found)}")
    return found[0]
