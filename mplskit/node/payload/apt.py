"""An apt repository for nodes: the user's .sources file, checked, and what a node gets of it (sources.list(5))."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mplskit.debian.deb822 import stanza, stanzas
from mplskit.debian.names import PACKAGE, VERSION
from mplskit.errors import WrongInput
from mplskit.node.grammar.spec import NodeSpec

SOURCES_FILE = "/etc/apt/sources.list.d/mplskit.sources"
# In a file of its own: the apt of Debian 11 (2.2) knows no key inside Signed-By, that came with 2.3.10.
KEY_FILE = "/etc/apt/keyrings/mplskit{}.asc"

SCHEMES = ("http", "https", "file")
NEEDED = ("Types", "URIs", "Suites", "Signed-By")
# What switches off that a repository is checked, and how.
UNSAFE = {
    "Trusted": "yes",
    "Allow-Insecure": "yes",
    "Allow-Weak": "yes",
    "Allow-Downgrade-To-Insecure": "yes",
    "Check-Valid-Until": "no",
    "Check-Date": "no",
}
TRUE, FALSE = ("yes", "true", "with", "on", "enable", "1"), ("no", "false", "without", "off", "disable", "0")
BEGIN, END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
SIGNED = "the repository's public key, armored, or the path of a key on the node"
UNSIGNED = f"{SIGNED}: nothing is taken from a repository that is not signed"
FORM = "it needs Types, URIs, Suites, Components and Signed-By; one-line `deb …` entries are not read"
# Debian's package for each optional section of a node.
SECTIONS = {"openvpn": "openvpn", "ldp": "frr"}


@dataclass(frozen=True)
class Apt:
    """`files`: path on the node -> text; `packages`: NAME or NAME=VERSION, as apt-get install takes them."""

    files: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()


def apt_of(sources: Path | None, packages: Sequence[str]) -> Apt | None:
    """What `--apt SOURCES --package NAME[=VERSION] …` says; None when neither is given.

    Raises WrongInput when one is given without the other, and where the file or a name is not in order.
    """
    if sources is None and not packages:
        return None
    if sources is None:
        raise WrongInput("--package without --apt: from which repository?", hint="--apt FILE.sources names it")
    if not packages:
        raise WrongInput(
            f"--apt {sources} without --package: what shall be installed from there?",
            hint="--package NAME or NAME=VERSION, as often as wanted",
        )
    for word in packages:
        if not re.fullmatch(f"{PACKAGE}(={VERSION})?", word):
            raise WrongInput(f"--package {word}: not NAME or NAME=VERSION of a Debian package")
    names = [word.partition("=")[0] for word in packages]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongInput(f"--package {twice}: given twice")
    return Apt(_files(sources), tuple(packages))


def wanted_packages(spec: NodeSpec | None, apt: Apt | None) -> tuple[str, ...]:
    """What apt-get shall install on a node, as NAME or NAME=VERSION: what its sections need, then what was asked for.

    A package of a section that was asked for by its version is named once, with that.
    """
    asked = apt.packages if apt else ()
    names = {word.partition("=")[0] for word in asked}
    needed = (package for section, package in SECTIONS.items() if spec is not None and getattr(spec, section))
    return (*(package for package in needed if package not in names), *asked)


def _files(path: Path) -> dict[str, str]:
    """The files of a node for a .sources file: the list, and each key that was embedded."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise WrongInput(f"--apt {path}: cannot be read: {reason}") from None
    found = stanzas(text)
    if not found:
        raise WrongInput(
            f"--apt {path}: no stanza of a deb822 .sources file",
            hint=FORM,
        )
    files: dict[str, str] = {}
    entries = []
    for number, raw in enumerate(found, 1):
        where = f"--apt {path}: stanza {number}"
        fields = _checked(where, raw)
        key = _key(where, fields["Signed-By"])
        if key is not None:
            place = next((name for name, text in files.items() if text == key), None)
            place = place or KEY_FILE.format(f"-{len(files) + 1}" if files else "")
            files[place] = key
            fields["Signed-By"] = place
        entries.append(stanza(fields))
    files[SOURCES_FILE] = "# Made by mplskit (node.bootstrap --apt): changes are overwritten.\n" + "\n".join(entries)
    return files


def _checked(where: str, raw: Mapping[str, str]) -> dict[str, str]:
    """The fields of a stanza under their own names. Raises WrongInput."""
    known = {name.lower(): name for name in (*NEEDED, *UNSAFE, "Components", "Enabled")}
    fields = {known.get(name.strip().lower(), name): value for name, value in raw.items()}
    for name in NEEDED:
        if not fields.get(name):
            raise WrongInput(f"{where}: {name} is missing", hint=UNSIGNED if name == "Signed-By" else FORM)
    for name, value in UNSAFE.items():
        if fields.get(name, "").lower() in (TRUE if value == "yes" else FALSE):
            raise WrongInput(
                f"{where}: {name}: {fields[name]} switches a check of the repository off", hint="take it out"
            )
    if fields.get("Enabled", "yes").lower() in FALSE:
        raise WrongInput(f"{where}: Enabled: {fields['Enabled']}: apt would not look there")
    if fields["Types"].split() != ["deb"]:
        raise WrongInput(f"{where}: Types: {_shown(fields['Types'])}: only deb is allowed")
    for uri in fields["URIs"].split():
        _check_uri(where, uri)
    flat = [suite.endswith("/") for suite in fields["Suites"].split()]
    if any(flat) and fields.get("Components"):
        raise WrongInput(f"{where}: Components with a suite that ends in /: such a suite has none")
    if not all(flat) and not fields.get("Components"):
        raise WrongInput(f"{where}: Components is missing", hint="only a suite that ends in / has none")
    return fields


def _check_uri(where: str, uri: str) -> None:
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise WrongInput(f"{where}: URIs: {uri}: not a URI") from None
    if parts.scheme not in SCHEMES or not (parts.netloc or parts.scheme == "file"):
        raise WrongInput(f"{where}: URIs: {uri}: allowed are {', '.join(f'{name}://…' for name in SCHEMES)}")
    if "@" in parts.netloc:
        raise WrongInput(
            f"{where}: URIs: {parts.hostname}: a user or password in the URI, which everybody on the node could read",
            hint="put it into /etc/apt/auth.conf.d on the node (apt_auth.conf(5))",
        )


def _key(where: str, value: str) -> str | None:
    """The armored key in a Signed-By, or None when it names files of the node. Raises WrongInput."""
    lines = ["" if line == "." else line for line in value.strip().splitlines()]
    if "PRIVATE KEY" in value:
        raise WrongInput(f"{where}: Signed-By: a private key", hint="embed the public one: gpg --armor --export")
    if lines[0] == BEGIN:
        if lines[-1] != END:
            raise WrongInput(f"{where}: Signed-By: the key does not end in {END}")
        return "\n".join(lines) + "\n"
    if not all(re.fullmatch(r"/[\w./+-]+", word, re.ASCII) for word in re.split(r"[\s,]+", value)):
        raise WrongInput(f"{where}: Signed-By: {_shown(value)}: allowed is {SIGNED}")
    return None


def _shown(value: str) -> str:
    """The first line of a value."""
    return value.strip().splitlines()[0][:80]
