"""Makes and refreshes the lists of private apt roots: each set of lists is whole, verified by apt, never changed."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from mplskit import files, process
from mplskit.debian.apt_root import CONF, UPDATE, Root, apt_said
from mplskit.debian.archives import Archive
from mplskit.debian.suites import SUITES
from mplskit.errors import OutsideFailed
from mplskit.progress import note, step
from mplskit.wording import duration

MAX_AGE = 24 * 3600
# By itself apt exits 0 when a list could not be had; what hosts let run after an update is about the hosts' own lists;
# and pins say what a machine installs, and nothing is installed from here, nor is what the host has installed offered.
CONF_TEXT = """\
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "{folder}/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{folder}/cache";
Dir::Cache::Archives "{folder}/cache/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
"""
# In apt's words (apt-pkg/acquire-item.cc, methods/gpgv.cc).
ABSENT = re.compile(r"(does not have|no longer has) a Release file")
KEYS = (
    "a newer debian-archive-keyring brings newer suites' keys: apt-get install debian-archive-keyring; a mirror that \
signs with keys of its own has them named by Signed-By in this machine's apt sources"
)
UNTRUSTED = (
    (re.compile(r"GPG error|signature|weak security"), KEYS),
    (re.compile(r"Hash Sum mismatch|unexpected size"), "a mirror may be in the middle of an update: try again later"),
    (
        re.compile(r"expired|not valid yet"),
        "look at this machine's clock, and whether its mirror is still kept up to date",
    ),
)
UNSIGNED = re.compile(r"(is not|no longer) signed")
# With it, a list that could not be had is called unsigned, too.
FAILED = "Failed to fetch"


def fresh_root(folder: Path, name: str, archives: Sequence[Archive], not_before: float) -> Root:
    """A private root of these archives in `folder`, its lists younger than a day and than `not_before` (Unix time).

    The first archive has to be there; what a mirror lacks of the others is left out and noted. When the lists cannot be
    refreshed because a mirror does not answer, the ones of last time are used and their age is noted.
    Raises OutsideFailed.
    """
    home = folder / files.digest_of([CONF_TEXT, *(archive.stanza() for archive in archives)])[:12]
    with files.locked(home / ".lock"):
        sets = _sets(home)
        last = sets[-1] if sets else None
        if last and _made(last) > max(time.time() - MAX_AGE, not_before):
            return Root(name, last)
        target = home / str(int(last.name) + 1 if last else 1)
        try:
            _make(name, target, archives, last)
        except BaseException as error:
            shutil.rmtree(target, ignore_errors=True)
            if last is None or not isinstance(error, OutsideFailed):
                raise
            if ABSENT.search(error.detail) or _untrusted(error.detail):
                raise
            age = duration(time.time() - _made(last))
            note(f"! {error.message}: going on with the lists of {age} ago\n  {error.detail.splitlines()[-1]}")
            return Root(name, last)
        # The last set may be in use.
        for old in sets[:-1]:
            shutil.rmtree(old)
    return Root(name, target)


def _sets(home: Path) -> list[Path]:
    """The sets of lists, oldest first; what interrupted runs left is removed."""
    found = sorted((path for path in home.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
    for path in found:
        if not (path / CONF).exists():
            shutil.rmtree(path)
    return [path for path in found if path.exists()]


def _made(folder: Path) -> float:
    """When the lists of a set were asked for (Unix time)."""
    return (folder / CONF).stat().st_mtime


def _make(name: str, folder: Path, archives: Sequence[Archive], last: Path | None) -> None:
    (folder / "sources").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    if last:
        shutil.copytree(last / "lists", folder / "lists", ignore=shutil.ignore_patterns("lock", "partial"))
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    conf = folder / f"{CONF}.new"
    conf.write_text(CONF_TEXT.format(folder=folder))
    with step(f"fetching the lists of {name}"):
        for number, archive in enumerate(archives):
            _update(conf, archive, folder / "sources" / f"{number}.sources", needed=number == 0)
    # A set is one by this name.
    conf.rename(folder / CONF)


def _update(conf: Path, archive: Archive, file: Path, *, needed: bool) -> None:
    # A login may be in its address.
    files.write_atomically(file, archive.stanza(), 0o600)
    only = (f"Dir::Etc::SourceList={file}", "Dir::Etc::SourceParts=/dev/null", "APT::Get::List-Cleanup=0")
    argv = ["apt-get", "-q", "-c", str(conf), *(word for setting in only for word in ("-o", setting)), "update"]
    done = process.run(argv, check=False)
    if done.returncode == 0:
        return
    words = apt_said(done, file.parent)
    if ABSENT.search(words) and not needed:
        note(f"! {archive.uri} has no {archive.suite}: going on without it")
        file.unlink()
        return
    raise _told(archive, words)


def _untrusted(words: str) -> str:
    """What to do where apt's words say that it has lists and does not trust them; else nothing."""
    for pattern, hint in UNTRUSTED:
        if pattern.search(words):
            return hint
    return KEYS if UNSIGNED.search(words) and FAILED not in words else ""


def _told(archive: Archive, words: str) -> OutsideFailed:
    """The error for a user. The command is not told: its files are gone when the user reads it."""
    if ABSENT.search(words):
        return OutsideFailed(
            f"this machine's mirror {archive.uri} has no suite {archive.suite}",
            detail=words,
            hint=f"allowed: {', '.join(SUITES)}; a mirror that has it can be set in this machine's apt sources",
        )
    hint = _untrusted(words)
    if hint:
        return OutsideFailed(
            f"apt does not trust the lists of {archive.suite} from {archive.uri}", detail=words, hint=hint
        )
    return OutsideFailed(
        f"apt could not fetch the lists of {archive.suite} from {archive.uri}",
        detail=words,
        hint=f"{UPDATE} on this machine shows whether its mirror and proxy answer; then try again",
    )
