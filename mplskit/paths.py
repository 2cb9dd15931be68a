"""Where things are: the data folders that users read, and the folders that work leaves behind."""

import os
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data(name: str) -> Path:
    """The data folder or file `name` (`kconfig`, `bootstrap`, …): of the checkout, or of the installed package."""
    beside, carried = _PACKAGE.parent / name, _PACKAGE / "_data" / name
    return carried if carried.exists() else beside


@dataclass(frozen=True)
class Workspace:
    """`build` holds trees and logs, `dist` what was made, `cache` what was downloaded and unpacked."""

    build: Path
    dist: Path
    cache: Path

    @classmethod
    def here(cls) -> "Workspace":
        """The folders of the current directory; each can be moved by an environment variable."""
        user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(
            build=Path(os.environ.get("MPLSKIT_BUILD") or "build").absolute(),
            dist=Path(os.environ.get("MPLSKIT_DIST") or "dist").absolute(),
            cache=Path(os.environ.get("MPLSKIT_CACHE") or Path(user_cache) / "mplskit").absolute(),
        )
