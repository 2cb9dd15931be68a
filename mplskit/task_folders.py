"""Which folders each task works in, and what the tools below ask of them: looked at before anything is fetched.

make, and what it starts, cannot stand a blank in a path; what is built has to run where it was built; a tree that is
to be a machine's root needs its device nodes.
"""

import os
import tempfile
from collections.abc import Mapping
from enum import Flag, auto
from pathlib import Path
from types import MappingProxyType

from mplskit.errors import MachineLacks, WrongInput
from mplskit.paths import PLAIN, Workspace, plain
from mplskit.progress import note

VARIABLES = {"build": "MPLSKIT_BUILD", "dist": "MPLSKIT_DIST", "cache": "MPLSKIT_CACHE", "tmp": "TMPDIR"}
NAMES = {" ": "a blank", "\t": "a tab", ":": "a colon", ",": "a comma", "'": "an apostrophe", '"': "a quotation mark"}


class Needs(Flag):
    """What a folder has to be."""

    NOTHING = 0
    WRITTEN = auto()
    PLAIN = auto()
    RUN = auto()
    DEVICES = auto()


W, MADE = Needs.WRITTEN, Needs.WRITTEN | Needs.PLAIN | Needs.RUN
ROOTED = MADE | Needs.DEVICES
TMP = {"tmp": Needs.WRITTEN}
KERNEL = {"build": MADE, "cache": MADE, **TMP}
# With an inventory, or pyinfra as the engine.
NODE = {"build": W, **TMP}
LAB = {"build": Needs.WRITTEN | Needs.PLAIN, "dist": W, "cache": W, **TMP}

# The folders of each task; a folder that is not named is not used, or only read.
TASKS: Mapping[str, Mapping[str, Needs]] = MappingProxyType(
    {
        "doctor": {},
        "kernel.list": {"cache": W, **TMP},
        "kernel.fetch": {"cache": W, **TMP},
        "kernel.options": {},
        "kernel.config": KERNEL,
        "kernel.build": {**KERNEL, "dist": W},
        "kernel.audit": {"cache": W, **TMP},
        "iproute2.list": {"cache": W, **TMP},
        "iproute2.build": {"build": MADE, "cache": W, "dist": W, **TMP},
        "iproute2.verify": {},
        "image.build": {"build": ROOTED, "cache": W, "dist": W, **TMP},
        "image.boot": {"build": W, "cache": W, **TMP},
        "node.plan": NODE,
        "node.bootstrap": NODE,
        "node.verify": NODE,
        "node.remove": NODE,
        "node.render": {},
        "lab.list": {},
        "lab.run": LAB,
        "lab.matrix": LAB,
        "lab.up": LAB,
        "lab.shell": {},
        "lab.down": {},
        "ci.pipeline": {"build": ROOTED, "cache": MADE, "dist": W, **TMP},
    }
)


def workspace_for(task: str, **other: Needs) -> Workspace:
    """The folders of the current directory, such as a task can work in them; `other` needs than the usual, by folder.

    Raises WrongInput for a path that the tools cannot stand, MachineLacks for a file system that does not do; each
    names the path, what is wrong with it, and the variable that moves it.
    """
    workspace = Workspace.here()
    folders = {"build": workspace.build, "dist": workspace.dist, "cache": workspace.cache, "tmp": temporary()}
    for name, needs in {**TASKS[task], **other}.items():
        demand(folders[name], needs, task, f"{VARIABLES[name]}=FOLDER puts what is made there elsewhere")
    here = Path.cwd()
    if TASKS[task].get("build") and not plain(here) and workspace.build.is_relative_to(workspace.cache):
        note(f"! make cannot stand {_odd(here)} in {here}: what is built lies in {workspace.build}")
    return workspace


def where_programs_run(workspace: Workspace) -> Path:
    """A folder where what is unpacked for a moment can be run: that of temporary files, else `build`, which is made.

    Raises MachineLacks when neither does.
    """
    if not _mounted(temporary(), os.ST_NOEXEC):
        return temporary()
    demand(workspace.build, Needs.WRITTEN | Needs.RUN, "a program", "TMPDIR=FOLDER names another")
    workspace.build.mkdir(parents=True, exist_ok=True)
    return workspace.build


def temporary() -> Path:
    """The folder for temporary files, as what we start sees it too."""
    return Path(os.environ.get("TMPDIR") or tempfile.gettempdir()).absolute()


def demand(path: Path, needs: Needs, task: str, hint: str) -> None:
    """Raise WrongInput or MachineLacks unless a path is what it has to be; `hint` is how another is given."""
    shown = str(path).encode(errors="backslashreplace").decode()
    if not str(path).isprintable() or shown != str(path):
        raise WrongInput(f"{task} cannot work in {shown!r}: the path holds what cannot be printed", hint=hint)
    if Needs.PLAIN in needs and not plain(path):
        leads = f" (which is {path.resolve()})" if PLAIN.fullmatch(str(path)) else ""
        raise WrongInput(
            f"{task} cannot work in {path}{leads}: make cannot stand {_odd(path)} in a path",
            hint=f"{hint}; letters, digits and . _ - + @ ~ are fine",
        )
    there = _there(path)
    if not there.is_dir():
        raise WrongInput(f"{task} cannot work in {path}: {there} is no folder", hint=hint)
    if Needs.WRITTEN in needs and not os.access(there, os.W_OK | os.X_OK):
        raise MachineLacks(f"{task} cannot write in {path}: {_why_not_written(there)}", hint=hint)
    for need, flag, why in (
        (Needs.RUN, os.ST_NOEXEC, "noexec: what is built there could not run"),
        (Needs.DEVICES, os.ST_NODEV, "nodev: a Debian tree there would lack its devices"),
    ):
        if need in needs and _mounted(path, flag):
            raise MachineLacks(f"{task} cannot work in {path}: its file system is mounted {why}", hint=hint)


def _there(path: Path) -> Path:
    """The nearest of a path and those above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _mounted(path: Path, flag: int) -> bool:
    """Whether the file system that a path is on, or will be on, is mounted with a flag of statvfs(3)."""
    return bool(os.statvfs(_there(path)).f_flag & flag)


def _why_not_written(folder: Path) -> str:
    return "its file system is read-only" if _mounted(folder, os.ST_RDONLY) else f"no permission in {folder}"


def _odd(path: Path) -> str:
    """The characters of a path that make cannot stand."""
    odd = dict.fromkeys(c for each in (path, path.resolve()) for c in str(each) if not PLAIN.fullmatch(c))
    return ", ".join(NAMES.get(c, c) for c in odd)
