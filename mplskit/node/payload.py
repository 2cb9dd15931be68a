"""The payload: what a carrier brings to a node, and the script that applies it there."""

import io
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mplskit.node.render import render
from mplskit.node.spec import NodeSpec
from mplskit.paths import data

CHUNK = 1 << 20


def stage(folder: Path, spec: NodeSpec | None, packages: Sequence[Path] = ()) -> None:
    """Write the payload into `folder`: apply.sh, files/… (the node's paths), packages/…; run as `sh apply.sh MODE`.

    Without a spec it brings packages alone.
    """
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for name, source in contents(spec, packages):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copyfile(source, target)
        else:
            target.write_bytes(source)


def contents(spec: NodeSpec | None, packages: Sequence[Path] = ()) -> Iterator[tuple[str, bytes | Path]]:
    """The payload's files: name inside it, and its bytes or where they are."""
    yield "apply.sh", data("bootstrap") / "payload" / "apply.sh"
    for path, text in (render(spec) if spec else {}).items():
        yield f"files{path}", text.encode()
    for package in packages:
        yield f"packages/{package.name}", package


def archive(spec: NodeSpec, packages: Sequence[Path] = ()) -> Iterator[bytes]:
    """The payload as a tar stream, in pieces of at most 1 MiB; packages are read as they go."""
    for name, source in contents(spec, packages):
        entry = tarfile.TarInfo(name)
        entry.size = source.stat().st_size if isinstance(source, Path) else len(source)
        yield entry.tobuf(tarfile.GNU_FORMAT)
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
            while chunk := file.read(CHUNK):
                yield chunk
        yield b"\0" * (-entry.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)
