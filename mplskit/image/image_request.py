"""What image is asked for, read from the command line."""

import re
from dataclasses import dataclass
from pathlib import Path

from mplskit.debian.package_file import Deb, Role, read_deb, read_package
from mplskit.debian.package_records import recorded
from mplskit.debian.suites import release
from mplskit.errors import WrongInput
from mplskit.paths import Workspace

SUITES = ("bookworm", "trixie")
STOCK = "stock"
# Other parts have records of these names in `dist/`.
RESERVED = ("metadata", "iproute2")
EXPECTED = {Role.IMAGE: "linux-image-*", Role.IPROUTE2: "iproute2"}

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")
_KEY = re.compile(r"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+(?: .*)?")


@dataclass(frozen=True)
class ImageRequest:
    """An image: without `kernel` or `iproute2` it has Debian's own, without `public_key` a key pair is made for it.

    A bare one is left without the node setup.
    """

    name: str
    suite: str
    kernel: Deb | None
    iproute2: Deb | None
    public_key: Path | None
    bare: bool = False

    @property
    def debs(self) -> tuple[Deb, ...]:
        """The packages that are installed beyond Debian's."""
        return tuple(deb for deb in (self.kernel, self.iproute2) if deb is not None)


def make_request(
    workspace: Workspace,
    suite: str,
    kernel: str = "",
    iproute2: str = "",
    ssh_key: str = "",
    name: str = "",
    bare: bool = False,
) -> ImageRequest:
    """The request that flags make; an empty one takes what was built here. Raises WrongInput with what is allowed."""
    check_suite(suite)
    own = "-stock" if kernel == STOCK else ""
    chosen = name or f"mplskit-{suite}{own}"
    if not _NAME.fullmatch(chosen):
        raise WrongInput(f"--name {name}: not a file name of small letters, digits, '.', '_' and '-'")
    if chosen in RESERVED:
        raise WrongInput(f"--name {name}: {name}.json is not an image's", hint=f"not allowed: {', '.join(RESERVED)}")
    return ImageRequest(
        name=chosen,
        suite=suite,
        kernel=_kernel(workspace, kernel),
        iproute2=_iproute2(workspace, iproute2, suite),
        public_key=_public_key(Path(ssh_key)) if ssh_key else None,
        bare=bare,
    )


def check_suite(suite: str) -> str:
    """A Debian release that images are built of. Raises WrongInput for any other."""
    if suite not in SUITES:
        raise WrongInput(f"--suite {suite}: no image of it can be built", hint=f"allowed: {', '.join(SUITES)}")
    return suite


def _kernel(workspace: Workspace, text: str) -> Deb | None:
    if text == STOCK:
        return None
    if text:
        return _deb("--kernel", Path(text), Role.IMAGE)
    built = _built(workspace, Role.IMAGE)
    if built is None:
        raise WrongInput(
            f"no kernel was built here: {workspace.dist / 'metadata.json'} names no linux-image package",
            hint="invoke kernel.build; or give --kernel FILE.deb, or --kernel stock for Debian's own",
        )
    return built


def _iproute2(workspace: Workspace, text: str, suite: str) -> Deb | None:
    """Without a word from the user: what was built here, for images of the release that it was built on."""
    if text == STOCK or (not text and suite != release()):
        return None
    return _deb("--iproute2", Path(text), Role.IPROUTE2) if text else _built(workspace, Role.IPROUTE2)


def _deb(flag: str, path: Path, role: Role) -> Deb:
    if not path.is_file():
        raise WrongInput(f"{flag} {path}: no such file", hint=f"allowed: a package file, or {STOCK} for Debian's own")
    package = read_package(path)
    if package.role is not role:
        raise WrongInput(
            f"{flag} {path}: that is the package {package.package}",
            hint=f"allowed: a file of the package {EXPECTED[role]}, or {STOCK} for Debian's own",
        )
    return Deb(path.absolute(), package)


def _built(workspace: Workspace, role: Role) -> Deb | None:
    """The package of that role that a build left in `dist/`."""
    path = recorded(workspace.dist, role)
    return read_deb(path) if path else None


def _public_key(path: Path) -> Path:
    text = path.read_text(errors="replace") if path.is_file() else ""
    if path.suffix != ".pub" or not _KEY.fullmatch(text.strip()):
        raise WrongInput(
            f"--ssh-key {path}: not a public key of OpenSSH",
            hint="allowed: a file NAME.pub, its private half NAME beside it; ssh-keygen -t ed25519 makes both",
        )
    return path.absolute()
