"""`kernel.fetch`: bring a kernel source into the cache."""

from invoke.context import Context

from mplskit import cli

# Where a source comes from, for every task that needs one.
SOURCE = {
    "source": cli.Flag(
        "where the source comes from: debian, debian:SUITE[/VERSION], kernel.org:VERSION, git+URL@REF, "
        "file:PATH[#sha256=HEX] or tree:PATH",
        "debian",
    ),
    "insecure_source": cli.Flag("take a source that nobody has signed", False),
}


@cli.task(flags=SOURCE, help={"json": "print one JSON document"})
def fetch(c: Context, json: bool = False, *, source: str, insecure_source: bool) -> None:
    """Bring a kernel source into the cache, verified and unpacked."""
    from mplskit.paths import Workspace
    from mplskit.sources.kernel import fetch_kernel
    from mplskit.sources.spec import parse_spec

    tree = fetch_kernel(parse_spec(source, insecure_source), Workspace.here().cache)
    cli.show(tree.as_json(), json, lambda: print(f"Linux {tree.version} ({tree.origin})\n{tree.path}"))
