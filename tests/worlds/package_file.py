"""Real Debian packages, as small as they can be."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mplskit import process

NONE: Mapping[str, str | Path] = MappingProxyType({})


def make_deb(
    folder: Path,
    name: str,
    files: Mapping[str, str | Path] = NONE,
    depends: str = "",
    *,
    version: str = "1",
    file: str = "",
) -> Path:
    """A package with these files: path below / -> content, or a file of which it is a copy with its mode.

    It is NAME_VERSION_all.deb in the folder, or `file`.
    """
    target = folder / (file or f"{name}_{version}_all.deb")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
            + (f"Depends: {depends}\n" if depends else "")
            + "Description: an example\n"
        )
        for path, content in {"DEBIAN/control": control, **files}.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                (tree / path).write_text(content)
            else:
                shutil.copy(content, tree / path)
        process.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, target])
    return target


def example_deb(folder: Path, *, content: str, depends: str = "", name: str = "mplskit-example") -> Path:
    """A package that installs one file below /var/lib."""
    return make_deb(folder, name, {f"var/lib/{name}/content": content}, depends, version="1~2+mpls1")
