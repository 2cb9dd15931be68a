"""Makes a configuration whole: the kernel's own tools say what follows from what was chosen."""

import tempfile
from pathlib import Path

from mplskit import files, process
from mplskit.config.architecture import architecture_in, architectures_by_tree
from mplskit.config.dotconfig import read
from mplskit.config.kbuild import CLEAN
from mplskit.paths import Workspace
from mplskit.progress import note, step
from mplskit.sources.arch_folders import X86_32, own_arch_folder
from mplskit.sources.source_tree import SourceTree


def completed(text: str, source: SourceTree, workspace: Workspace) -> str:
    """What `make olddefconfig` of this source makes of a configuration, for the architecture that it is for.

    No compiler for that architecture is needed: what depends on the compiler is as this machine's has it. Raises
    BuildFailed when the kernel's own tools fail.
    """
    process.require("make", "gcc", "flex", "bison", package="make gcc flex bison")
    said = architecture_in(text)
    named = [said] if said else architectures_by_tree(read(text).values, source.path)
    name, *others = named or [own_arch_folder()]
    if others or not named:
        likely = " or ".join(named) or "any"
        note(f"! the configuration does not say which architecture it is for ({likely}): {name} is taken")
    architecture = {X86_32: "i386"}.get(name, name)
    key = files.digest_of([source.digest, text, architecture])[:16]
    target = workspace.build / "completed" / key

    def make(folder: Path) -> None:
        with step(f"asking Linux {source.version} for what follows ({architecture})"):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                config = Path(scratch, ".config")
                config.write_bytes(text.encode(errors="surrogateescape"))
                words = [f"O={scratch}", f"ARCH={architecture}", "olddefconfig"]
                log = workspace.build / "logs" / f"completed-{key}.log"
                process.run(["make", "-C", source.path, *words], log=log, env=CLEAN)
                config.rename(folder / ".config")

    files.build_once(target, make)
    return (target / ".config").read_text(errors="surrogateescape")
