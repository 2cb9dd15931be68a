"""`kernel.build`: a kernel as Debian packages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli
from mplskit.config.tasks import HELP as CONFIG_HELP
from mplskit.config.tasks import ITERABLE

if TYPE_CHECKING:
    from mplskit.config.request import Request
    from mplskit.kernel.request import Packaging
    from mplskit.sources.spec import Spec

HELP = {
    **CONFIG_HELP,
    "builder": "bindeb-pkg, make-kpkg, or auto: make-kpkg where it is installed, else bindeb-pkg",
    "revision": "the Debian version of the packages",
    "suffix": "what follows the kernel version; left out: -mpls- and a digest of all inputs",
    "jobs": "how many compilers at a time (left out: one for each CPU)",
}


@cli.task(
    help={**HELP, "json": "print one JSON document", "dry-run": "show the settings and the command, build nothing"},
    iterable=ITERABLE,
)
def build(
    c: Context,
    source: str = "debian",
    base: str = "guest",
    options: list[str] = [],  # noqa: B006 - Invoke fills it
    set_: list[str] = [],  # noqa: B006
    fragment: list[str] = [],  # noqa: B006
    builder: str = "auto",
    revision: str = "1.mpls",
    suffix: str = "",
    jobs: str = "",
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Build a kernel as Debian packages that provably hold the MPLS options."""
    from mplskit.kernel.build import build_kernel, plan
    from mplskit.paths import Workspace

    spec, request, packaging = asked(source, base, options, set_, fragment, builder, revision, suffix, jobs)
    if dry_run:
        cli.show_fields(plan(spec, request, packaging), json)
        return
    workspace = Workspace.here()
    built = build_kernel(workspace, spec, request, packaging)
    cli.show(built.metadata, json, lambda: print("\n".join(str(workspace.dist / p.file) for p in built.packages)))


def asked(
    source: str,
    base: str,
    options: Sequence[str],
    settings: Sequence[str],
    fragments: Sequence[str],
    builder: str,
    revision: str,
    suffix: str,
    jobs: str,
) -> "tuple[Spec, Request, Packaging]":
    """What the flags ask for, all of it checked before anything is fetched."""
    from mplskit.config.request import make_request
    from mplskit.kernel.request import make_packaging
    from mplskit.sources.spec import parse_spec

    count = cli.number(jobs, "--jobs", 1, 1024) if jobs else None
    packaging = make_packaging(builder, revision, suffix, count)
    return parse_spec(source), make_request(base, options, fragments, settings), packaging
