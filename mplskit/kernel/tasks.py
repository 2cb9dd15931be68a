"""`kernel.build`: a kernel as Debian packages."""

from typing import TYPE_CHECKING, Any

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.config import tasks as config
from mplskit.number import whole_number

if TYPE_CHECKING:
    from mplskit.config.request import Request
    from mplskit.kernel.request import Packaging
    from mplskit.sources.source_spec import Spec

# What every task takes that builds a kernel.
FLAGS = {
    **config.FLAGS,
    "builder": cli.Flag("bindeb-pkg, make-kpkg, or auto: make-kpkg where it is installed, else bindeb-pkg", "auto"),
    "revision": cli.Flag("the Debian version of the packages", "1.mpls"),
    "suffix": cli.Flag("what follows the kernel version; left out: -mpls- and a digest of all inputs"),
    "jobs": cli.Flag("how many compilers at a time (left out: one for each CPU)"),
}


def asked(*, builder: str, revision: str, suffix: str, jobs: str, **flags: Any) -> "tuple[Spec, Request, Packaging]":
    """What FLAGS ask for, all of it checked before anything is fetched."""
    from mplskit.kernel.request import make_packaging

    count = whole_number(jobs, "--jobs", 1, 1024) if jobs else None
    packaging = make_packaging(builder, revision, suffix, count)
    return *config.asked(**flags), packaging


@cli.task(
    flags=FLAGS,
    help={"json": "print one JSON document", "dry-run": "show the settings and the command, build nothing"},
)
def build(c: Context, json: bool = False, dry_run: bool = False, **flags: Any) -> None:
    """Build a kernel as Debian packages that provably hold the MPLS options."""
    from mplskit.kernel.build import build_kernel, plan

    spec, request, packaging = asked(**flags)
    if dry_run:
        terminal.show_fields(plan(spec, request, packaging), json)
        return
    workspace = config.kernel_workspace("kernel.build", spec)
    built = build_kernel(workspace, spec, request, packaging)
    terminal.show(built.metadata, json, lambda: print("\n".join(str(workspace.dist / p.file) for p in built.packages)))
