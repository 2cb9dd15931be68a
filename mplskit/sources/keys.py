"""The keys that sources are verified with: files named by their fingerprint, and nothing else is believed."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mplskit import paths, process
from mplskit.errors import WrongInput

# What gpg says of the validity of a key that is disabled, expired, invalid or revoked (doc/DETAILS).
NO_LONGER = ("d", "e", "i", "r")
ADD = "keys/README.md says how a key is checked, added and replaced; MPLSKIT_KEYS names another folder of keys"


@dataclass(frozen=True)
class Key:
    """A pinned public key: the fingerprint of its primary key (40 or 64 hexadecimal digits), and whose it is."""

    fingerprint: str
    owner: str
    file: Path


@dataclass(frozen=True)
class Keyring:
    """A file for `gpgv --keyring`, and the owners of its keys by fingerprint; `folder` is where the keys are pinned."""

    file: Path
    owners: Mapping[str, str]
    folder: Path


def folder_of(kind: str) -> Path:
    """Where the keys of a kind (`linux`, `iproute2`, `checksums`) are pinned. Raises WrongInput for a MPLSKIT_KEYS that
    is no folder."""
    own = os.environ.get("MPLSKIT_KEYS")
    if own and not Path(own).is_dir():
        raise WrongInput(f"MPLSKIT_KEYS={own}: there is no such folder", hint=ADD)
    return (Path(own).absolute() if own else paths.data("keys")) / kind


def fingerprints(kind: str) -> frozenset[str]:
    """The fingerprints that are pinned, by the names of their files alone."""
    return frozenset(file.stem.upper() for file in folder_of(kind).glob("*.asc"))


def is_trusted(kind: str, fingerprint: str, subkey: str) -> bool:
    """Whether a key is pinned now, and as it is pinned neither itself revoked or expired nor its `subkey`, which may be
    the key itself: what they vouched for once counts no longer otherwise. Not known which (empty): all of them count.
    """
    files = [file for file in folder_of(kind).glob("*.asc") if file.stem.upper() == fingerprint]
    if not files:
        return False
    process.require("gpg", package="gpg")
    with tempfile.TemporaryDirectory() as home:
        listed = process.run([*_gpg(home), "--show-keys", "--with-colons", files[0]], check=False).stdout
    valid = parse_validity(listed)
    if len(parse_keys(listed)) != 1 or not valid.get(fingerprint):
        return False
    return valid.get(subkey, False) if subkey else all(valid.values())


def pinned(kind: str) -> tuple[Key, ...]:
    """The pinned keys of a kind. Raises WrongInput for a file that holds anything but the one key it is named after."""
    process.require("gpg", package="gpg")
    with tempfile.TemporaryDirectory() as home:
        return tuple(_key(file, home) for file in sorted(folder_of(kind).glob("*.asc")))


@contextmanager
def keyring(kind: str) -> Iterator[Keyring]:
    """The pinned keys of a kind as a keyring, which is gone when the block ends. Raises WrongInput as `pinned` does."""
    keys = pinned(kind)
    if not keys:
        raise WrongInput(f"no key is pinned in {folder_of(kind)}: nothing can be verified", hint=ADD)
    with tempfile.TemporaryDirectory() as home:
        ring = Path(home) / "pinned.gpg"
        with ring.open("wb") as file:
            for key in keys:
                process.run(
                    [*_gpg(home), "--output", "-", "--dearmor", key.file], stdout=file, failure=WrongInput, hint=ADD
                )
                file.seek(0, os.SEEK_END)
        yield Keyring(ring, {key.fingerprint: key.owner for key in keys}, folder_of(kind))


def parse_keys(listing: str) -> list[tuple[str, str]]:
    """Fingerprint and owner of each primary key in what `gpg --show-keys --with-colons` lists."""
    found: list[tuple[str, str]] = []
    awaited = False
    for fields in (line.split(":") for line in listing.splitlines()):
        if fields[0] in ("pub", "sec", "sub", "ssb"):
            awaited = fields[0] == "pub"
        elif fields[0] == "fpr" and awaited and len(fields) > 9:
            found.append((fields[9], ""))
            awaited = False
        elif fields[0] == "uid" and len(fields) > 9 and found and not found[-1][1]:
            found[-1] = (found[-1][0], _name(fields[9]))
    return found


def parse_validity(listing: str) -> dict[str, bool]:
    """Whether each key and subkey (by fingerprint) is valid still, in what `gpg --show-keys --with-colons` lists."""
    found: dict[str, bool] = {}
    valid = None
    for fields in (line.split(":") for line in listing.splitlines()):
        if fields[0] in ("pub", "sub") and len(fields) > 1:
            valid = fields[1] not in NO_LONGER
        elif fields[0] == "fpr" and valid is not None and len(fields) > 9:
            found[fields[9]] = valid
            valid = None
    return found


def _key(file: Path, home: str) -> Key:
    argv = [*_gpg(home), "--show-keys", "--with-colons", file]
    listed = process.run(argv, check=False).stdout
    found = parse_keys(listed)
    if len(found) != 1:
        raise WrongInput(f"{file} holds {len(found)} public keys, and must hold one", hint=ADD)
    fingerprint, owner = found[0]
    if file.stem.upper() != fingerprint:
        raise WrongInput(
            f"{file} does not hold the key that it is named after",
            detail=f"its key: {fingerprint} ({owner})",
            hint=f"the name of the file is what is trusted. {ADD}",
        )
    return Key(fingerprint, owner, file)


def _gpg(home: str) -> list[str | Path]:
    return ["gpg", "--batch", "--no-options", "--no-autostart", "--homedir", home]


def _name(user: str) -> str:
    """`Greg Kroah-Hartman` of `Greg Kroah-Hartman (a comment) <greg@kroah.com>`."""
    plain = re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), user)
    return re.sub(r"\s*(\([^)]*\)|<[^>]*>)", "", plain).strip() or plain
