"""The flags by which a task is told what image is wanted."""

from dataclasses import dataclass

from mplskit.flag_groups import flag


@dataclass(frozen=True)
class ImageFlags:
    """What an image is made of; what is left out is what was built here."""

    suite: str = flag("the Debian release: bookworm or trixie (left out: this machine's)")
    kernel: str = flag(
        "a linux-image package FILE.deb, dist (the one that kernel.build made; so if left out), stock for "
        "the suite's own, debian:SUITE[/PACKAGE] for another of Debian's"
    )
    iproute2: str = flag(
        "an iproute2 package file, or stock (left out: the one that iproute2.build made, if there is one)"
    )
    ssh_key: str = flag("the public key that logs in as root (left out: a key pair is made and put beside the image)")
    name: str = flag("the image's name (left out: mplskit-SUITE, with -stock for a kernel of Debian's)")
    bare: bool = flag("leave the node setup out: for trying node.bootstrap on", False)
