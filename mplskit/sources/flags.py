"""The flags by which a task is told where a source comes from."""

from dataclasses import dataclass

from mplskit.flag_groups import flag


@dataclass(frozen=True)
class SourceFlags:
    """Where a source comes from."""

    source: str = flag(
        "where the source comes from: debian, debian:SUITE[/VERSION], kernel.org:VERSION, git+URL@REF, "
        "file:PATH[#sha256=HEX] or tree:PATH",
        "debian",
    )
    insecure_source: bool = flag("take a source that nobody has signed", False)
