"""The release of a kernel, asked of its own Makefile, and whether packages can be named after it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.config.configure import Configured
from mplskit.config.kbuild import CLEAN
from mplskit.errors import WrongInput
from mplskit.kernel.build_request import Builder, Packaging
from mplskit.sources.source_tree import SourceTree

# UTS_RELEASE (uts_len in the kernel's Makefile), in bytes.
LONGEST = 64
# A package is called linux-image-RELEASE as it stands: scripts/package/mkdebian changes no letter, Debian Policy 5.6.1
# knows neither capitals nor _, and make-kpkg refuses the same.
_TAKEN = re.compile(r"[a-z0-9+.-]+", re.ASCII)
_NUMBERS = re.compile(r"^[0-9]+\.[0-9]+\.[0-9]+")
_OTHERS = re.compile(r"[^a-z0-9+.-]", re.ASCII)


@dataclass(frozen=True)
class Part:
    """A piece of a release, and what it comes from."""

    text: str
    origin: str

    def __str__(self) -> str:
        others = ", ".join(repr(letter) for letter in dict.fromkeys(_OTHERS.findall(self.text)))
        return f"{self.text!r} is {self.origin}" + (f": {others} cannot stand there" if others else "")


def kernel_release(
    source: SourceTree, configured: Configured, objects: Path, packaging: Packaging, suffix: str, log: Path
) -> str:
    """What `make kernelrelease` says, out of tree in `objects`, of the kernel that will be built with this suffix.

    Raises BuildFailed, and WrongInput where no package can be named after it or it is longer than the kernel takes.
    """
    objects.mkdir(exist_ok=True)
    (objects / ".config").write_bytes(configured.path.read_bytes())
    argv: list[str | Path] = ["make", "-s", "-C", source.path, f"O={objects}"]
    process.run([*argv, "syncconfig"], env=CLEAN, log=log)
    version = process.run([*argv, "kernelversion"], env=CLEAN).stdout.strip("\n")
    words = [f"LOCALVERSION={suffix}"]
    if packaging.builder is Builder.MAKE_KPKG:
        # So it passes on what it appends.
        words = [f"EXTRAVERSION={_NUMBERS.sub('', version)}{suffix}"]
    release = process.run([*argv, *words, "kernelrelease"], env=CLEAN).stdout.strip("\n")
    demand(release, list(parts(version, source, configured, suffix)))
    return release


def parts(version: str, source: SourceTree, configured: Configured, suffix: str) -> Iterator[Part]:
    """The pieces that scripts/setlocalversion puts together, in its order, empty ones too; those of git left out."""
    yield Part(version, "the version in the tree's Makefile, EXTRAVERSION with it")
    for file in sorted(source.path.glob("localversion*")):
        if "~" not in str(file) and file.is_file():
            yield Part(file.read_text(errors="replace").rstrip("\n"), f"the file {file.name} of the source tree")
    asked = [verdict.setting.asked_by for verdict in configured.verdicts if verdict.setting.symbol == "LOCALVERSION"]
    by = f"asked by {asked[0]}" if asked else f"from the base {configured.base_name}"
    yield Part(configured.values().get("LOCALVERSION", "").strip('"'), f"LOCALVERSION, {by}")
    yield Part(suffix, "the suffix (--suffix)")


def demand(release: str, pieces: Sequence[Part]) -> None:
    """Raise WrongInput unless a kernel and a Debian package can bear this release; the pieces say where it is from."""
    length = len(release.encode())
    if _TAKEN.fullmatch(release) and length <= LONGEST:
        return
    if not _TAKEN.fullmatch(release):
        message = f"the kernel's release would be {release!r}, and no Debian package can be named after that"
        named = [piece for piece in pieces if _OTHERS.search(piece.text)] or pieces
    else:
        message = f"the kernel's release would be {release!r}: {length} characters, and the kernel takes {LONGEST}"
        named = [piece for piece in (*pieces, _of_git(release, pieces)) if piece.text]
    raise WrongInput(
        message,
        detail="\n".join(map(str, named)),
        hint=f"lower-case letters, digits and + - . are allowed, {LONGEST} characters in all: change what is named "
        "above (--set LOCALVERSION=-mine takes the place of the base's; a tree of your own is yours to edit); "
        "nothing was built",
    )


def _of_git(release: str, pieces: Sequence[Part]) -> Part:
    """What follows the other pieces."""
    others = "".join(piece.text for piece in pieces)
    rest = release.removeprefix(others) if release.startswith(others) else ""
    return Part(rest, "what git says of the tree (--set LOCALVERSION_AUTO=n leaves it out)")
