"""`ci.pipeline`: the main job."""

from typing import Any

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.config.tasks import kernel_workspace
from mplskit.kernel.tasks import FLAGS, asked

SUITE = "the Debian release of the image: bookworm or trixie (left out: this machine's)"


@cli.task(
    flags=FLAGS,
    help={"suite": SUITE, "json": "print one JSON document", "dry-run": "say what would be made, make nothing"},
)
def pipeline(c: Context, suite: str = "", json: bool = False, dry_run: bool = False, **flags: Any) -> None:
    """Source, packages, image, boot, bootstrap, verify, and labels on the wire: the main job."""
    from mplskit import process
    from mplskit.debian.suites import release
    from mplskit.image.image_request import check_suite
    from mplskit.kernel.build import plan
    from mplskit.pipeline.run import Job, run_pipeline
    from mplskit.progress import duration

    # The labs need their devices from the same kernel.
    spec, request, packaging = asked(**{**flags, "options": ["lab", *flags["options"]]})
    job = Job(spec, request, packaging, check_suite(suite or release()))
    if dry_run:
        terminal.show_fields({**plan(spec, request, packaging), "image": f"Debian {job.suite}"}, json)
        return
    workspace = kernel_workspace("ci.pipeline", spec)
    process.require_root("ci.pipeline")
    report = run_pipeline(workspace, job)

    def text() -> None:
        rows = [(row.step, row.made, row.proven, duration(row.seconds)) for row in report.rows]
        terminal.table(("step", "made", "proven", "took"), rows)
        print(f"all of it in {duration(report.seconds)}; what was made is in {workspace.dist}")

    terminal.show(report.as_json(), json, text)
