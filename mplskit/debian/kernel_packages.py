"""Kernels that apt offers: what a package depends on is followed to where image, modules and configuration are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, progress
from mplskit.debian.apt_root import Offer, Root
from mplskit.debian.names import PACKAGE, SUITE
from mplskit.debian.package_file import Deb, read_deb
from mplskit.errors import WrongInput

# The name under which each suite has its newest kernel.
NEWEST = "linux-image-amd64"
# linux-image-R, linux-image-unsigned-R, linux-modules-R, linux-modules-extra-R, linux-binary-R, linux-base-R; R begins
# with a version.
PART = re.compile(r"linux-(image|image-unsigned|modules|modules-extra|binary|base)-([0-9][^ ]*)(?<!-dbg)(?<!-dbgsym)")
# What belongs to a kernel.
_FOLLOWED = re.compile(r"linux-(image|modules|base|binary)-.+(?<!-dbg)")
# Debug symbols, under /usr/lib/debug: Debian's, and Ubuntu's.
_DEBUG = re.compile(r"(linux-.+)-dbg(?:sym)?")
_SUITE_KERNEL = re.compile(rf"debian:(?P<suite>{SUITE})(?:/(?P<package>{PACKAGE}))?|apt:(?P<own>{PACKAGE})")


@dataclass(frozen=True)
class SuiteKernel:
    """The kernel that a package of a Debian suite brings, or (suite None) of what this machine's apt offers."""

    suite: str | None
    package: str = NEWEST

    def __str__(self) -> str:
        return f"debian:{self.suite}/{self.package}" if self.suite else f"apt:{self.package}"


def suite_kernel(text: str) -> SuiteKernel | None:
    """Read `debian:SUITE[/PACKAGE]` or `apt:PACKAGE`; None for what has neither form."""
    found = _SUITE_KERNEL.fullmatch(text)
    return SuiteKernel(found["suite"], found["package"] or found["own"] or NEWEST) if found else None


def clauses(field: str) -> list[list[str]]:
    """The package names of a Depends field: a list for each clause, with its alternatives."""
    found = [
        [word.split()[0].partition(":")[0] for word in clause.split("|") if word.strip()] for clause in field.split(",")
    ]
    return [clause for clause in found if clause]


def no_debug(name: str, package: str) -> None:
    """Raise WrongInput for a package with the debug symbols of a kernel; `name` is what the user calls it."""
    found = _DEBUG.fullmatch(package)
    if found:
        raise WrongInput(
            f"{name}: the debug symbols of a kernel are in it, and no kernel", hint=f"give {found[1]} instead"
        )


def with_dependencies(root: Root, package: str) -> Iterator[dict[str, str]]:
    """The fields of the package and of those of its kernel that it depends on; a package that is only a name for others
    (linux-image-amd64) is left out. Raises WrongInput when it is not offered."""
    seen, wanted = {package}, [root.show(package)]
    while wanted:
        fields = wanted.pop(0)
        followed = [
            [name for name in clause if _FOLLOWED.fullmatch(name)] for clause in clauses(fields.get("Depends", ""))
        ]
        if PART.fullmatch(fields["Package"]) or not any(followed):
            yield fields
        for names in followed:
            offered = (offered_fields(root, name) for name in names if not seen & set(names))
            first = next((found for found in offered if found), None)
            if first:
                seen.add(first["Package"])
                wanted.append(first)


def offered_fields(root: Root, package: str) -> dict[str, str] | None:
    """The fields of a package, or None where it is not offered."""
    try:
        return root.show(package)
    except WrongInput:
        return None


def offer_of(root: Root, fields: Mapping[str, str]) -> Offer:
    """The package of these fields, to be fetched. Raises WrongInput when it is installed here and not offered."""
    if "SHA256" not in fields:
        raise WrongInput(
            f"{fields['Package']} {fields['Version']} is installed here, and {root.name} does not offer it",
            hint="without a --subject kernel.audit looks at the kernel that runs",
        )
    return Offer(fields["Package"], fields["Version"], fields["SHA256"])


def offers_of(root: Root, kernel: SuiteKernel) -> list[Offer]:
    """The packages of a kernel. Raises WrongInput when it is not offered, or no kernel."""
    no_debug(str(kernel), kernel.package)
    found = [offer_of(root, fields) for fields in with_dependencies(root, kernel.package)]
    if not any(PART.fullmatch(offer.package) for offer in found):
        raise WrongInput(f"{kernel}: that is no package of a kernel", hint=f"for example: {SuiteKernel(kernel.suite)}")
    return found


def fetched(root: Root, kernel: SuiteKernel, cache: Path) -> tuple[Deb, ...]:
    """The packages of a kernel, each fetched once into the cache.

    Raises WrongInput when it is not offered, or no kernel; OutsideFailed when the mirror fails.
    """
    return tuple(_fetched(root, offer, cache) for offer in offers_of(root, kernel))


def _fetched(root: Root, offer: Offer, cache: Path) -> Deb:
    folder = cache / "kernels" / offer.sha256[:24]
    folder.parent.mkdir(parents=True, exist_ok=True)

    def fetch(partial: Path) -> None:
        with progress.step(f"fetching {offer.package} {offer.version}"):
            root.download(offer, partial)

    files.build_once(folder, fetch)
    return read_deb(next(folder.glob("*.deb")))
