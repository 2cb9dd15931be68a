"""The payload: what a carrier brings to a node, and the script that applies it there."""

import io
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mplskit.debian.package_file import Deb
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.apt import Apt, wanted_packages
from mplskit.node.payload.render import KEEPERS_SCRIPTS, SCRIPTS, frr_daemons, render, services
from mplskit.paths import data

CHUNK = 1 << 20


def stage(folder: Path, spec: NodeSpec | None, packages: Sequence[Deb] = (), apt: Apt | None = None) -> None:
    """Write the payload into `folder`: apply.sh, files/… (the node's paths), packages/…; run as `sh apply.sh MODE`.

    Without a spec it brings packages alone.
    """
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for name, source in contents(spec, packages, apt=apt):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copyfile(source, target)
        else:
            target.write_bytes(source)


def contents(
    spec: NodeSpec | None, packages: Sequence[Deb] = (), sent: Sequence[Deb] | None = None, apt: Apt | None = None
) -> Iterator[tuple[str, bytes | Path]]:
    """The payload's files: name inside it, and its bytes or where they are; apply.sh is the last.

    All `packages` are named in want/packages (NAME<TAB>VERSION<TAB>SHA256<TAB>FILE); only those of `sent` are
    brought, by default all. What apt brings is named in want/apt (NAME or NAME=VERSION), units of systemd in
    want/services (UNIT<TAB>the files that it reads), daemons of FRRouting in want/frr, interfaces that get labelled
    packets without a next hop in want/direct (NAME<TAB>what it is, or - where only the node knows),
    and those that may come later in want/optional.
    """
    files = {**(render(spec) if spec else {}), **(apt.files if apt else {})}
    kept = {name: files.pop(f"{SCRIPTS}/{name}") for name in KEEPERS_SCRIPTS} if spec else {}
    for path, text in files.items():
        yield f"files{path}", text.encode()
    if packages:
        wanted = [(deb.package.package, deb.package.version, deb.package.sha256, deb.path.name) for deb in packages]
        yield "want/packages", "".join("\t".join(row) + "\n" for row in wanted).encode()
    if words := wanted_packages(spec, apt):
        yield "want/apt", "".join(f"{word}\n" for word in words).encode()
    if spec:
        rows = services(spec).items()
        yield "want/services", "".join(f"{unit}\t{' '.join(files)}\n" for unit, files in rows).encode()
        if spec.direct:
            yield "want/direct", "".join(f"{name}\t{kind or '-'}\n" for name, kind in spec.direct.items()).encode()
        if daemons := frr_daemons(spec):
            yield "want/frr", "".join(f"{daemon}\n" for daemon in daemons).encode()
        if names := spec.optional:
            yield "want/optional", "".join(f"{name}\n" for name in names).encode()
    for deb in packages if sent is None else sent:
        yield f"packages/{deb.path.name}", deb.path
    scripts = sorted((data("bootstrap") / "payload").glob("*.sh"))
    for script in sorted(scripts, key=lambda path: path.name == "apply.sh"):
        # One that is brought twice comes twice in a row: what compresses the payload finds it there.
        if script.name in kept:
            yield f"files{SCRIPTS}/{script.name}", kept[script.name].encode()
        yield script.name, script


def archive(
    spec: NodeSpec | None, packages: Sequence[Deb] = (), sent: Sequence[Deb] | None = None, apt: Apt | None = None
) -> Iterator[bytes]:
    """The payload as a tar stream, in pieces of at most 1 MiB; packages are read as they go."""
    return tar(contents(spec, packages, sent, apt))


def tar(files: Iterable[tuple[str, bytes | Path]]) -> Iterator[bytes]:
    """These files as a tar stream: name inside it, and its bytes or where they are."""
    for name, source in files:
        yield from entry(name, source)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def entry(name: str, source: bytes | Path) -> Iterator[bytes]:
    """One file as it stands in a tar stream, in pieces of at most 1 MiB; others may come before and after it."""
    header = tarfile.TarInfo(name)
    header.size = source.stat().st_size if isinstance(source, Path) else len(source)
    yield header.tobuf(tarfile.GNU_FORMAT)
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        while chunk := file.read(CHUNK):
            yield chunk
    yield b"\0" * (-header.size % tarfile.BLOCKSIZE)
