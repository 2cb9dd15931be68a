"""The record of an image: written last, so that what it names was there; read back before anything is trusted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mplskit import files
from mplskit.errors import WrongInput


@dataclass(frozen=True)
class Image:
    """An image in `dist/`. `release` is its kernel's, `packages` all that is installed: name to version."""

    name: str
    suite: str
    raw: Path
    qcow2: Path
    kernel: Path
    initrd: Path | None
    key: Path
    release: str
    packages: Mapping[str, str]
    seconds: float

    @property
    def artefacts(self) -> dict[str, Path]:
        """The files that the record vouches for."""
        found = {"raw": self.raw, "qcow2": self.qcow2, "kernel": self.kernel, "initrd": self.initrd}
        return {what: path for what, path in found.items() if path is not None}


def write_record(image: Image, inputs: str, path: Path) -> None:
    """Vouch for an image: `inputs` is the digest of what it was made from. Files are named relative to the record."""
    record = {
        "name": image.name,
        "suite": image.suite,
        "release": image.release,
        "inputs": inputs,
        "seconds": image.seconds,
        "files": {what: _describe(file) for what, file in image.artefacts.items()},
        "key": image.key.name if image.key.parent == path.parent else str(image.key),
        "packages": dict(image.packages),
    }
    files.write_atomically(path, json.dumps(record, indent=2) + "\n")


def load_image(path: Path) -> Image:
    """Read a record. Raises WrongInput when there is none, or it is none, or a file that it names is missing."""
    try:
        image = _image(json.loads(path.read_text()), path.parent)
    except FileNotFoundError:
        raise WrongInput(f"there is no image {path}", hint="invoke image.build") from None
    except (ValueError, KeyError, TypeError):
        raise WrongInput(f"{path} is no record of an image", hint="invoke image.build writes one") from None
    for file in image.artefacts.values():
        if not file.is_file():
            raise WrongInput(f"{path} names {file.name}, which is not there", hint="invoke image.build makes it again")
    return image


def same_image(path: Path, inputs: str, *, key_made: bool) -> Image | None:
    """The recorded image if it was made from the same inputs and its files are as they were; None otherwise.

    The key is one of its files when it was made with the image; the user's own may be elsewhere, on another machine.
    """
    try:
        image, record = load_image(path), json.loads(path.read_text())
    except WrongInput:
        return None
    same = record.get("inputs") == inputs and (image.key.exists() or not key_made)
    return image if same and all(_describe(f) == record["files"][w] for w, f in image.artefacts.items()) else None


def _image(record: dict[str, Any], folder: Path) -> Image:
    named = {what: folder / entry["file"] for what, entry in record["files"].items()}
    return Image(
        name=record["name"],
        suite=record["suite"],
        raw=named["raw"],
        qcow2=named["qcow2"],
        kernel=named["kernel"],
        initrd=named.get("initrd"),
        key=folder / record["key"],
        release=record["release"],
        packages=record["packages"],
        seconds=record["seconds"],
    )


def _describe(path: Path) -> dict[str, object]:
    return {"file": path.name, "size": path.stat().st_size, "sha256": files.digest_file(path)}
