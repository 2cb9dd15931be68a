"""Makes a configuration whole: the kernel's own tools say what follows from what was chosen."""

import tempfile
from pathlib import Path

from mplskit import files, process
from mplskit.config.architecture import X86_32, architecture_by_tree, architecture_in, here
from mplskit.config.dotconfig import read
from mplskit.config.kbuild import CLEAN
from mplskit.paths import Workspace
from mplskit.progress import note, step
from mplskit.sources.tree import SourceTree


def completed(text: str, source: SourceTree, workspace: Workspace) -> str:
    """What `make olddefconfig` of this source makes of a configuration, for the architecture that it is for.

    No compiler for that architecture is needed: what depends on the compiler is as this machine's has it. Raises
    BuildFailed when the kernel's own tools fail.
    """
    process.require("make", "gcc", "flex", "bison", package="make gcc flex bison")
    named = architecture_in(text) or architecture_by_tree(read(text).values, source.path)
    if not named:
        note(f"! the configuration does not say which architecture it is for: {here()} is taken")
    architecture = "i386" if named == X86_32 else named or here()
    key = files.digest_of([source.digest, text, architecture])[:16]
    target = workspace.build / "completed" / key

    def make(folder: Path) -> None:
        with step(f"asking Linux {source.version} for what follows ({architecture})"):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                config = Path(scratch, ".config")
                config.write_bytes(text.encode(errors="surrogateescape"))
                argv: list[str | Path] = [
                    "make",
                    "-C",
                    source.path,
                    f"O={scratch}",
                    f"ARCH={architecture}",
                    "olddefconfig",
                ]
                process.run(argv, log=workspace.build / "logs" / f"completed-{key}.log", env=CLEAN)
                config.rename(folder / ".config")

    files.build_once(target, make)
    return (target / ".config").read_text(errors="surrogateescape")
