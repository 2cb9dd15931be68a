"""Real Debian packages, as small as they can be."""

import shutil
from pathlib import Path

from mplskit import process


def make_deb(folder: Path, *, content: str, depends: str = "", name: str = "mplskit-example") -> Path:
    """A real package that installs one file below /var/lib."""
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1~2+mpls1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
        + (f"Depends: {depends}\n" if depends else "")
        + "Description: an example\n"
    )
    (tree / "var/lib" / name).mkdir(parents=True)
    (tree / "var/lib" / name / "content").write_text(content)
    path = folder / f"{name}_1~2+mpls1_all.deb"
    process.run(["dpkg-deb", "--root-owner-group", "--build", tree, path])
    return path
