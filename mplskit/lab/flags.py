"""The flags by which a task is told where labs are played."""

from dataclasses import dataclass

from mplskit.flag_groups import flag


@dataclass(frozen=True)
class PlaceFlags:
    """Where labs are played: at most one of these."""

    kernel: str = flag(
        "play it with this kernel: a linux-image package FILE.deb, dist (the one that kernel.build made; so if left "
        "out), stock or debian:SUITE[/PACKAGE] for Debian's own, or here for this machine"
    )
    image: str = flag("boot this image instead: a name in dist/, or a record FILE.json")
    host: str = flag(
        "play it on this machine instead (root, MPLS modules loaded): user@host:port or a name from ssh_config"
    )
