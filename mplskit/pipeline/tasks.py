"""`ci.pipeline`: the main job."""

from invoke.context import Context

from mplskit import cli
from mplskit.config.tasks import ITERABLE
from mplskit.kernel.tasks import HELP

SUITE = "the Debian release of the image: bookworm or trixie"


@cli.task(help={**HELP, "suite": SUITE, "json": "print one JSON document"}, iterable=ITERABLE)
def pipeline(
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
    suite: str = "bookworm",
    json: bool = False,
) -> None:
    """Source, packages, image, boot, bootstrap, verify, and labels on the wire: the main job."""
    from mplskit import process
    from mplskit.config.request import make_request
    from mplskit.image.request import check_suite
    from mplskit.kernel.request import make_packaging
    from mplskit.paths import Workspace
    from mplskit.pipeline.run import Job, run_pipeline
    from mplskit.progress import duration
    from mplskit.sources.spec import parse_spec

    packaging = make_packaging(builder, revision, suffix, cli.number(jobs, "--jobs", 1, 1024) if jobs else None)
    # The labs need their devices from the same kernel.
    request = make_request(base, ["lab", *options], fragment, set_)
    job = Job(parse_spec(source), request, packaging, check_suite(suite))
    process.require_root("ci.pipeline")
    workspace = Workspace.here()
    report = run_pipeline(workspace, job)

    def text() -> None:
        rows = [(row.step, row.made, row.proven, duration(row.seconds)) for row in report.rows]
        cli.table(("step", "made", "proven", "took"), rows)
        print(f"all of it in {duration(report.seconds)}; what was made is in {workspace.dist}")

    cli.show(report.as_json(), json, text)
