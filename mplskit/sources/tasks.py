"""`kernel.fetch`: bring a kernel source into the cache."""

from invoke.context import Context

from mplskit import cli

SOURCE = "where the kernel source comes from: debian, file:PATH[#sha256=HEX] or tree:PATH"


@cli.task(help={"source": SOURCE, "json": "print one JSON document"})
def fetch(c: Context, source: str = "debian", json: bool = False) -> None:
    """Bring a kernel source into the cache, verified and unpacked."""
    from mplskit.paths import Workspace
    from mplskit.sources.kernel import fetch_kernel
    from mplskit.sources.spec import parse_spec

    tree = fetch_kernel(parse_spec(source), Workspace.here().cache)
    cli.show(tree.as_json(), json, lambda: print(f"Linux {tree.version} ({tree.origin})\n{tree.path}"))
