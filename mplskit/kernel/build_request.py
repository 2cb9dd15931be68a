"""What a kernel build is asked for, checked, and the identity that follows from it."""

import os
from dataclasses import dataclass
from enum import StrEnum

from mplskit import files, process
from mplskit.errors import MachineLacks, WrongInput
from mplskit.kernel.flags import PackagingFlags
from mplskit.kernel.package_naming import check_revision, check_suffix
from mplskit.sources.source_tree import SourceTree
from mplskit.whole_number import whole_number

AUTO = "auto"


class Builder(StrEnum):
    """The tools that make Debian packages of a kernel."""

    BINDEB = "bindeb-pkg"
    MAKE_KPKG = "make-kpkg"


@dataclass(frozen=True)
class Packaging:
    """How a configured tree becomes packages. An empty suffix stands for one that names the build by its digest."""

    builder: Builder
    revision: str
    suffix: str
    jobs: int


def make_packaging(flags: PackagingFlags) -> Packaging:
    """Check all that can be checked before any work. Raises WrongInput, or MachineLacks for an absent builder."""
    jobs = whole_number(flags.jobs, "--jobs", 1, 1024) if flags.jobs else len(os.sched_getaffinity(0))
    suffix = check_suffix(flags.suffix) if flags.suffix else ""
    return Packaging(_builder(flags.builder), check_revision(flags.revision), suffix, jobs)


def named_suffix(packaging: Packaging, source: SourceTree, config_sha256: str, compiler: str) -> str:
    """The suffix that was asked for; else one with a digest of the inputs, so that builds that differ never share a
    kernel release, and so never overwrite each other's modules."""
    if packaging.suffix:
        return packaging.suffix
    inputs = [source.digest, config_sha256, packaging.builder, packaging.revision, compiler]
    return f"-mpls-{files.digest_of(inputs)[:8]}"


def _builder(name: str) -> Builder:
    if name not in (AUTO, *Builder):
        raise WrongInput(f"--builder {name}: no such builder", hint=f"allowed: {', '.join((AUTO, *Builder))}")
    present = process.find("make-kpkg") is not None
    if name == AUTO:
        # Whoever has kernel-package installed chose it: no current Debian release carries it.
        return Builder.MAKE_KPKG if present else Builder.BINDEB
    if name == Builder.MAKE_KPKG and not present:
        raise MachineLacks(
            "--builder make-kpkg: this machine has no make-kpkg",
            hint="it is in the package kernel-package, which no current Debian release carries: build that from its "
            "public source (13.018, by Manoj Srivastava) and install it, or take --builder bindeb-pkg",
        )
    return Builder(name)
