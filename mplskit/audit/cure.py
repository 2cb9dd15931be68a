"""What to do about what is not ready: chosen by what was seen, in the words of kconfig/features.yaml."""

from collections.abc import Mapping, Sequence

from mplskit import process
from mplskit.audit.feature_verdicts import Seen, State, Verdict
from mplskit.audit.features import Cure
from mplskit.audit.judged_kernel import Kernel


def cure(kernel: Kernel, verdicts: Sequence[Verdict], cures: Mapping[Cure, str], *, others: bool = False) -> str:
    """One way on for all of these features, which are not ready: what only a build mends makes the rest needless.

    With `others`, a kernel that need not be built is named beside the build.
    """
    bad = list(dict.fromkeys(seen for verdict in verdicts for seen in verdict.bad))
    kind: Cure = "whole" if kernel.partial else _kind(kernel, {seen.state for seen in bad})
    said = cures[kind].format(**_words(kernel, verdicts, bad))
    if others and kind == "build" and kernel.distribution:
        said += "; " + cures["distribution"].format(**_words(kernel, verdicts, bad))
    return said


def way_on(kernel: Kernel, cures: Mapping[Cure, str]) -> str:
    """What to do with a kernel that is ready."""
    return cures["ready"].format(**_words(kernel, (), ()))


def _words(kernel: Kernel, verdicts: Sequence[Verdict], bad: Sequence[Seen]) -> dict[str, str]:
    """What the words in braces stand for."""
    sets = dict.fromkeys(verdict.feature.options for verdict in verdicts)
    options = [word for name in sets if name != "mpls" for word in ("--options", name)]
    packages = [seen.where for seen in bad if seen.state is State.ELSEWHERE] or kernel.absent_packages
    return {
        "release": kernel.release or "this kernel",
        "host": process.quote([kernel.bootstrap]),
        "modules": ", ".join(seen.symbol.module for seen in bad if seen.symbol.module),
        "packages": ", ".join(dict.fromkeys(packages)),
        "kernels": ", ".join(kernel.other_kernels),
        "build": process.quote(["./run", "kernel.build", *kernel.rebuild, *options]),
        "distribution": kernel.distribution,
        "source": process.quote(["./run", "kernel.audit", "--subject", kernel.name, "--source", "debian:SUITE"]),
    }


def _kind(kernel: Kernel, states: set[State]) -> Cure:
    if states & {State.ABSENT, State.TOO_OLD}:
        return "build"
    if State.ELSEWHERE in states:
        return "install"
    if State.MISSING in states:
        return _missing(kernel)
    return "give" if kernel.absent_packages else "unknown"


def _missing(kernel: Kernel) -> Cure:
    """Why a module that was built is not there: the kernel's folder is gone, a package is not installed, or neither."""
    if not kernel.is_machine:
        return "build"
    if not kernel.modules and kernel.other_kernels:
        return "boot"
    return "ubuntu" if kernel.system == "ubuntu" and kernel.modules else "reinstall"
