"""The kernel of a lab: a package file, what kernel.build made, or Debian's own of any suite."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process, progress
from mplskit.debian.kernel_choice import chosen_kernel, packages_of
from mplskit.debian.kernel_packages import SuiteKernel
from mplskit.debian.package_file import Role, extract
from mplskit.debian.suites import release
from mplskit.errors import WrongInput
from mplskit.lab.machine.initramfs import pack
from mplskit.paths import Workspace

HERE = "here (this machine's own)"
# What no lab needs of a kernel, and what most of its bytes are.
LEFT_OUT = (*(f"drivers/{name}" for name in ("gpu", "media", "staging", "infiniband", "scsi", "usb")), "sound")


@dataclass(frozen=True)
class LabKernel:
    """A kernel that boots the disk of labs; `name` is what people call it."""

    name: str
    release: str
    vmlinuz: Path
    initrd: Path


@dataclass(frozen=True)
class Chosen:
    """A kernel in packages: FILES, and their digest."""

    name: str
    packages: tuple[Path, ...]
    digest: str


def kernel_of_labs(workspace: Workspace, text: str) -> Chosen:
    """The packages of the kernel that a user means; without a text the one that kernel.build left.

    Raises WrongInput with what is allowed, OutsideFailed when a mirror fails.
    """
    choice = chosen_kernel(text, workspace.dist, release(), also=HERE)
    debs = packages_of(choice, workspace.cache)
    name = next((deb.package.package for deb in debs if deb.package.role is Role.IMAGE), str(choice))
    shown = f"{name} of Debian {choice.suite}" if isinstance(choice, SuiteKernel) and choice.suite else name
    return Chosen(shown, tuple(deb.path for deb in debs), files.digest_of([deb.package.sha256 for deb in debs]))


def lab_kernel(workspace: Workspace, wanted: Chosen, busybox: Path) -> LabKernel:
    """The kernel, unpacked once, with an initramfs that finds the disk of labs.

    Raises WrongInput when the packages hold no kernel, BuildFailed when a step fails.
    """
    process.require("cpio", package="cpio")
    process.require("depmod", package="kmod")
    recipe = [files.digest_file(Path(__file__).with_name(name)) for name in ("init", "initramfs.py", "lab_kernel.py")]
    key = files.digest_of([wanted.digest, files.digest_file(busybox), recipe])[:16]
    folder = workspace.build / "lab" / f"kernel-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)

    def make(partial: Path) -> None:
        with progress.step(f"unpacking {wanted.name}"), tempfile.TemporaryDirectory(dir=partial) as scratch:
            _unpack(wanted, Path(scratch), partial, busybox)

    files.build_once(folder, make)
    release = (folder / "release").read_text().strip()
    return LabKernel(wanted.name, release, folder / "vmlinuz", folder / "initrd")


def _unpack(wanted: Chosen, scratch: Path, target: Path, busybox: Path) -> None:
    without = (*(f"*/kernel/{folder}/*" for folder in LEFT_OUT), "*/usr/share/*", "*/System.map-*")
    for package in wanted.packages:
        extract(package, scratch, without=without)
    images = [*scratch.glob("boot/vmlinuz-*"), *scratch.glob("usr/lib/modules/*/vmlinuz")]
    if len(images) != 1:
        raise WrongInput(f"{wanted.name} holds {len(images)} kernels", hint="give a linux-image package")
    found = images[0]
    release = found.name.removeprefix("vmlinuz-") if found.name != "vmlinuz" else found.parent.name
    found.rename(target / "vmlinuz")
    pack(scratch, release, busybox, target / "initrd")
    (target / "release").write_text(f"{release}\n")
