"""The two builders: each turns a source tree and a `.config` into Debian packages in a folder of its own."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mplskit import process
from mplskit.config.kbuild import CLEAN
from mplskit.debian.build_dependencies import unmet_dependencies
from mplskit.errors import BuildFailed
from mplskit.kernel.build_request import Builder, Packaging
from mplskit.sources.source_tree import SourceTree

OBJECTS = "objects"
PRIVATE_COPY = "linux"


@dataclass(frozen=True)
class Command:
    """A builder's command line and what it adds to the environment."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]


def command(source: Path, folder: Path, packaging: Packaging, suffix: str, time: int) -> Command:
    """The command that builds below `folder`; `time` (seconds) is what the kernel will call its own."""
    same = (
        ("KBUILD_BUILD_USER", "mplskit"),
        ("KBUILD_BUILD_HOST", "mplskit"),
        ("KBUILD_BUILD_TIMESTAMP", datetime.fromtimestamp(time, UTC).strftime("%a %b %e %H:%M:%S UTC %Y")),
        ("SOURCE_DATE_EPOCH", str(time)),
    )
    if packaging.builder is Builder.MAKE_KPKG:
        # It refuses -j, and builds nothing that could be called an initrd: --initrd lets the hooks make one at install.
        words = (f"--revision={packaging.revision}", f"--append-to-version={suffix}", "kernel_image")
        level = (("CONCURRENCY_LEVEL", str(packaging.jobs)), ("CONFIG_TARGET", "olddefconfig"))
        return Command(("fakeroot", "make-kpkg", "--initrd", *words), same + level)
    return Command(
        (
            *("make", "-C", str(source), f"O={folder / OBJECTS}", f"-j{packaging.jobs}", "bindeb-pkg"),
            *(f"KDEB_PKGVERSION={packaging.revision}", f"LOCALVERSION={suffix}"),
        ),
        # Kernels from 6.12 on know these profiles: a debug package would be larger than all the others.
        (*same, ("DEB_BUILD_PROFILES", "pkg.linux-upstream.nokerneldbg")),
    )


def epoch(source: SourceTree) -> int:
    """The time that a kernel of this source calls its own (seconds): that of its top-level Makefile."""
    return int((source.path / "Makefile").stat().st_mtime)


def build_packages(
    source: SourceTree, config: Path, folder: Path, packaging: Packaging, suffix: str, log: Path
) -> list[Path]:
    """Build in `folder`; returns the package files. The source tree is never written to. Raises BuildFailed."""
    made = command(source.path, folder, packaging, suffix, epoch(source))
    work = folder / (PRIVATE_COPY if packaging.builder is Builder.MAKE_KPKG else OBJECTS)
    if packaging.builder is Builder.MAKE_KPKG:
        # It deletes ./debian and writes wherever it likes.
        process.run(["cp", "-a", "--reflink=auto", "--", source.path, work], log=log)
        process.run(["chmod", "-R", "u+w", "--", work], log=log)
    else:
        work.mkdir(exist_ok=True)
    shutil.copyfile(config, work / ".config")
    try:
        process.run(made.argv, cwd=work, env={**CLEAN, **dict(made.env)}, log=log)
    except BuildFailed as error:
        raise unmet_dependencies(log.read_text(errors="replace")) or error from None
    packages = sorted(folder.glob("*.deb"))
    if not packages:
        raise BuildFailed(f"{packaging.builder} ended well and left no package", hint=f"the whole output is in {log}")
    return packages
