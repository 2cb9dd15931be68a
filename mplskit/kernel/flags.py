"""The flags by which a task is told how a kernel becomes packages."""

from dataclasses import dataclass

from mplskit.flag_groups import flag


@dataclass(frozen=True)
class PackagingFlags:
    """How a configured tree becomes packages."""

    builder: str = flag("bindeb-pkg, make-kpkg, or auto: make-kpkg where it is installed, else bindeb-pkg", "auto")
    revision: str = flag("the Debian version of the packages", "1.mpls")
    suffix: str = flag("what follows the kernel version; left out: -mpls- and a digest of all inputs")
    jobs: str = flag("how many compilers at a time (left out: one for each CPU)")
