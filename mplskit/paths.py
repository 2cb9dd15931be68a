"""Where things are: the data folders that users read, and the folders that work leaves behind."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

# make, kbuild and the shell that they start take these as they are, of any script; the rest splits words or means
# something to one of them. A colon or a blank in the path of its tree is refused by the kernel's own Makefile.
PLAIN = re.compile(r"[\w.+@~/-]*")
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
        cache = Path(os.environ.get("MPLSKIT_CACHE") or Path(user_cache) / "mplskit").absolute()
        build = os.environ.get("MPLSKIT_BUILD")
        return cls(
            build=Path(build).absolute() if build else _build_of(Path.cwd(), cache),
            dist=Path(os.environ.get("MPLSKIT_DIST") or "dist").absolute(),
            cache=cache,
        )


def plain(path: Path) -> bool:
    """Whether make can work in a path, as it is written and where its symbolic links lead."""
    return all(PLAIN.fullmatch(str(each)) for each in (path, path.resolve()))


def _build_of(folder: Path, cache: Path) -> Path:
    """Where a folder's trees and logs go: below it, or into the cache where make could not work below it."""
    if plain(folder) or not plain(cache):
        return folder / "build"
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    return cache / "build" / f"{re.sub(r'[^A-Za-z0-9]+', '-', folder.name).strip('-')}-{digest}"
