"""Judges OpenPGP signatures by pinned keys, through gpgv: what counts are its status lines, never its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.progress import note
from mplskit.sources.keys import ADD, Keyring


class Fault(Enum):
    """Why a signature does not count."""

    BAD = "does not fit its signature: one of the two was changed after it was signed"
    UNKNOWN_KEY = "is signed by a key that is not pinned"
    EXPIRED_KEY = "is signed by a key that has expired"
    REVOKED_KEY = "is signed by a key that was revoked"
    EXPIRED = "has a signature that has expired"
    UNREADABLE = "has a signature that cannot be checked"
    NONE = "comes with no signature that can be read"


class Untrusted(OutsideFailed):
    """A signature that does not count, and why."""

    def __init__(self, message: str, fault: Fault, *, detail: str, hint: str) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.fault = fault


@dataclass(frozen=True)
class Signer:
    """Who made a good signature: the fingerprint of the pinned primary key, and of the key of theirs that made it."""

    fingerprint: str
    owner: str
    subkey: str = ""

    def __str__(self) -> str:
        return f"{self.fingerprint} ({self.owner})"


# By how much they say: a bad signature is told before an unknown key.
_FAULTS = {
    "BADSIG": Fault.BAD,
    "REVKEYSIG": Fault.REVOKED_KEY,
    "EXPKEYSIG": Fault.EXPIRED_KEY,
    "EXPSIG": Fault.EXPIRED,
    "NO_PUBKEY": Fault.UNKNOWN_KEY,
    "ERRSIG": Fault.UNREADABLE,
    "FAILURE": Fault.UNREADABLE,
    "NODATA": Fault.NONE,
    "BADARMOR": Fault.UNREADABLE,
    "UNEXPECTED": Fault.UNREADABLE,
}


def signer_of(status: str, owners: Mapping[str, str]) -> Signer | tuple[Fault, str]:
    """The signer, or the fault and which key (or what) it is about, from gpgv's status lines (GnuPG's doc/DETAILS).

    `owners` are the pinned primary keys. Every signature there has to be good.
    """
    lines = [line.split(" ")[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    said: dict[str, list[str]] = {}
    for words in lines:
        said.setdefault(words[0], words[1:])
    valid = [words for words in lines if words[0] == "VALIDSIG" and len(words) > 10]
    signers = [words[10] for words in valid]
    for name, fault in _FAULTS.items():
        if name in said:
            about = signers[0] if signers else _key_of(said)
            known = [str(Signer(key, owner)) for key, owner in owners.items() if about and key.endswith(about)]
            return fault, known[0] if known else about
    good = sum(words[0] == "GOODSIG" for words in lines)
    if not signers or good != len(signers):
        return Fault.NONE, ""
    stranger = next((signer for signer in signers if signer not in owners), None)
    if stranger:
        return Fault.UNKNOWN_KEY, stranger
    return Signer(signers[0], owners[signers[0]], valid[0][1])


NOT_VERIFIED = "not verified (--insecure-source)"


def tolerate(error: "Untrusted", insecure: bool) -> None:
    """Note a signature by a stranger and go on where the user takes what nobody signed; raise the error otherwise."""
    if not insecure or error.fault is not Fault.UNKNOWN_KEY:
        raise error
    note(f"! {error.message}, and is taken all the same (--insecure-source)")


def verify(data: Path, signature: Path, keys: Keyring, called: str) -> Signer:
    """The signer of a file, whose detached signature is another. Raises OutsideFailed unless a pinned key made it."""
    return _ask([signature, data], keys, called)


def verified_text(signed: Path, keys: Keyring, called: str) -> tuple[str, Signer]:
    """What was signed in a clear-signed file, without anything that stands around it. Raises OutsideFailed."""
    inside = keys.file.with_name("signed")
    inside.unlink(missing_ok=True)
    signer = _ask(["--output", inside, signed], keys, called)
    return inside.read_text(errors="replace"), signer


def _ask(words: list[Path | str], keys: Keyring, called: str) -> Signer:
    process.require("gpgv", package="gpgv")
    home = str(keys.file.parent)
    argv = ["gpgv", "--homedir", home, "--status-fd", "1", "--keyring", keys.file, *words]
    done = process.run(argv, check=False)
    judged = signer_of(done.stdout, keys.owners)
    if isinstance(judged, Signer) and done.returncode == 0:
        return judged
    fault, about = judged if isinstance(judged, tuple) else (Fault.UNREADABLE, "")
    detail = [f"key: {about}"] if about else []
    if fault is Fault.EXPIRED_KEY:
        detail += [f"expired: {when}" for when in _expiry(done.stdout)]
    if fault is Fault.UNREADABLE:
        detail += done.stderr.strip().splitlines()
    raise Untrusted(f"{called} {fault.value}", fault, detail="\n".join(detail), hint=_way_on(fault, keys.folder))


def _way_on(fault: Fault, folder: Path) -> str:
    match fault:
        case Fault.UNKNOWN_KEY:
            return f"a key that you trust is pinned as a file in {folder}. {ADD}"
        case Fault.EXPIRED_KEY:
            return f"its owner may have prolonged it: put the key of today in {folder}. {ADD}"
        case Fault.REVOKED_KEY:
            return f"its owner says that it must not be trusted: take it out of {folder}, and ask for a newer release"
        case _:
            return "nothing of it was used; try another mirror (MPLSKIT_KERNEL_MIRROR), and be suspicious of this one"


def _key_of(said: Mapping[str, list[str]]) -> str:
    """The key that status lines speak of: its fingerprint where they have it, else its id."""
    errsig = said.get("ERRSIG", [])
    if len(errsig) > 6 and errsig[6] != "-":
        return errsig[6]
    for name in ("BADSIG", "REVKEYSIG", "EXPKEYSIG", "EXPSIG", "NO_PUBKEY", "ERRSIG"):
        if said.get(name):
            return said[name][0]
    return ""


def _expiry(status: str) -> list[str]:
    """When keys expired (ISO date, UTC), of lines `KEYEXPIRED SECONDS`."""
    found = []
    for words in (line.split() for line in status.splitlines()):
        if words[1:2] == ["KEYEXPIRED"] and len(words) > 2 and words[2].isdecimal() and len(words[2]) < 12:
            found.append(datetime.fromtimestamp(int(words[2]), UTC).date().isoformat())
    return sorted(set(found))
