"""Reads git's tag objects, and judges their signatures by the pinned keys."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mplskit.errors import OutsideFailed
from mplskit.sources.keys import keyring
from mplskit.sources.signature import Signer, verify

_BEGIN = re.compile(rb"^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----\r?$", re.MULTILINE)
_HEAD = re.compile(rb"object ([0-9a-f]{40}|[0-9a-f]{64})\ntype ([a-z]+)\ntag ([^\n]+)\n")


@dataclass(frozen=True)
class Tag:
    """An annotated tag: `payload` is what was signed, `scheme` what kind of signature follows it (empty: none)."""

    name: str
    target: str
    kind: str
    payload: bytes
    scheme: str
    signature: bytes


def parse_tag(raw: bytes, called: str) -> Tag:
    """Read a tag object; its signature is the last there, as git has it. Raises OutsideFailed when it is none."""
    head = _HEAD.match(raw)
    if not head:
        raise OutsideFailed(f"{called} is no tag that git would write")
    begins = list(_BEGIN.finditer(raw))
    end = begins[-1].start() if begins else len(raw)
    scheme = begins[-1][1].decode() if begins else ""
    name = head[3].decode(errors="replace")
    return Tag(name, head[1].decode(), head[2].decode(), raw[:end], scheme, raw[end:])


def signer_of(tag: Tag, kind: str, called: str) -> Signer:
    """Who signed a tag, of the keys that are pinned for `kind`. Raises OutsideFailed for a signature of another sort,
    `signature.Untrusted` for one that does not count."""
    if tag.scheme != "PGP SIGNATURE":
        raise OutsideFailed(
            f"{called} is signed in a way that is not understood here ({tag.scheme.lower()})",
            hint="an OpenPGP signature by a pinned key is. Name the commit instead of the tag, or take it unverified: "
            "--insecure-source",
        )
    with tempfile.TemporaryDirectory() as folder, keyring(kind) as keys:
        payload, signature = Path(folder, "tag"), Path(folder, "tag.asc")
        payload.write_bytes(tag.payload)
        signature.write_bytes(tag.signature)
        return verify(payload, signature, keys, called)
