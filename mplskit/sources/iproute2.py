"""Brings Debian's source package of iproute2."""

import json
from pathlib import Path

from mplskit import files, process
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import step
from mplskit.sources import apt
from mplskit.sources.tree import SourceTree


def fetch_iproute2(spec: str, cache: Path) -> SourceTree:
    """The newest iproute2 source that the host's Debian archives offer, with Debian's packaging, unpacked once.

    Raises WrongInput for a spec other than `debian`, OutsideFailed when the mirror or its signatures fail.
    """
    if spec != "debian":
        raise WrongInput(f"source {spec!r}: iproute2 cannot be had from there", hint="allowed: debian")
    root = apt.source_root(cache)
    offered = apt.source_files(root, "iproute2")
    description = next((file for file in offered if file.name.endswith(".dsc")), None)
    if description is None:
        raise OutsideFailed("this machine's Debian archives offer no source package iproute2", hint=apt.UPDATE)
    target = cache / "sources" / f"iproute2-{description.sha256[:24]}"

    def build(folder: Path) -> None:
        with step(f"fetching {description.name} and its files"):
            argv = root.argv("--only-source", "--download-only", "source", "iproute2")
            apt.fetch(argv, folder, f"the source package {description.name}")
        for file in offered:
            if files.digest_file(folder / file.name) != file.sha256:
                raise OutsideFailed(f"{file.name} is not the file that apt promised", hint=apt.UPDATE)
        # The signatures that count were apt's: --no-check is about the uploader's, whose key hardly anyone has.
        argv = ["dpkg-source", "--no-check", "--extract", description.name, "tree"]
        process.run(argv, cwd=folder, failure=OutsideFailed)
        version = process.run(["dpkg-parsechangelog", "--show-field", "Version"], cwd=folder / "tree").stdout.strip()
        for file in offered:
            (folder / file.name).unlink()
        (folder / "source.json").write_text(json.dumps({"version": version}))

    files.build_once(target, build)
    version = json.loads((target / "source.json").read_text())["version"]
    origin = f"Debian source package {description.name}, verified by apt"
    return SourceTree("iproute2", version, spec, origin, description.sha256, target / "tree")
