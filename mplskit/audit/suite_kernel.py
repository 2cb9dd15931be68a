"""Kernels that apt offers, by the name of a package: what it depends on is followed to where kernel and modules are."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mplskit import files, progress
from mplskit.audit.judged_kernel import Kernel
from mplskit.audit.packaged_kernel import PART, Part, clauses, no_debug, of_parts, part_of, read_part
from mplskit.debian.apt_root import Offer, Root
from mplskit.debian.suite_roots import suite_root
from mplskit.errors import WrongInput

FORMS = "debian:SUITE/PACKAGE (debian:trixie/linux-image-amd64), apt:PACKAGE for what this machine's apt offers"
_SPEC = re.compile(r"(?:debian:(?P<suite>[a-z][a-z0-9-]*)/|apt:)(?P<package>[a-z0-9][a-z0-9.+~-]+)")
# What belongs to a kernel. linux-binary holds the image alone, which tells nothing that the others do not.
_FOLLOWED = re.compile(r"linux-(image|modules|base)-.+(?<!-dbg)")


@dataclass(frozen=True)
class SuitePackage:
    """A package of a Debian suite, or (suite None) of what this machine's apt offers."""

    suite: str | None
    package: str

    def __str__(self) -> str:
        return f"debian:{self.suite}/{self.package}" if self.suite else f"apt:{self.package}"


def parse(text: str) -> SuitePackage | None:
    """Read `debian:SUITE/PACKAGE` or `apt:PACKAGE`; None for what has neither form."""
    found = _SPEC.fullmatch(text)
    return SuitePackage(found["suite"], found["package"]) if found else None


def of_suite(spec: SuitePackage, cache: Path) -> Kernel:
    """The kernel that installing the package brings.

    Raises WrongInput when it is not offered or brings no kernel; OutsideFailed when the mirror fails.
    """
    return of_root(suite_root(cache, spec.suite), spec, cache)


def of_root(root: Root, spec: SuitePackage, cache: Path) -> Kernel:
    """The same from this apt root."""
    no_debug(str(spec), spec.package)
    found = {fields["Package"]: fields for fields in with_dependencies(root, spec.package)}
    releases = {part[2] for name in found if (part := PART.fullmatch(name))}
    beside = [f"linux-modules-extra-{release}" for release in sorted(releases)]
    apart = [_part(root, fields, cache) for name in beside if name not in found and (fields := _offered(root, name))]
    kernel = of_parts(str(spec), [_part(root, fields, cache) for fields in found.values()], apart)
    return replace(kernel, rebuild=("--source", f"debian:{spec.suite}", "--base", "debian") if spec.suite else ())


def with_dependencies(root: Root, package: str) -> Iterator[dict[str, str]]:
    """The fields of the package and of those of its kernel that it depends on; a package that is only a name for others
    (linux-image-amd64) is left out."""
    seen, wanted = {package}, [root.show(package)]
    while wanted:
        fields = wanted.pop(0)
        followed = [
            [name for name in clause if _FOLLOWED.fullmatch(name)] for clause in clauses(fields.get("Depends", ""))
        ]
        if PART.fullmatch(fields["Package"]) or not any(followed):
            yield fields
        for names in followed:
            offered = (_offered(root, name) for name in names if not seen & set(names))
            first = next((found for found in offered if found), None)
            if first:
                seen.add(first["Package"])
                wanted.append(first)


def _offered(root: Root, package: str) -> dict[str, str] | None:
    try:
        return root.show(package)
    except WrongInput:
        return None


def _part(root: Root, fields: Mapping[str, str], cache: Path) -> Part:
    """What is in a package; what was seen is kept under its digest, the package itself is not."""
    if "SHA256" not in fields:
        raise WrongInput(
            f"{fields['Package']} {fields['Version']} is installed here, and {root.name} does not offer it",
            hint="without a --subject kernel.audit looks at the kernel that runs",
        )
    offer = Offer(fields["Package"], fields["Version"], fields["SHA256"])
    target = cache / "audit" / offer.sha256[:24]

    def look(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            with progress.step(f"fetching {offer.package} {offer.version}"):
                file = root.download(offer, Path(scratch))
            (folder / "part.json").write_text(json.dumps(asdict(read_part(file)), default=sorted))

    def kept(folder: Path) -> Part:
        return part_of(json.loads((folder / "part.json").read_text()))

    files.build_once(target, look, kept)
    return kept(target)
