"""What image is asked for, read from the command line."""

import re
from dataclasses import dataclass
from pathlib import Path

from mplskit.debian.kernel_choice import STOCK, KernelChoice, check_offered, chosen_kernel, packages_of
from mplskit.debian.kernel_packages import SuiteKernel
from mplskit.debian.package_file import Deb, Role, read_deb
from mplskit.debian.package_records import recorded
from mplskit.debian.suites import FOR_IMAGES, release
from mplskit.errors import WrongInput
from mplskit.image.flags import ImageFlags
from mplskit.paths import Workspace

# Other parts have records of these names in `dist/`.
RESERVED = ("metadata", "iproute2")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
_KEY = re.compile(r"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+(?: .*)?")


@dataclass(frozen=True)
class ImageRequest:
    """An image: without `iproute2` it has Debian's own, without `public_key` a key pair is made for it.

    A bare one is left without the node setup.
    """

    name: str
    suite: str
    kernel: KernelChoice
    iproute2: Deb | None
    public_key: Path | None
    bare: bool = False

    @property
    def suites_kernel(self) -> SuiteKernel | None:
        """The kernel where it is of the image's own suite, so that apt brings it."""
        return self.kernel if isinstance(self.kernel, SuiteKernel) and self.kernel.suite == self.suite else None

    def debs(self, cache: Path) -> tuple[Deb, ...]:
        """The packages that are installed beyond the suite's, fetched if need be.

        Raises WrongInput when the kernel is not offered, or none; OutsideFailed when the mirror fails.
        """
        own = self.suites_kernel
        if own and own != SuiteKernel(self.suite):
            check_offered(own, cache)
        kernel = () if own else packages_of(self.kernel, cache)
        return (*kernel, *((self.iproute2,) if self.iproute2 else ()))

    def shown_debs(self) -> list[str]:
        """The same as they are told of before anything is fetched: files, and what will be fetched."""
        kernel = () if self.suites_kernel else (str(self.kernel),)
        return [*kernel, *([str(self.iproute2.path)] if self.iproute2 else [])]


def make_request(workspace: Workspace, flags: ImageFlags) -> ImageRequest:
    """The request that flags make; an empty one takes what was built here. Raises WrongInput with what is allowed."""
    suite = check_suite(flags.suite or release())
    kernel = chosen_kernel(flags.kernel, workspace.dist, suite)
    name = flags.name or f"mplskit-{suite}{'-stock' if isinstance(kernel, SuiteKernel) else ''}"
    if not _NAME.fullmatch(name):
        raise WrongInput(f"--name {name}: not a file name of small letters, digits, '.', '_' and '-'")
    if name in RESERVED:
        raise WrongInput(f"--name {name}: {name}.json is not an image's", hint=f"not allowed: {', '.join(RESERVED)}")
    return ImageRequest(
        name=name,
        suite=suite,
        kernel=kernel,
        iproute2=_iproute2(workspace, flags.iproute2, suite),
        public_key=_public_key(Path(flags.ssh_key)) if flags.ssh_key else None,
        bare=flags.bare,
    )


def check_suite(suite: str) -> str:
    """A Debian release that images are built of. Raises WrongInput for any other."""
    if suite not in FOR_IMAGES:
        raise WrongInput(f"--suite {suite}: no image of it can be built", hint=f"allowed: {', '.join(FOR_IMAGES)}")
    return suite


def _iproute2(workspace: Workspace, text: str, suite: str) -> Deb | None:
    """Without a word from the user: what was built here, for images of the release that it was built on."""
    if text == STOCK or (not text and suite != release()):
        return None
    if not text:
        built = recorded(workspace.dist, Role.IPROUTE2)
        return read_deb(built) if built else None
    allowed = f"allowed: a file of the package iproute2, or {STOCK} for Debian's own"
    if not Path(text).is_file():
        raise WrongInput(f"--iproute2 {text}: no such file", hint=allowed)
    deb = read_deb(Path(text).absolute())
    if deb.package.role is not Role.IPROUTE2:
        raise WrongInput(f"--iproute2 {text}: that is the package {deb.package.package}", hint=allowed)
    return deb


def _public_key(path: Path) -> Path:
    text = path.read_text(errors="replace") if path.is_file() else ""
    if path.suffix != ".pub" or not _KEY.fullmatch(text.strip()):
        raise WrongInput(
            f"--ssh-key {path}: not a public key of OpenSSH",
            hint="allowed: a file NAME.pub, its private half NAME beside it; ssh-keygen -t ed25519 makes both",
        )
    return path.absolute()
