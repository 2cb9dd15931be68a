"""What an audit says: a table, the reason and the cure of each feature that is not ready, one JSON document."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from mplskit.audit.cure import cure, way_on
from mplskit.audit.feature_verdicts import WORDS, Verdict, needed
from mplskit.audit.features import Knowledge
from mplskit.audit.judged_kernel import Kernel
from mplskit.config.dotconfig import odd_lines
from mplskit.errors import NotSo, WrongInput
from mplskit.wording import no_such


def known_needs(names: Sequence[str], knowledge: Knowledge) -> None:
    """Raise WrongInput for a demanded feature that there is not."""
    known = [feature.name for feature in knowledge.features]
    for name in names:
        if name not in known:
            raise WrongInput(f"--need {name}: {no_such('feature', name, known)}")


def header(kernel: Kernel) -> str:
    """Which kernel it is, where its configuration was read, and what is wrong with that."""
    configuration = f"configuration: {kernel.config_from}" if kernel.config is not None else "no configuration to read"
    packages = f"; packages: {', '.join(kernel.packages)}" if kernel.packages else ""
    said = f"{kernel.name}: kernel {kernel.release or 'of unknown release'}; {configuration}{packages}"
    partial = [f"it is no whole configuration: {kernel.partial}"] if kernel.partial else []
    return "\n".join([said, *partial, *map(str, odd_lines(kernel.odd))])


def rows(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str, str, str]]:
    """The table: a row for each symbol, the feature's name and verdict in its first."""
    found = []
    for verdict in verdicts:
        title = (verdict.feature.name, WORDS[verdict.ready])
        for seen in verdict.seen:
            found.append((*title, seen.symbol.symbol, str(seen.state), seen.where))
            title = ("", "")
    return found


def reasons(kernel: Kernel, verdicts: Sequence[Verdict], knowledge: Knowledge) -> Iterator[str]:
    """For each feature that is not ready: what it is, why, and what to do; and what an old kernel cannot do."""
    last = ""
    for verdict in verdicts:
        name = verdict.feature.name
        if verdict.ready is not True:
            yield f"{name}: {WORDS[verdict.ready]}: {verdict.feature.title}"
            yield from (f"  it builds on {base}" for base in verdict.builds_on)
            yield from (f"  {s.symbol.symbol} {s.state}: {s.symbol.without}" for s in verdict.own if s.good is False)
        if verdict.own:
            way = cure(kernel, [verdict], knowledge.cures)
            yield f"  cure: {'as above' if way == last else way}"
            last = way
        if verdict.lacks:
            yield f"{name}: this kernel is too old for {'; '.join(verdict.lacks)}"
        if verdict.lacks or verdict.ready is not True:
            yield ""


def as_json(
    kernel: Kernel, verdicts: Sequence[Verdict], demanded: Sequence[str], knowledge: Knowledge
) -> dict[str, object]:
    """The whole audit as one JSON value."""
    deciding = needed(verdicts, demanded)
    return {
        "subject": kernel.name,
        "release": kernel.release or None,
        "config_from": kernel.config_from or None,
        "packages": kernel.packages,
        "partial": kernel.partial or None,
        "passed_over": [asdict(odd) for odd in kernel.odd],
        "ready": all(verdict.ready is True for verdict in deciding),
        "needed": [verdict.feature.name for verdict in deciding],
        "features": [
            {**_feature(verdict), "cure": None if verdict.ready else cure(kernel, [verdict], knowledge.cures)}
            for verdict in verdicts
        ],
    }


def demand(kernel: Kernel, verdicts: Sequence[Verdict], demanded: Sequence[str], knowledge: Knowledge) -> str:
    """What to do with a kernel that is ready. Raises NotSo for one that is not, with the cure as its hint."""
    lacking = [verdict for verdict in needed(verdicts, demanded) if verdict.ready is not True]
    if not lacking:
        return way_on(kernel, knowledge.cures)
    sure = [verdict.feature.name for verdict in lacking if verdict.ready is False]
    doubtful = [verdict.feature.name for verdict in lacking if verdict.ready is None]
    told = (
        f"{kernel.name} is not MPLS-ready: {', '.join(sure)}"
        if sure
        else f"whether {kernel.name} is MPLS-ready cannot be told: {', '.join(doubtful)}"
    )
    raise NotSo(told, hint=cure(kernel, lacking, knowledge.cures, others=True))


def _feature(verdict: Verdict) -> dict[str, object]:
    return {
        "feature": verdict.feature.name,
        "title": verdict.feature.title,
        "verdict": WORDS[verdict.ready],
        "builds_on": verdict.feature.builds_on,
        "symbols": [
            {
                "symbol": seen.symbol.symbol,
                "module": seen.symbol.module or None,
                "state": str(seen.state),
                "where": seen.where or None,
                "without": seen.symbol.without,
            }
            for seen in verdict.seen
        ],
        "too_old_for": verdict.lacks,
    }
