"""Builds an image once for the same inputs: staged in `build/`, brought to `dist/` in whole, vouched for last."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mplskit import files, process
from mplskit.debian.archives import Archive
from mplskit.debian.installed import installed_in
from mplskit.debian.system_tree import RECIPE, make_key, make_tree, require_maker, sources_of
from mplskit.image.disk import make_qcow2, make_raw
from mplskit.image.image_record import Image, same_image, write_record
from mplskit.image.image_request import ImageRequest
from mplskit.image.rootfs import kernel_release, packages, system
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.paths import Workspace
from mplskit.progress import note, step
from mplskit.wording import duration

SPACE = 3 << 30
# What `dist/` gets of an image, after its name.
SUFFIXES = (".json", ".raw", ".qcow2", ".vmlinuz", ".initrd", ".key", ".key.pub")


def build_image(workspace: Workspace, request: ImageRequest) -> tuple[Image, bool]:
    """The image in `dist/`, and whether it was made now.

    Raises MachineLacks (root, tools, space, a mirror), BuildFailed when a step fails: then `dist/` is as it was.
    """
    require_maker("image.build")
    process.require("mke2fs", package="e2fsprogs")
    process.require("qemu-img", package="qemu-utils")
    staging = workspace.build / "image" / request.name
    record = workspace.dist / f"{request.name}.json"
    with files.locked(staging.parent / f".{request.name}.lock"), _fresh(staging) as folder:
        payload = folder / "payload"
        stage(payload, None if request.bare else NodeSpec(), request.debs(workspace.cache))
        sources = sources_of(request.suite)
        inputs = files.digest_of(
            {
                "suite": request.suite,
                "sources": [source.shown() for source in sources],
                "packages": packages(request),
                "payload": files.digest_tree(payload),
                "key": request.public_key.read_text() if request.public_key else "made",
                "recipe": recipe_digest(),
            }
        )
        found = same_image(record, inputs, key_made=request.public_key is None)
        if found is not None:
            if request.public_key and found.key != _private(request.public_key):
                found = replace(found, key=_private(request.public_key))
                write_record(found, inputs, record)
            note(f"✓ image {request.name} is built already ({duration(found.seconds)} were spared)")
            return found, False
        files.need_space(folder, SPACE, "building an image")
        begin = time.monotonic()
        made = _make(request, sources, folder, workspace.build / "logs" / f"image-{request.name}.log")
        made = replace(made, seconds=round(time.monotonic() - begin, 1))
        image = deliver(made, workspace.dist, request.public_key)
        write_record(image, inputs, record)
    return image, True


def plan(request: ImageRequest) -> dict[str, object]:
    """What `build_image` would make, and from what; nothing is fetched and nothing is written."""
    return {
        "image": request.name,
        "suite": request.suite,
        "archives": [source.shown() for source in sources_of(request.suite)],
        "packages": list(packages(request)),
        "package files": request.shown_debs(),
        "key": str(request.public_key) if request.public_key else f"{request.name}.key, made with the image",
    }


def recipe_digest(folder: Path = Path(__file__).parent) -> str:
    """The digest of this part's own files, and of what makes trees: another recipe makes another image."""
    own = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    recipe = [(str(path.relative_to(folder)), files.digest_file(path)) for path in own]
    return files.digest_of([*recipe, *((path.name, files.digest_file(path)) for path in RECIPE)])


def _make(request: ImageRequest, sources: list[Archive], folder: Path, log: Path) -> Image:
    """Make every file of the image in `folder`, under the names that they will have."""
    log.unlink(missing_ok=True)
    name, tree = request.name, folder / "tree"
    key = folder / f"{name}.key"
    public_key = request.public_key or make_key(key, name)
    with step(f"making Debian {request.suite} a node", log):
        make_tree(system(request, sources, folder / "payload", public_key), tree, log)
    release = kernel_release(tree)
    raw, qcow2 = folder / f"{name}.raw", folder / f"{name}.qcow2"
    kernel, initrd = folder / f"{name}.vmlinuz", folder / f"{name}.initrd"
    shutil.copyfile(tree / "boot" / f"vmlinuz-{release}", kernel)
    packed = tree / "boot" / f"initrd.img-{release}"
    if packed.exists():
        shutil.copyfile(packed, initrd)
    with step(f"making {raw.name} and {qcow2.name}"):
        make_raw(tree, raw, log)
        make_qcow2(raw, qcow2, log)
    return Image(
        name=name,
        suite=request.suite,
        raw=raw,
        qcow2=qcow2,
        kernel=kernel,
        initrd=initrd if packed.exists() else None,
        key=_private(request.public_key) if request.public_key else key,
        release=release,
        packages=installed_in(tree),
        seconds=0.0,
    )


def deliver(image: Image, dist: Path, public_key: Path | None) -> Image:
    """Bring the files to `dist/`. The old record goes first: until the new one is there, nothing is vouched for.

    The user's own key, whose public half is `public_key`, stays where it is, be that in `dist/`.
    """
    dist.mkdir(parents=True, exist_ok=True)
    users = [key.resolve() for key in (public_key, _private(public_key))] if public_key else []
    for suffix in SUFFIXES:
        old = dist / f"{image.name}{suffix}"
        if old.resolve() not in users:
            old.unlink(missing_ok=True)
    places = {what: _move(path, dist) for what, path in image.artefacts.items()}
    key = image.key
    if key.parent == image.raw.parent:
        _move(key.with_name(f"{key.name}.pub"), dist)
        key = _move(key, dist)
    return replace(
        image,
        raw=places["raw"],
        qcow2=places["qcow2"],
        kernel=places["kernel"],
        initrd=places.get("initrd"),
        key=key,
    )


def _private(public_key: Path) -> Path:
    """Where the private half of a key is."""
    return public_key.with_suffix("")


def _move(path: Path, folder: Path) -> Path:
    target = folder / path.name
    try:
        path.replace(target)
    except OSError:  # another file system
        files.copy_atomically(path, target)
    return target


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    """A new folder, of a name that no earlier run knows, in `folder`, which is emptied before and gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    fresh = folder / secrets.token_hex(8)
    fresh.mkdir(parents=True)
    try:
        yield fresh
    finally:
        shutil.rmtree(folder, ignore_errors=True)
