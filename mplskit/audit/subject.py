"""What the user wants judged: a machine, or what he named: files, or a package of an apt suite."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mplskit.audit import packaged_kernel
from mplskit.audit.judged_kernel import Kernel, of_config, of_machine
from mplskit.audit.suite_kernel import of_suite
from mplskit.config.complete import completed
from mplskit.config.configfile import config_in
from mplskit.config.dotconfig import read
from mplskit.config.machine_kernel import read_machine
from mplskit.debian.kernel_choice import WORDS, chosen_kernel, is_word
from mplskit.debian.kernel_packages import SuiteKernel
from mplskit.debian.suites import release
from mplskit.errors import WrongInput
from mplskit.paths import Workspace
from mplskit.remote.host import Host
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import Spec

ALLOWED = (
    f"allowed: a kernel configuration, a linux-image package (.deb), a vmlinuz with its configuration inside, {WORDS}"
)


def find_kernel(subjects: Sequence[str], host: Host | None, workspace: Workspace) -> Kernel:
    """The kernel that the subjects name; without any, the one that `host` (or this machine) runs.

    Raises WrongInput for what is no kernel; OutsideFailed (host, archive); MachineLacks (a program to unpack with).
    """
    if not subjects:
        return of_machine(read_machine(host), host)
    if host:
        raise WrongInput(f"--host {host}: a host and a --subject cannot both be judged", hint="leave one of them out")
    if len(subjects) == 1 and is_word(subjects[0]):
        return _of_word(subjects[0], workspace)
    paths = [_file(subject) for subject in subjects]
    begins = [_beginning(path) for path in paths]
    if all(begin == packaged_kernel.MAGIC for begin in begins):
        return packaged_kernel.of_parts(subjects[0], [packaged_kernel.read_part(path) for path in paths])
    if len(subjects) > 1:
        raise WrongInput(f"{', '.join(subjects)}: only packages (.deb) make one kernel together", hint=ALLOWED)
    return _of_file(subjects[0], paths[0])


def completed_kernel(subjects: Sequence[str], spec: Spec, workspace: Workspace) -> Kernel:
    """The kernel that a source becomes with the one configuration that the subjects name.

    Raises as `find_kernel` does, and whatever fetching and configuring the source raises.
    """
    if len(subjects) != 1 or is_word(subjects[0]):
        raise WrongInput("--source: it makes one configuration whole", hint="give that file as --subject")
    name = subjects[0]
    found = config_in(_file(name), name, "allowed with --source: a kernel configuration")
    source = fetch_kernel(spec, workspace.cache)
    text = completed(found.text, source, workspace)
    return replace(
        of_config(name, text, f"{found.where}, made whole by Linux {source.version}"),
        rebuild=("--source", str(spec), "--base", name),
        odd=read(found.text).odd,
    )


def _of_word(word: str, workspace: Workspace) -> Kernel:
    chosen = chosen_kernel(word, workspace.dist, release())
    if isinstance(chosen, SuiteKernel):
        return of_suite(chosen, workspace.cache)
    return packaged_kernel.of_parts(str(chosen.deb.path), [packaged_kernel.read_part(chosen.deb.path)])


def _of_file(name: str, path: Path) -> Kernel:
    found = config_in(path, name, ALLOWED)
    kernel = of_config(name, found.text, found.where)
    return replace(kernel, rebuild=("--base", name)) if found.where == name else kernel


def _file(subject: str) -> Path:
    path = Path(subject)
    if path.is_dir():
        raise WrongInput(f"{subject} is a folder", hint=ALLOWED)
    if not path.is_file():
        raise WrongInput(f"{subject}: there is no such file", hint=ALLOWED)
    return path


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(packaged_kernel.MAGIC))
