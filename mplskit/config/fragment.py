"""The kernel's own format of settings: read a fragment or a `.config`, write settings into one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mplskit.config.dotconfig import Word, parse_line, read, value_of
from mplskit.config.releases import Release, parse_release, release_of, release_text
from mplskit.errors import WrongInput

# What the kernel takes for a value: y, m, n, a number, or a string in which \ stands before " and before itself.
VALUE = r"y|m|n|-?[0-9]+|0[xX][0-9a-fA-F]+|\"(?:[^\"\\\n]|\\.)*\""

# Marks for the setting below, each on a line of its own: `# since: 5.19`, `# until: 6.8` (that release included).
_MARK = re.compile(r"#\s*(since|until):\s*([0-9]\S*)")
_NEARLY_MARK = re.compile(r"#\s*(since|until)\b[\s:]*[0-9]+\.[0-9]+\s*")
_DISABLED = re.compile(r"#\s*CONFIG_[A-Za-z0-9_]+=")
_EITHER = re.compile(r"^(?:# )?CONFIG_([A-Za-z0-9_]+)(?:=.*| is not set)(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Setting:
    """One symbol (without `CONFIG_`) and the value asked for it: y, m, n, a number or a quoted string.

    It is asked of the releases from `since` to `until`, both included (None: no limit). `reason` is the comment above.
    """

    symbol: str
    value: str
    asked_by: str
    since: Release | None = None
    until: Release | None = None
    reason: str = field(default="", compare=False)

    def line(self) -> str:
        """The setting as a line of a `.config`."""
        return f"# CONFIG_{self.symbol} is not set" if self.value == "n" else f"CONFIG_{self.symbol}={self.value}"

    def marks(self) -> list[str]:
        """`since: 5.19`, `until: 6.8`: the releases that it is for, where that is not all of them."""
        limits = (("since", self.since), ("until", self.until))
        return [f"{name}: {release_text(limit)}" for name, limit in limits if limit is not None]

    def is_for(self, version: str) -> bool:
        """Whether it is asked of this kernel version, such as `6.1.192`."""
        release = release_of(version)
        return (self.since or release) <= release <= (self.until or release)


def parse_fragment(text: str, name: str) -> list[Setting]:
    """The settings of a fragment in its order. Raises WrongInput for a line that the kernel passes over.

    A reason holds up to the next empty line or reason; a mark holds for the next setting only.
    """
    found = []
    reason: list[str] = []
    marks: dict[str, Release] = {}
    fresh = True
    for number, whole in enumerate((line.removesuffix("\r") for line in text.split("\n")), start=1):
        place = f"{name}:{number}"
        setting = _setting(number, whole, place, marks, " ".join(reason))
        line = whole.strip()
        if setting:
            _check_span(setting, place)
            found.append(setting)
            marks, fresh = {}, True
        elif mark := _MARK.fullmatch(line):
            marks[mark[1]] = _release(mark[2], f"{place}: {line!r}")
        elif _NEARLY_MARK.fullmatch(line):
            raise _no_mark(f"{place}: {line!r} is nearly a mark of releases")
        elif not line or line.startswith("##") or _DISABLED.match(line):
            reason, marks, fresh = [], {}, True
        else:
            reason = [*([] if fresh else reason), *([line.lstrip("# ")] if line.strip("# ") else [])]
            fresh = False
    return found


def read_fragment(path: Path, name: str | None = None) -> list[Setting]:
    """The settings of a fragment file; `name` is what errors and tables call it."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise WrongInput(f"there is no file {path.absolute()}") from None
    except (IsADirectoryError, UnicodeDecodeError):
        raise WrongInput(
            f"{path.absolute()} is no text file", hint="give a file of settings in the kernel's own format"
        ) from None
    return parse_fragment(text, name or str(path))


def parse_config(text: str) -> dict[str, str]:
    """The values of a `.config`, by symbol; symbols that are not set are not in it."""
    return read(text).set


def apply(text: str, settings: Iterable[Setting]) -> str:
    """A `.config` with the settings at its end, and no other line for their symbols. The last one of each wins.

    At the end, since of the members of a choice the kernel takes the last that is y.
    """
    wanted: dict[str, Setting] = {}
    for setting in settings:
        wanted.pop(setting.symbol, None)
        wanted[setting.symbol] = setting
    edited = _EITHER.sub(lambda line: "" if line[1] in wanted else line[0], text)
    if edited and not edited.endswith("\n"):
        edited += "\n"
    return edited + "".join(f"{setting.line()}\n" for setting in wanted.values())


def _setting(number: int, line: str, place: str, marks: Mapping[str, Release], reason: str) -> Setting | None:
    found = parse_line(number, line)
    if not found:
        return None
    value = value_of(found.text) if isinstance(found, Word) else None
    if not isinstance(found, Word) or value is None:
        why = "no value that the kernel reads" if isinstance(found, Word) else found.why
        raise WrongInput(
            f"{place}: {line!r} is no kernel setting",
            detail=why,
            hint='allowed: CONFIG_X=y|m|n|NUMBER|"text", `# CONFIG_X is not set`, and comments that start with #',
        )
    return Setting(found.symbol, value, place, marks.get("since"), marks.get("until"), reason)


def _release(text: str, place: str) -> Release:
    release = parse_release(text)
    if release is None:
        raise _no_mark(f"{place} names no release of Linux")
    return release


def _check_span(setting: Setting, place: str) -> None:
    if setting.since and setting.until and setting.since > setting.until:
        raise WrongInput(f"{place}: {setting.symbol} is for no release: {', '.join(setting.marks())}")


def _no_mark(message: str) -> WrongInput:
    return WrongInput(message, hint="write it as `# since: 5.19` or `# until: 6.8`")
