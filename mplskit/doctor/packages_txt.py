"""Which Debian packages each task needs: the reader of packages.txt, which `./run` reads too."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Need:
    """One line of packages.txt: tasks (shell patterns, or TASK@RELEASE) and the packages that they need."""

    patterns: tuple[str, ...]
    packages: tuple[str, ...]

    def applies(self, task: str, release: str) -> bool:
        """Whether the line is for `task` on the Debian release of that code name."""
        return any(fnmatchcase(name, p) for p in self.patterns for name in (task, f"{task}@{release}"))


def parse(text: str) -> tuple[Need, ...]:
    """The lines of packages.txt, comments and blank lines left out."""
    lines = (line.strip() for line in text.splitlines())
    rows = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return tuple(Need(tuple(patterns.split("|")), tuple(packages.split())) for patterns, _, packages in rows)
