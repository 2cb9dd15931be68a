"""Kernels in Debian packages: one, or the several that Ubuntu and newer Debian split a kernel into."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mplskit import progress
from mplskit.audit.judged_kernel import Kernel
from mplskit.config.fragment import parse_config
from mplskit.config.machine_kernel import is_module, module_name
from mplskit.debian.kernel_packages import PART, clauses, no_debug
from mplskit.debian.package_file import fields, package_members
from mplskit.errors import WrongInput

MAGIC = b"!<arch>\n"
_CONFIG = re.compile(r"boot/config-(?P<boot>[^/]+)|(?:usr/)?lib/modules/(?P<modules>[^/]+)/config")
_IMAGE = re.compile(r"boot/vmlinu[xz]-(?P<boot>[^/]+)|(?:usr/)?lib/modules/(?P<modules>[^/]+)/vmlinu[xz]")
_BUILTIN = re.compile(r"(?:usr/)?lib/modules/[^/]+/modules\.builtin")
_MODULES = re.compile(r"(?:usr/)?lib/modules/([^/]+)/(.+)")


@dataclass(frozen=True)
class Part:
    """A package of a kernel: what it depends on, and the files in it that matter. `release` is empty when none says."""

    package: str
    depends: tuple[str, ...]
    release: str
    config: tuple[str, str] | None
    modules: Mapping[str, str]
    builtin: frozenset[str]


def read_part(path: Path) -> Part:
    """Look into a package file, once from its beginning to its end.

    Raises WrongInput when dpkg cannot read it, or when debug symbols are in it.
    """
    package, depends = fields(path, "Package", "Depends")
    no_debug(str(path), package)
    config, builtin = None, frozenset[str]()
    modules: dict[str, str] = {}
    releases: set[str] = set()
    with progress.step(f"looking into {path.name}"):
        for member in package_members(path, read=_is_read):
            if not member.is_file:
                continue
            name, text = member.name, member.content.decode(errors="replace")
            found = _CONFIG.fullmatch(name) or _IMAGE.fullmatch(name)
            if found:
                releases.add(found["boot"] or found["modules"])
            if _CONFIG.fullmatch(name):
                config = (f"/{name}", text)
            elif _BUILTIN.fullmatch(name):
                builtin = frozenset(map(module_name, text.split()))
            elif is_module(name) and (below := _MODULES.fullmatch(name)):
                releases.add(below[1])
                modules[module_name(name)] = below[2]
    _only_one(str(path), releases)
    needs = tuple(clause[0] for clause in clauses(depends))
    return Part(package, needs, "".join(releases), config, modules, builtin)


def _is_read(name: str) -> bool:
    return bool(_CONFIG.fullmatch(name) or _BUILTIN.fullmatch(name))


def _only_one(name: str, releases: Iterable[str]) -> None:
    """Raise WrongInput for a package that has kernels for several boards, as Raspberry Pi's had."""
    every = sorted(releases)
    if len(every) > 1:
        raise WrongInput(
            f"{name}: there are several kernels in it: {', '.join(every)}",
            detail="modules of one say nothing of another",
            hint="judge the one that runs: --host; or take it apart (dpkg-deb -x) and give what has a configuration "
            f"inside, as lib/modules/{every[0]}/kernel/kernel/configs.ko",
        )


def part_of(fields: Mapping[str, Any]) -> Part:
    """A part whose fields have been JSON."""
    config = fields["config"]
    return Part(
        package=fields["package"],
        depends=tuple(fields["depends"]),
        release=fields["release"],
        config=(config[0], config[1]) if config else None,
        modules=fields["modules"],
        builtin=frozenset(fields["builtin"]),
    )


def of_parts(name: str, parts: Sequence[Part], apart: Sequence[Part] = ()) -> Kernel:
    """The kernel that packages make together; those `apart` can be installed with it, and are not.

    Raises WrongInput when no kernel is in them, or more than one.
    """
    releases = sorted({part.release for part in parts if part.release} | _named_in(parts))
    if not releases:
        wanted = [package for part in parts for package in part.depends if PART.fullmatch(package)]
        raise WrongInput(
            f"{name}: no kernel and no modules are in it",
            hint=f"it only depends on others; give {', '.join(wanted)}" if wanted else "give a linux-image package",
        )
    if len(releases) > 1:
        raise WrongInput(
            f"{name}: packages of several kernels: {', '.join(releases)}", hint="give the packages of one kernel"
        )
    config = next((part.config for part in parts if part.config), None)
    modules = {module: path for part in parts for module, path in part.modules.items()}
    given = tuple(part.package for part in parts)
    text = config[1] if config else ""
    return Kernel(
        name=name,
        release=releases[0],
        config=parse_config(text) if config else None,
        config_from=config[0] if config else "",
        modules=modules,
        modules_from=", ".join(given),
        builtin=frozenset[str]().union(*(part.builtin for part in parts)),
        elsewhere={module: part.package for part in apart for module in part.modules},
        absent_packages=tuple(_absent(parts, releases[0], {*given, *(part.package for part in apart)})),
        packages=given,
    )


def _named_in(parts: Iterable[Part]) -> set[str]:
    """The releases of packages that hold no file which tells one, by their names."""
    found = (PART.fullmatch(part.package) for part in parts if not part.release)
    return {match[2] for match in found if match}


def _absent(parts: Sequence[Part], release: str, known: set[str]) -> list[str]:
    """The packages of this kernel that may hold modules or the configuration, and that nobody gave."""
    named = {name for part in parts for name in part.depends if (found := PART.fullmatch(name)) and found[2] == release}
    kinds = {found[1] for name in named | known if (found := PART.fullmatch(name))}
    if kinds & {"modules", "modules-extra", "base", "binary"}:
        named.add(f"linux-modules-{release}")
        # No other depends on Ubuntu's linux-modules-extra; Debian, which splits off a linux-base, has none.
        named |= set() if kinds & {"base", "binary"} else {f"linux-modules-extra-{release}"}
    return sorted(name for name in named - known if not name.startswith(("linux-image-", "linux-binary-")))
