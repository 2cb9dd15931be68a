"""What OpenVPN has logged at an end of a tunnel."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from mplskit.lab.evidence import Check
from mplskit.lab.probes.probe import Look, OnInterface, Probe, Titled
from mplskit.node.grammar.part import Part


class Logged(OnInterface):
    """Words that OpenVPN must have logged on a node, at the end `dev` of a tunnel."""

    kinds: ClassVar = ("tap", "tun")
    why: ClassVar = "OpenVPN logs at the ends of tunnels"

    text: Annotated[str, Field(min_length=1)]


class Expected(Part):
    """What must be there."""

    logged: tuple[Logged, ...] = ()


def judge_log(wanted: Logged, text: str) -> Check:
    """Whether OpenVPN has logged that."""
    found = [line for line in text.splitlines() if wanted.text in line]
    last = text.splitlines()[-1] if text.strip() else "nothing"
    about = f"log of OpenVPN on {wanted.on} {wanted.dev}"
    return Check(about, f"a line with {wanted.text!r}", f"{len(found)} × {found[-1]}" if found else last, bool(found))


def checks(look: Look, step: Titled, expect: Expected) -> Iterator[Check]:
    """It is read afterwards."""
    for item in expect.logged:
        yield judge_log(item, look.nodes.log(item.on, item.dev))


PROBE = Probe(Titled, Expected, checks)
