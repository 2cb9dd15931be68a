"""What a user may write after `--source`."""

import re
from dataclasses import dataclass
from pathlib import Path

from mplskit.debian.names import VERSION
from mplskit.debian.suites import SUITES
from mplskit.errors import WrongInput

ALLOWED = (
    "debian, debian:SUITE, debian:SUITE/VERSION, kernel.org:VERSION, git+https://HOST/PATH@REF, file:PATH, "
    "file:PATH#sha256=HEX or tree:PATH"
)


@dataclass(frozen=True)
class Debian:
    """`debian`: the newest source that this machine's apt offers; `debian:SUITE[/VERSION]`: another suite's.

    `version` is a series (`6.12`) or the whole version of the package (`6.12.48-1`).
    """

    suite: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        suite = f":{self.suite}" if self.suite else ""
        return "debian" + suite + (f"/{self.version}" if self.version else "")


@dataclass(frozen=True)
class KernelOrg:
    """`kernel.org:WANTED`: a series (`6.12`), an exact version (`6.12.48`, `6.13-rc2`), `stable`, `longterm` or
    `mainline`."""

    wanted: str
    insecure: bool = False

    def __str__(self) -> str:
        return f"kernel.org:{self.wanted}"


@dataclass(frozen=True)
class Git:
    """`git+URL@REF`: a branch, a tag, or a commit (40 hexadecimal digits) of a repository."""

    url: str
    ref: str
    insecure: bool = False

    def __str__(self) -> str:
        return f"git+{self.url}@{self.ref}"


@dataclass(frozen=True)
class ArchiveFile:
    """`file:PATH[#sha256=HEX]`: a tar archive, compressed or not."""

    path: Path
    sha256: str | None = None
    insecure: bool = False

    def __str__(self) -> str:
        return f"file:{self.path}" + (f"#sha256={self.sha256}" if self.sha256 else "")


@dataclass(frozen=True)
class Tree:
    """`tree:PATH`: an unpacked tree, which is never written to."""

    path: Path

    def __str__(self) -> str:
        return f"tree:{self.path}"


Spec = Debian | KernelOrg | Git | ArchiveFile | Tree

_DEBIAN = re.compile(rf"([a-z]+)(?:/({VERSION}))?")
_KERNEL_ORG = re.compile(r"[0-9]+(\.[0-9]+)*(-rc[0-9]+)?|[a-z]+")
_GIT = re.compile(r"((?:https?|ssh|git|file)://(?:[^\s@/#]+@)?[^\s@/#]*/[^\s@#]+)@([A-Za-z0-9][A-Za-z0-9._/+-]*)")
# To a server of HTTP a name alone may be the secret.
_PASSWORD = re.compile(r"[a-z]+://[^/@:]*:[^/@]*@|https?://[^/@]*@")


def parse_spec(text: str, insecure: bool = False) -> Spec:
    """Parse a source spec; `insecure` says that the user takes it unverified. Looks at no file and no host.

    Raises WrongInput with what is allowed.
    """
    scheme, colon, rest = text.partition(":")
    if text == "debian":
        return Debian()
    match scheme if rest else "":
        case "debian":
            return _debian(text, rest)
        case "kernel.org":
            return _kernel_org(text, rest, insecure)
        case "tree":
            return Tree(Path(rest))
        case "file":
            return _archive(text, rest, insecure)
        case git if git.startswith("git+"):
            return _git(text, insecure)
    close = f"did you mean file:{text}? " if ".tar" in text and not colon else ""
    raise WrongInput(
        f"source {text!r}: not a source that can be had" + (f" ({scheme}: is not known)" if colon else ""),
        hint=f"{close}allowed: {ALLOWED}",
    )


def _debian(text: str, rest: str) -> Debian:
    found = _DEBIAN.fullmatch(rest)
    if not found:
        raise _wrong(text, "SUITE or SUITE/VERSION", "debian:trixie, debian:trixie/6.12, debian:trixie/6.12.48-1")
    if found[1] not in SUITES:
        raise WrongInput(f"source {text!r}: no suite {found[1]} is known", hint=f"allowed: {', '.join(SUITES)}")
    return Debian(found[1], found[2])


def _kernel_org(text: str, rest: str, insecure: bool) -> KernelOrg:
    if not _KERNEL_ORG.fullmatch(rest):
        raise _wrong(text, "a version", "kernel.org:6.12, kernel.org:6.12.48, kernel.org:longterm")
    return KernelOrg(rest, insecure)


def _git(text: str, insecure: bool) -> Git:
    found = _GIT.fullmatch(text.removeprefix("git+"))
    if not found:
        raise _wrong(
            text, "//HOST/PATH@REF", "git+https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git@v6.13-rc2"
        )
    if _PASSWORD.match(found[1]):
        raise WrongInput(
            "source git+…: there is a password in the address, and the address goes into logs and metadata",
            hint="take an address that is open to all, or git+ssh:// with a key in the agent",
        )
    return Git(found[1], found[2], insecure)


def _archive(text: str, rest: str, insecure: bool) -> ArchiveFile:
    path, _, fragment = rest.partition("#")
    found = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", fragment)
    if not path or (fragment and not found):
        raise WrongInput(f"source {text!r}: after # comes sha256= and 64 hexadecimal digits")
    return ArchiveFile(Path(path), found[1].lower() if found else None, insecure)


def _wrong(text: str, wanted: str, example: str) -> WrongInput:
    scheme = text.partition(":")[0]
    return WrongInput(f"source {text!r}: after {scheme}: comes {wanted}", hint=f"for example: {example}")
