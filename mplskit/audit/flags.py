"""The flags by which an audit is told what makes a configuration whole."""

from dataclasses import dataclass

from mplskit.flag_groups import flag
from mplskit.sources.flags import SourceFlags


@dataclass(frozen=True)
class CompletingSourceFlags(SourceFlags):
    """A source that makes a configuration whole before it is judged; without one it is judged as it is."""

    source: str = flag(
        "a kernel source, as kernel.config takes it, that makes the configuration of --subject whole first"
    )
