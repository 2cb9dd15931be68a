"""Which kernel package is meant: what a user may write after --kernel is the same for every task."""

from dataclasses import dataclass
from pathlib import Path

from mplskit.debian.kernel_packages import SuiteKernel, fetched, offers_of, suite_kernel
from mplskit.debian.package_file import Deb, Role, read_deb
from mplskit.debian.package_records import KERNEL, recorded
from mplskit.debian.suite_roots import suite_root
from mplskit.errors import WrongInput

# The one that kernel.build made, and Debian's own of the suite that it is for.
DIST, STOCK = "dist", "stock"
WORDS = "dist (kernel.build's), stock (Debian's own), debian:SUITE[/PACKAGE], apt:PACKAGE (of this machine's apt)"
ALLOWED = f"allowed: a linux-image package FILE.deb, {WORDS}"


@dataclass(frozen=True)
class FileKernel:
    """The kernel in a package file."""

    deb: Deb

    def __str__(self) -> str:
        return str(self.deb.path)


KernelChoice = FileKernel | SuiteKernel


def is_word(text: str) -> bool:
    """Whether a text names a kernel package otherwise than by its file."""
    return text in (DIST, STOCK) or suite_kernel(text) is not None


def chosen_kernel(text: str, dist: Path, suite: str, *, also: str = "") -> KernelChoice:
    """The kernel that --kernel names; without a text the one that kernel.build left in `dist`.

    `suite` is what `stock` is of, `also` another word that the task allows. Raises WrongInput with what is allowed.
    """
    allowed = ALLOWED + (f", {also}" if also else "")
    if text == STOCK:
        return SuiteKernel(suite)
    if offered := suite_kernel(text):
        return offered
    if text in ("", DIST):
        path = recorded(dist, Role.IMAGE)
        if path is None:
            raise WrongInput(
                f"no kernel was built here: {dist / KERNEL} names no linux-image package",
                hint=f"invoke kernel.build; or name another; {allowed}",
            )
        return FileKernel(read_deb(path))
    if not Path(text).is_file():
        raise WrongInput(f"--kernel {text}: no such file", hint=allowed)
    deb = read_deb(Path(text).absolute())
    if deb.package.role is not Role.IMAGE:
        raise WrongInput(f"--kernel {text}: that is the package {deb.package.package}", hint=allowed)
    return FileKernel(deb)


def packages_of(kernel: KernelChoice, cache: Path) -> tuple[Deb, ...]:
    """The package files of a kernel, fetched if need be.

    Raises WrongInput when it is not offered, or no kernel; OutsideFailed when the mirror fails.
    """
    if isinstance(kernel, FileKernel):
        return (kernel.deb,)
    return fetched(suite_root(cache, kernel.suite), kernel, cache)


def check_offered(kernel: SuiteKernel, cache: Path) -> None:
    """Raise WrongInput unless a suite offers a kernel, OutsideFailed when the mirror fails."""
    offers_of(suite_root(cache, kernel.suite), kernel)
