"""Builds iproute2 as a Debian package, as a version that Debian's next one upgrades."""

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mplskit import files, process
from mplskit.debian.build_dependencies import unmet_dependencies
from mplskit.debian.package_file import Role, read_package
from mplskit.debian.package_records import IPROUTE2, deliver, packages_of, recorded, write_record
from mplskit.errors import BuildFailed, WrongInput
from mplskit.iproute2.packaging import Packaging, packaging_of
from mplskit.iproute2.prove import Probe, prove, require_namespace
from mplskit.paths import Workspace
from mplskit.progress import note, step
from mplskit.sources.iproute2_source import fetch_iproute2
from mplskit.sources.source_spec import Spec
from mplskit.sources.source_tree import SourceTree
from mplskit.wording import duration

# The user's own must not leak into what is said to be the same build (dpkg-buildflags(1), make(1)).
CLEAN: dict[str, str | None] = dict.fromkeys(
    (
        *("CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MFLAGS", "MAKELEVEL"),
        *("DEB_BUILD_PROFILES", "DEB_BUILD_MAINT_OPTIONS", "DEBEMAIL", "DEBFULLNAME"),
    )
)


@dataclass(frozen=True)
class Iproute2:
    """The package in `dist/`, what proved it, and whether it was built now."""

    path: Path
    probes: tuple[Probe, ...]
    metadata: dict[str, Any]
    made: bool


def build_iproute2(workspace: Workspace, spec: Spec, revision: int, jobs: int) -> Iproute2:
    """Build, prove and deliver the package; the same source and revision are built once, and proven every time.

    Raises BuildFailed, MachineLacks (build dependencies), NotSo (its `ip` does not speak MPLS), OutsideFailed.
    """
    require_namespace()
    source = fetch_iproute2(spec, workspace.cache)
    packaging = packaging_of(source, workspace.cache)
    version = packaging.version(source, revision)
    key = files.digest_of([*packaging.inputs(source), version, process.run(["gcc", "--version"]).stdout])[:16]
    target = workspace.build / "iproute2" / key
    log = workspace.build / "logs" / f"iproute2-{key}.log"

    def build(folder: Path) -> None:
        log.unlink(missing_ok=True)
        begin = time.monotonic()
        with step(f"building iproute2 {version}", log):
            path = _build(source, packaging, version, folder, jobs, log)
        record = {
            "packages": [asdict(read_package(path))],
            "source": source.as_json(),
            **({"packaging": packaging.debian.as_json()} if packaging.debian else {}),
            "seconds": round(time.monotonic() - begin, 1),
        }
        write_record(folder / IPROUTE2, record)

    made = files.build_once(target, build, lambda folder: packages_of(json.loads((folder / IPROUTE2).read_text())))
    record = json.loads((target / IPROUTE2).read_text())
    record["source"] = source.as_json()
    if not made:
        note(f"✓ iproute2 {version} is built already ({duration(record['seconds'])} were spared)")
    [package] = packages_of(record)
    probes = prove(target / package.file)
    deliver(target, workspace.dist, [package])
    write_record(workspace.dist / IPROUTE2, record)
    return Iproute2(workspace.dist / package.file, tuple(probes), record, made)


def delivered(workspace: Workspace) -> Path:
    """The package that was built last. Raises WrongInput when there is none, or it is not what was recorded."""
    path = recorded(workspace.dist, Role.IPROUTE2)
    if path is None:
        raise WrongInput(f"{workspace.dist} holds no iproute2 package", hint="invoke iproute2.build")
    return path


def _build(source: SourceTree, packaging: Packaging, version: str, folder: Path, jobs: int, log: Path) -> Path:
    tree = folder / "tree"
    packaging.copy(source, version, tree)
    env = {**CLEAN, "DEB_BUILD_OPTIONS": f"nocheck nodoc noautodbgsym parallel={jobs}"}
    try:
        process.run(["dpkg-buildpackage", "-B", "-uc", "-us"], cwd=tree, env=env, log=log)
    except BuildFailed as error:
        raise unmet_dependencies(log.read_text(errors="replace")) or error from None
    shutil.rmtree(tree)
    found = [path for path in folder.glob("*.deb") if read_package(path).role is Role.IPROUTE2]
    if len(found) != 1:
        raise BuildFailed(
            f"dpkg-buildpackage left {len(found)} iproute2 packages", hint=f"the whole output is in {log}"
        )
    return found[0]
