"""From a source and a request to Debian packages in `dist/`, built once for the same inputs."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mplskit import files
from mplskit.config import named_files, needed_tools
from mplskit.config.config_request import Request
from mplskit.config.configure import Configured, compiler, configure, demand, read_back, verdict_rows
from mplskit.config.releases import release_of
from mplskit.debian.package_file import Package, Role, packaged_config, read_package
from mplskit.debian.package_records import KERNEL, deliver, packages_of, write_record
from mplskit.errors import BuildFailed
from mplskit.kernel.build_request import Packaging, named_suffix
from mplskit.kernel.builders import OBJECTS, build_packages, command, epoch
from mplskit.kernel.release import kernel_release
from mplskit.paths import Workspace
from mplskit.process import quote
from mplskit.progress import note, step
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import Spec
from mplskit.sources.source_tree import SourceTree
from mplskit.wording import duration

WANTED = (Role.IMAGE, Role.HEADERS)
# Objects and packages of the guest base take 0.9 GiB, the private copy that make-kpkg works in 1.6 GiB.
SPACE = 3 << 30
# And for each module, an estimate: Debian configures some 4,000 of them.
SPACE_FOR_MODULE = 2 << 20
# With debug information, an estimate as well: 20 GiB for Debian's.
SPACE_WITH_DEBUG, SPACE_FOR_MODULE_WITH_DEBUG = 4 << 30, 4 << 20


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
    configured = configure(source, request, workspace)
    demand(configured)
    return build_configured(workspace, source, configured, packaging)


def build_configured(workspace: Workspace, source: SourceTree, configured: Configured, packaging: Packaging) -> Built:
    """Build the packages of a configured source, put them into `dist/` and describe them in `metadata.json`."""
    config_sha256 = files.digest_file(configured.path)
    # What it names by path is a part of it, too.
    inside = named_files.contents(configured.values(), source)
    inputs = files.digest_of([config_sha256, inside]) if inside else config_sha256
    suffix = named_suffix(packaging, source, inputs, compiler())
    # Paths, dates and the number of jobs say nothing of what comes out: they stay out of the identity.
    recipe = asdict(command(Path("/source"), Path("/build"), replace(packaging, jobs=1), suffix, 0))
    key = files.digest_of([source.digest, inputs, compiler(), recipe])[:16]
    target = workspace.build / "kernel" / key
    log = workspace.build / "logs" / f"kernel-{key}.log"

    def build(folder: Path) -> None:
        needed_tools.demand(configured.values(), source.path)
        files.need_space(folder, *space(configured.values(), source.version))
        log.unlink(missing_ok=True)
        begin = time.monotonic()
        release = kernel_release(source, configured, folder / OBJECTS, packaging, suffix, log)
        with step(f"building Linux {release} with {packaging.builder}", log):
            made = build_packages(source, configured.path, folder, packaging, suffix, log)
        packages = _wanted(made, packaging, log)
        release, text = packaged_config(folder / packages[Role.IMAGE].file)
        read_back(configured, text, packages[Role.IMAGE].file)
        line = command(source.path, target, packaging, suffix, epoch(source))
        record = {
            "release": release,
            "packages": [asdict(package) for package in packages.values()],
            "source": source.as_json(),
            "builder": packaging.builder,
            "compiler": compiler(),
            "command": quote(line.argv),
            "environment": dict(line.env),
            "revision": packaging.revision,
            "seconds": round(time.monotonic() - begin, 1),
        }
        for left in folder.iterdir():
            if left not in made:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        write_record(folder / KERNEL, record)

    made = files.build_once(target, build, lambda folder: packages_of(json.loads((folder / KERNEL).read_text())))
    record = json.loads((target / KERNEL).read_text())
    if not made:
        note(f"✓ Linux {record['release']} is built already ({duration(record['seconds'])} were spared)")
    packages = packages_of(record)
    deliver(target, workspace.dist, packages)
    image = next(package for package in packages if package.role is Role.IMAGE)
    text = packaged_config(workspace.dist / image.file)[1]
    # The same bytes may have come another way, and been verified another way, when they were built.
    record["source"] = source.as_json()
    record["base"] = configured.base_name
    record["config"] = {
        "from": configured.origin,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "verdicts": verdict_rows(read_back(configured, text, image.file)),
        "base_lost": [loss.as_json() for loss in configured.losses],
    }
    write_record(workspace.dist / KERNEL, record)
    return Built(record["release"], packages, record, made)


def space(config: Mapping[str, str], version: str) -> tuple[int, str]:
    """How much room the build of a configuration needs (bytes), and what to call that."""
    modules = list(config.values()).count("m")
    if config.get("DEBUG_INFO") == "y" and config.get("DEBUG_INFO_REDUCED") != "y":
        off = "DEBUG_INFO_NONE=y" if release_of(version) >= (5, 18) else "DEBUG_INFO=n"
        return (
            SPACE_WITH_DEBUG + modules * SPACE_FOR_MODULE_WITH_DEBUG,
            f"building a kernel with debug information (--set {off} leaves that out)",
        )
    return SPACE + modules * SPACE_FOR_MODULE, "building a kernel"


def plan(spec: Spec, request: Request, packaging: Packaging) -> dict[str, object]:
    """What `build_kernel` would do; nothing is fetched and nothing is written."""
    suffix = packaging.suffix or "-mpls-DIGEST"
    return {
        "source": str(spec),
        "base": request.base.name + (f" of {request.base.host}" if request.base.host else ""),
        **({"trimmed to": f"the modules of {request.trim_to}"} if request.trim_to else {}),
        **({"fix": "what else is needed is added, where there is one way only"} if request.fix else {}),
        "settings": [f"{s.line()} ({', '.join([s.asked_by, *s.marks()])})" for s in request.settings],
        "builder": packaging.builder,
        "command": quote(command(Path("SOURCE"), Path("BUILD"), packaging, suffix, 0).argv),
    }


def _wanted(made: list[Path], packaging: Packaging, log: Path) -> dict[Role, Package]:
    """The packages that are kept, by role."""
    packages = {package.role: package for package in map(read_package, made) if package.role in WANTED}
    if Role.IMAGE not in packages:
        raise BuildFailed(f"{packaging.builder} ended well and left no linux-image package", hint=f"see {log}")
    return packages
