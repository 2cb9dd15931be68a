"""The kernel of a lab: a package file, what kernel.build made, or Debian's own of any suite."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process, progress
from mplskit.debian.apt_root import Offer
from mplskit.debian.package_file import Role, extract, read_package
from mplskit.debian.package_records import recorded
from mplskit.debian.suite_roots import suite_root
from mplskit.errors import WrongInput
from mplskit.lab.machine.initramfs import pack
from mplskit.paths import Workspace

ALLOWED = "allowed: a linux-image package FILE.deb, debian:SUITE, or here (this machine's own)"
STOCK = "linux-image-amd64"
# What no lab needs of a kernel, and what most of its bytes are.
LEFT_OUT = (*(f"drivers/{name}" for name in ("gpu", "media", "staging", "infiniband", "scsi", "usb")), "sound")

_SUITE = re.compile(r"debian:([a-z][a-z0-9-]*)")


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


def chosen(workspace: Workspace, text: str) -> Chosen:
    """The packages that a user means; without a text the one that kernel.build left.

    Raises WrongInput with what is allowed, OutsideFailed when a mirror fails.
    """
    suite = _SUITE.fullmatch(text)
    if suite:
        return _of_suite(workspace, suite[1])
    path = Path(text) if text else recorded(workspace.dist, Role.IMAGE)
    if path is None:
        raise WrongInput(
            f"no kernel was built here: {workspace.dist / 'metadata.json'} names no linux-image package",
            hint=f"invoke kernel.build; or give --kernel; {ALLOWED}",
        )
    if not path.is_file():
        raise WrongInput(f"--kernel {text}: no such file", hint=ALLOWED)
    package = read_package(path)
    if package.role is not Role.IMAGE:
        raise WrongInput(f"--kernel {text}: that is the package {package.package}", hint=ALLOWED)
    return Chosen(package.package, (path.absolute(),), package.sha256)


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
        raise WrongInput(f"{wanted.name} holds {len(images)} kernels", hint=ALLOWED)
    found = images[0]
    release = found.name.removeprefix("vmlinuz-") if found.name != "vmlinuz" else found.parent.name
    found.rename(target / "vmlinuz")
    pack(scratch, release, busybox, target / "initrd")
    (target / "release").write_text(f"{release}\n")


def _of_suite(workspace: Workspace, suite: str) -> Chosen:
    from mplskit.audit.suite_kernel import with_dependencies

    root = suite_root(workspace.cache, suite)
    fields = list(with_dependencies(root, STOCK))
    offers = [Offer(each["Package"], each["Version"], each["SHA256"]) for each in fields]
    paths = []
    for offer in offers:
        folder = workspace.cache / "kernels" / offer.sha256[:24]
        folder.parent.mkdir(parents=True, exist_ok=True)

        def fetch(partial: Path, offer: Offer = offer) -> None:
            with progress.step(f"fetching {offer.package} {offer.version}"):
                root.download(offer, partial)

        files.build_once(folder, fetch)
        paths += sorted(folder.glob("*.deb"))
    name = next((offer.package for offer in offers if offer.package.startswith("linux-image-")), STOCK)
    return Chosen(f"{name} of Debian {suite}", tuple(paths), files.digest_of([offer.sha256 for offer in offers]))
