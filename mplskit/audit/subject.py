"""What the user wants judged: a machine, or what he named: files, or a package of an apt suite."""

import mmap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mplskit.audit import ikconfig, package, suite
from mplskit.audit.kernel import Kernel, of_config, of_machine
from mplskit.config.machine import read_machine
from mplskit.errors import WrongInput
from mplskit.remote.host import Host

ALLOWED = (
    "allowed: a kernel configuration, a linux-image package (.deb), a vmlinuz with its configuration inside, "
    f"{suite.FORMS}"
)


def find_kernel(subjects: Sequence[str], host: Host | None, cache: Path) -> Kernel:
    """The kernel that the subjects name; without any, the one that `host` (or this machine) runs.

    Raises WrongInput for what is no kernel; OutsideFailed (host, archive); MachineLacks (a program to unpack with).
    """
    if not subjects:
        return of_machine(read_machine(host), host)
    if host:
        raise WrongInput(f"--host {host}: a host and a --subject cannot both be judged", hint="leave one of them out")
    spec = suite.parse(subjects[0])
    if spec and len(subjects) == 1:
        return suite.of_suite(spec, cache)
    paths = [_file(subject) for subject in subjects]
    begins = [_beginning(path) for path in paths]
    if all(begin == package.MAGIC for begin in begins):
        return package.of_parts(subjects[0], [package.read_part(path) for path in paths])
    if len(subjects) > 1:
        raise WrongInput(f"{', '.join(subjects)}: only packages (.deb) make one kernel together", hint=ALLOWED)
    return _of_file(subjects[0], paths[0])


def _of_file(name: str, path: Path) -> Kernel:
    content = _content(path)
    text = ikconfig.as_text(content) if isinstance(content, bytes) else None
    if text is not None:
        return replace(of_config(name, text), rebuild=("--base", name))
    text = ikconfig.configuration_in(content)
    if text is not None:
        return of_config(name, text, f"inside {name}")
    if ikconfig.is_kernel(content):
        raise WrongInput(
            f"{name}: no configuration is inside this kernel",
            hint="it was built without IKCONFIG=y (with =m it is in the module configs.ko: give that file); or give "
            "the config-RELEASE that lies beside it in /boot",
        )
    raise WrongInput(f"{name}: neither a kernel configuration nor a package nor a kernel", hint=ALLOWED)


def _file(subject: str) -> Path:
    path = Path(subject)
    if path.is_dir():
        raise WrongInput(f"{subject} is a folder", hint=ALLOWED)
    if not path.is_file():
        raise WrongInput(f"{subject}: there is no such file", hint=ALLOWED)
    return path


def _content(path: Path) -> ikconfig.Image:
    """The bytes of a file; those of one that is larger than what comes out of any stream are not read into memory."""
    with path.open("rb") as file:
        if path.stat().st_size > ikconfig.LIMIT:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return file.read()


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(package.MAGIC))
