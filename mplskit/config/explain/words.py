"""Lost settings in words: a block for each, or for several that are lost for the same cause."""

import shlex
from collections.abc import Sequence

from mplskit.config.verdict import Link, Verdict


def sentence(link: Link) -> str:
    """What a condition wants and what is there."""
    if link.needed == "y" and not link.symbol.replace("_", "").isalnum():
        text = f"needs {link.symbol}" + (f", where {link.has}" if "=" in link.has else "")
    else:
        text = f"needs {link.symbol}={link.needed}, which is {link.has}"
    return f"{text} ({link.place})" + (f": {link.note}" if link.note else "")


def cause(links: Sequence[Link]) -> str:
    """The ends of a chain: what it comes down to."""
    ends = [
        link for link, below in zip(links, [*links[1:], None], strict=True) if not below or below.depth <= link.depth
    ]
    if ends and ends[0].depth == 0:
        return f"{ends[0].note or 'can be set'} ({ends[0].place})"
    return "; ".join(sentence(link) for link in ends)


def paragraphs(lost: Sequence[Verdict]) -> str:
    """The blocks for settings that are not granted."""
    groups: dict[object, list[Verdict]] = {}
    for verdict in lost:
        same = verdict.ways if verdict.chain and verdict.ways else verdict.why or verdict.setting
        groups.setdefault(same, []).append(verdict)
    return "\n".join(_paragraph(group) for group in groups.values())


def _paragraph(group: Sequence[Verdict]) -> str:
    nearest = min(group, key=lambda verdict: len(verdict.chain))
    return "\n".join([*map(heading, group), *_body(nearest)])


def heading(verdict: Verdict) -> str:
    """What was asked, by whom, and what came of it."""
    setting = verdict.setting
    return f"{setting.symbol}: asked {setting.value} ({setting.asked_by}), got {verdict.got}: {verdict.state}"


def _body(verdict: Verdict) -> list[str]:
    chain = verdict.chain
    if chain:
        lines = [f"{'  ' * link.depth}{sentence(link)}" for link in chain[1:]]
        if chain[0].note or not lines:
            lines.insert(0, f"  {chain[0].note or 'can be set'} ({chain[0].place})")
    else:
        lines = [f"  {line}" for line in verdict.why.splitlines()]
    return [*lines, *_mends(verdict)]


def _mends(verdict: Verdict) -> list[str]:
    told = [
        " ".join(f"--set {shlex.quote(setting)}" for setting in way) + (f" (against {', '.join(who)})" if who else "")
        for way, who in zip(verdict.ways, verdict.against, strict=True)
    ]
    if not told:
        return []
    return [f"  {'mend: ' if index == 0 else '  or: '}{way}" for index, way in enumerate(told)]
