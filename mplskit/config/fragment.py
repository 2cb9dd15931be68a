"""The kernel's own format of settings: read a fragment or a `.config`, write settings into one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mplskit.errors import WrongInput

# What the kernel takes for a value: y, m, n, a number, or a string in which \ stands before " and before itself.
VALUE = r"y|m|n|-?[0-9]+|0[xX][0-9a-fA-F]+|\"(?:[^\"\\\n]|\\.)*\""

_ASSIGNED = re.compile(rf"^CONFIG_([A-Za-z0-9_]+)=({VALUE})$", re.MULTILINE)
_ABSENT = re.compile(r"# CONFIG_([A-Za-z0-9_]+) is not set")
_EITHER = re.compile(r"^(?:# )?CONFIG_([A-Za-z0-9_]+)(?:=.*| is not set)(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Setting:
    """One symbol (without `CONFIG_`) and the value asked for it: y, m, n, a number or a quoted string."""

    symbol: str
    value: str
    asked_by: str

    def line(self) -> str:
        """The setting as a line of a `.config`."""
        return f"# CONFIG_{self.symbol} is not set" if self.value == "n" else f"CONFIG_{self.symbol}={self.value}"


def parse_fragment(text: str, name: str) -> list[Setting]:
    """The settings of a fragment in its order. Raises WrongInput with file and line for what the kernel cannot read."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        setting = _parse_line(line.strip(), f"{name}:{number}")
        if setting:
            found.append(setting)
    return found


def read_fragment(path: Path, name: str | None = None) -> list[Setting]:
    """The settings of a fragment file; `name` is what errors and tables call it."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise WrongInput(f"there is no file {path.absolute()}") from None
    except (IsADirectoryError, UnicodeDecodeError):
        raise WrongInput(
            f"{path.absolute()} is no text file", hint="give a file of settings in the kernel's own format"
        ) from None
    return parse_fragment(text, name or str(path))


def parse_config(text: str) -> dict[str, str]:
    """The values of a `.config` the kernel wrote, by symbol; symbols that are not set are not in it."""
    return {match[1]: match[2] for match in _ASSIGNED.finditer(text) if match[2] != "n"}


def apply(text: str, settings: Iterable[Setting]) -> str:
    """A `.config` with the settings at its end, and no other line for their symbols. The last one of each wins.

    At the end, since of the members of a choice the kernel takes the last that is y.
    """
    wanted = {setting.symbol: setting for setting in settings}
    edited = _EITHER.sub(lambda line: "" if line[1] in wanted else line[0], text)
    if edited and not edited.endswith("\n"):
        edited += "\n"
    return edited + "".join(f"{setting.line()}\n" for setting in wanted.values())


def _parse_line(line: str, place: str) -> Setting | None:
    assigned, absent = _ASSIGNED.fullmatch(line), _ABSENT.fullmatch(line)
    if assigned:
        return Setting(assigned[1], assigned[2], place)
    if absent:
        return Setting(absent[1], "n", place)
    if not line or line.startswith("#"):
        return None
    raise WrongInput(
        f"{place}: {line!r} is no kernel setting",
        hint='allowed: CONFIG_X=y|m|n|NUMBER|"text", `# CONFIG_X is not set`, and comments that start with #',
    )
