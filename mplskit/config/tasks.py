"""`kernel.config`: make a configuration that provably holds what was asked."""

from invoke.context import Context

from mplskit import cli
from mplskit.sources.tasks import SOURCE

HELP = {
    "source": SOURCE,
    "base": "where the configuration starts: a name in kconfig/bases, or a .config file",
    "options": "an option set in kconfig/options; may be given more than once (mpls is always in)",
    "set": "SYMBOL=VALUE, such as MPLS_ROUTING=y; may be given more than once",
    "fragment": "a file of settings in the kernel's own format; may be given more than once",
}
ITERABLE = ("options", "set_", "fragment")


@cli.task(help={**HELP, "json": "print one JSON document"}, iterable=ITERABLE)
def config(
    c: Context,
    source: str = "debian",
    base: str = "guest",
    options: list[str] = [],  # noqa: B006 - Invoke fills it
    set_: list[str] = [],  # noqa: B006
    fragment: list[str] = [],  # noqa: B006
    json: bool = False,
) -> None:
    """Configure a kernel and prove that every option asked is granted; exit 1 and the reason where not."""
    from mplskit.config.configure import configure, demand, verdict_rows
    from mplskit.config.request import make_request
    from mplskit.paths import Workspace
    from mplskit.sources.kernel import fetch_kernel
    from mplskit.sources.spec import parse_spec

    spec = parse_spec(source)
    request = make_request(base, options, fragment, set_)
    workspace = Workspace.here()
    configured = configure(fetch_kernel(spec, workspace.cache), request, workspace.build)

    def text() -> None:
        rows = verdict_rows([*configured.verdicts, *configured.base])
        cli.table(
            ("symbol", "asked", "got", "verdict", "asked by"),
            [(r["symbol"], r["asked"], r["got"], r["verdict"], r["asked_by"]) for r in rows],
        )
        print(configured.path)

    cli.show(configured.as_json(), json, text)
    demand(configured)
