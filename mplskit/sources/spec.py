"""What a user may write after `--source`."""

import re
from dataclasses import dataclass
from pathlib import Path

from mplskit.errors import WrongInput

ALLOWED = "debian, file:PATH, file:PATH#sha256=HEX or tree:PATH"


@dataclass(frozen=True)
class Debian:
    """`debian`: the newest source that this machine's apt offers."""

    def __str__(self) -> str:
        return "debian"


@dataclass(frozen=True)
class Archive:
    """`file:PATH[#sha256=HEX]`: a tar archive, compressed or not."""

    path: Path
    sha256: str | None = None

    def __str__(self) -> str:
        return f"file:{self.path}" + (f"#sha256={self.sha256}" if self.sha256 else "")


@dataclass(frozen=True)
class Tree:
    """`tree:PATH`: an unpacked tree, which is never written to."""

    path: Path

    def __str__(self) -> str:
        return f"tree:{self.path}"


Spec = Debian | Archive | Tree


def parse_spec(text: str) -> Spec:
    """Parse a source spec. Raises WrongInput with what is allowed; looks at no file."""
    scheme, colon, rest = text.partition(":")
    if text == "debian":
        return Debian()
    if scheme == "tree" and rest:
        return Tree(Path(rest))
    if scheme == "file" and rest:
        path, _, fragment = rest.partition("#")
        if path and not fragment:
            return Archive(Path(path))
        found = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", fragment)
        if path and found:
            return Archive(Path(path), found[1].lower())
        raise WrongInput(f"source {text!r}: after # comes sha256= and 64 hexadecimal digits")
    close = f"did you mean file:{text}? " if ".tar" in text and not colon else ""
    raise WrongInput(
        f"source {text!r}: not a source that can be had" + (f" ({scheme}: is not known)" if colon else ""),
        hint=f"{close}allowed: {ALLOWED}",
    )
