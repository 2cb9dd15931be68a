"""The page: pure, from a report and its captures to one document that asks nobody for anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from mplskit.errors import Failure
from mplskit.lab.html.decode import Layer, decode
from mplskit.lab.html.drawing import draw
from mplskit.lab.lab_report import LabReport
from mplskit.lab.pcap import read_frames
from mplskit.wording import duration

# Of one capture.
MOST = 20


@dataclass(frozen=True)
class Seen:
    """A packet: seconds since the first of its capture, its bytes on the wire, its layers."""

    at: float
    size: int
    layers: tuple[Layer, ...]

    @property
    def short(self) -> str:
        """The layers that tell the most, in one line."""
        words = [layer.told.partition(",")[0] for layer in self.layers if layer.name == "MPLS"]
        return " · ".join([*words, *([self.layers[-1].name + " " + self.layers[-1].told] if self.layers else [])])


@dataclass(frozen=True)
class Captured:
    """A capture beside the page: its file, how many packets are in it, and the first of them."""

    file: str
    count: int
    packets: tuple[Seen, ...]


def write_page(report: LabReport) -> str:
    """The document. The captures are read from the report's folder; one that cannot be read is shown as empty."""
    captures = {name: _captured(report.folder / name) for step in report.steps for name in step.captures}
    page: str = _template().render(
        report=report, drawing=draw(report.topology), captures=captures, duration=duration, marks=MARKS
    )
    return page


MARKS = {"passed": "✓", "failed": "✗", "stopped": "✗", "skipped": "–", "left out": "–"}


def _captured(path: Path) -> Captured:
    try:
        frames = list(read_frames(path.read_bytes(), path.name))
    except (OSError, Failure):
        return Captured(path.name, 0, ())
    return Captured(path.name, len(frames), tuple(_seen(frames)))


def _seen(frames: list[tuple[int, bytes]]) -> Iterator[Seen]:
    for time, frame in frames[:MOST]:
        yield Seen((time - frames[0][0]) / 1e9, len(frame), decode(frame))


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
