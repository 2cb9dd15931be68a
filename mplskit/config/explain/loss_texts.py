"""Lost settings in words: a block for each, or for several that are lost for the same cause."""

import shlex
from collections.abc import Sequence

from mplskit.config.explain.compiler_answers import NO_SET
from mplskit.config.verdict import Link, Verdict

NOT_FOUND = "no --set was found that mends it"


def heading(verdict: Verdict) -> str:
    """What was asked, by whom, and what came of it."""
    setting = verdict.setting
    return f"{setting.symbol}: asked {setting.value} ({setting.asked_by}), got {verdict.got}: {verdict.state}"


def paragraphs(lost: Sequence[Verdict]) -> str:
    """The blocks for settings that are not granted."""
    groups: dict[object, list[Verdict]] = {}
    for verdict in lost:
        same = verdict.ways if verdict.chain and verdict.ways else verdict.why or verdict.setting
        groups.setdefault(same, []).append(verdict)
    return "\n".join(_paragraph(group) for group in groups.values())


def cause(links: Sequence[Link]) -> str:
    """The ends of a chain: what it comes down to."""
    ends = [
        link for link, below in zip(links, [*links[1:], None], strict=True) if not below or below.depth <= link.depth
    ]
    return "; ".join(_condition(link) if link.depth else _itself(link) for link in ends)


def _paragraph(group: Sequence[Verdict]) -> str:
    nearest = min(group, key=lambda verdict: len(verdict.chain))
    return "\n".join([*map(heading, group), *(f"  {line}" for line in [*_reason(nearest), *_mends(nearest)])])


def _reason(verdict: Verdict) -> list[str]:
    if not verdict.chain:
        return verdict.why.splitlines()
    first, *others = verdict.chain
    return [
        *([_itself(first)] if first.note or not others else []),
        *(f"{'  ' * (link.depth - 1)}{_condition(link)}" for link in others),
    ]


def _condition(link: Link) -> str:
    """What a link wants and what is there."""
    if "$(" in link.symbol:
        return f"{link.note} ({link.place})"
    if " " not in link.symbol:
        wanted = f"needs {link.symbol}={link.needed}, which is {link.has}"
    elif "=" in link.has:
        wanted = f"needs {link.symbol}, where {link.has}"
    else:
        wanted = f"needs {link.symbol}"
    return f"{wanted} ({link.place})" + (f": {link.note}" if link.note else "")


def _itself(link: Link) -> str:
    """What is to say of the lost symbol."""
    said = link.note or "it could be set"
    return f"{link.symbol}{said[2:]} ({link.place})" if said.startswith("it ") else f"{said} ({link.place})"


def _mends(verdict: Verdict) -> list[str]:
    told = [
        " ".join(f"--set {shlex.quote(setting)}" for setting in way) + (f" (against {', '.join(who)})" if who else "")
        for way, who in zip(verdict.ways, verdict.against, strict=True)
    ]
    if not told and verdict.chain and NO_SET not in verdict.why:
        return [NOT_FOUND]
    return [f"{'mend: ' if index == 0 else '  or: '}{way}" for index, way in enumerate(told)]
