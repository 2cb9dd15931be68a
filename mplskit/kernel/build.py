"""From a source and a request to Debian packages in `dist/`, built once for the same inputs."""

import hashlib
import json
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mplskit import files
from mplskit.config.configure import Configured, compiler, configure, demand, read_back, verdict_rows
from mplskit.config.request import Request
from mplskit.errors import BuildFailed
from mplskit.kernel.builders import build_packages, command
from mplskit.kernel.package import Package, Role, packaged_config, read_package
from mplskit.kernel.request import Packaging, named_suffix
from mplskit.paths import Workspace
from mplskit.process import quote
from mplskit.progress import duration, note, step
from mplskit.sources.kernel import fetch_kernel
from mplskit.sources.spec import Spec
from mplskit.sources.tree import SourceTree

METADATA = "metadata.json"
WANTED = (Role.IMAGE, Role.HEADERS)
# Objects and packages of the guest base take 0.9 GiB, the private copy that make-kpkg works in 1.6 GiB.
SPACE = 3 << 30


@dataclass(frozen=True)
class Built:
    """The packages of a kernel in `dist/`; `made` is false when an earlier build was taken."""

    release: str
    packages: tuple[Package, ...]
    metadata: dict[str, Any]
    made: bool


def build_kernel(workspace: Workspace, spec: Spec, request: Request, packaging: Packaging) -> Built:
    """Fetch, configure, demand, build, read back. Raises whatever the steps raise; nothing of a failed build stays."""
    source = fetch_kernel(spec, workspace.cache)
    configured = configure(source, request, workspace.build)
    demand(configured)
    return build_configured(workspace, source, configured, packaging)


def build_configured(workspace: Workspace, source: SourceTree, configured: Configured, packaging: Packaging) -> Built:
    """Build the packages of a configured source, put them into `dist/` and describe them in `metadata.json`."""
    config_sha256 = files.digest_file(configured.path)
    suffix = named_suffix(packaging, source, config_sha256, compiler())
    # Paths, dates and the number of jobs say nothing of what comes out: they stay out of the identity.
    recipe = asdict(command(Path("/source"), Path("/build"), replace(packaging, jobs=1), suffix, 0))
    key = files.digest_of([source.digest, config_sha256, compiler(), recipe])[:16]
    target = workspace.build / "kernel" / key
    log = workspace.build / "logs" / f"kernel-{key}.log"

    def build(folder: Path) -> None:
        files.need_space(folder, SPACE, "building a kernel")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        begin = time.monotonic()
        with step(f"building Linux {source.version}{suffix} with {packaging.builder}", log):
            made = build_packages(source, configured.path, folder, packaging, suffix, log)
        record = _describe(source, configured, packaging, suffix, made, log, time.monotonic() - begin)
        for left in folder.iterdir():
            if left not in made:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        (folder / METADATA).write_text(json.dumps(record, indent=2, default=str))

    made = files.build_once(target, build)
    record = json.loads((target / METADATA).read_text())
    if not made:
        note(f"✓ Linux {record['release']} is built already ({duration(record['seconds'])} were spared)")
    packages = tuple(Package(**{**row, "role": Role(row["role"])}) for row in record["packages"])
    for package in packages:
        _deliver(target / package.file, workspace.dist / package.file, package.sha256)
    files.write_atomically(workspace.dist / METADATA, json.dumps(record, indent=2) + "\n")
    return Built(record["release"], packages, record, made)


def plan(spec: Spec, request: Request, packaging: Packaging) -> dict[str, Any]:
    """What `build_kernel` would do; nothing is fetched and nothing is written."""
    suffix = packaging.suffix or "-mpls-DIGEST"
    return {
        "source": str(spec),
        "base": request.base.name,
        "settings": [f"{setting.line()} ({setting.asked_by})" for setting in request.settings],
        "builder": packaging.builder,
        "command": quote(command(Path("SOURCE"), Path("BUILD"), packaging, suffix, 0).argv),
    }


def _describe(
    source: SourceTree,
    configured: Configured,
    packaging: Packaging,
    suffix: str,
    made: list[Path],
    log: Path,
    seconds: float,
) -> dict[str, Any]:
    packages = [read_package(path) for path in made]
    kept = [package for package in packages if package.role in WANTED]
    image = next((package for package in kept if package.role is Role.IMAGE), None)
    if image is None:
        raise BuildFailed(f"{packaging.builder} ended well and left no linux-image package", hint=f"see {log}")
    release, text = packaged_config(next(path for path in made if path.name == image.file))
    verdicts = read_back(configured, text, image.file)
    line = command(source.path, Path(), packaging, suffix, 0)
    return {
        "release": release,
        "packages": [asdict(package) for package in kept],
        "source": source.as_json(),
        "config": {"sha256": hashlib.sha256(text.encode()).hexdigest(), "verdicts": verdict_rows(verdicts)},
        "builder": packaging.builder,
        "compiler": compiler(),
        "command": quote(line.argv),
        "revision": packaging.revision,
        "seconds": round(seconds, 1),
    }


def _deliver(built: Path, target: Path, sha256: str) -> None:
    if not (target.is_file() and files.digest_file(target) == sha256):
        files.copy_atomically(built, target)
        if files.digest_file(target) != sha256:
            target.unlink()
            raise BuildFailed(f"{built} was changed since it was built", hint=f"remove {built.parent} and build again")
