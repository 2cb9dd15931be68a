"""What is in the kernels that apt offers."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from mplskit import files, progress
from mplskit.audit.judged_kernel import Kernel
from mplskit.audit.packaged_kernel import Part, of_parts, part_of, read_part
from mplskit.debian.apt_root import Root
from mplskit.debian.kernel_packages import PART, SuiteKernel, no_debug, offer_of, offered_fields, with_dependencies
from mplskit.debian.suite_roots import suite_root


def of_suite(spec: SuiteKernel, cache: Path) -> Kernel:
    """The kernel that installing the package brings.

    Raises WrongInput when it is not offered or brings no kernel; OutsideFailed when the mirror fails.
    """
    return of_root(suite_root(cache, spec.suite), spec, cache)


def of_root(root: Root, spec: SuiteKernel, cache: Path) -> Kernel:
    """The same from this apt root."""
    no_debug(str(spec), spec.package)
    # linux-binary holds the image alone, which tells nothing that the others do not.
    followed = {fields["Package"]: fields for fields in with_dependencies(root, spec.package)}
    found = {name: fields for name, fields in followed.items() if not name.startswith("linux-binary-")}
    releases = {part[2] for name in found if (part := PART.fullmatch(name))}
    beside = [f"linux-modules-extra-{release}" for release in sorted(releases)]
    apart = [
        _part(root, fields, cache) for name in beside if name not in found and (fields := offered_fields(root, name))
    ]
    kernel = of_parts(str(spec), [_part(root, fields, cache) for fields in found.values()], apart)
    return replace(kernel, rebuild=("--source", f"debian:{spec.suite}", "--base", "debian") if spec.suite else ())


def _part(root: Root, fields: Mapping[str, str], cache: Path) -> Part:
    """What is in a package; what was seen is kept under its digest, the package itself is not."""
    offer = offer_of(root, fields)
    target = cache / "audit" / offer.sha256[:24]

    def look(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            with progress.step(f"fetching {offer.package} {offer.version}"):
                file = root.download(offer, Path(scratch))
            (folder / "part.json").write_text(json.dumps(asdict(read_part(file)), default=sorted))

    def kept(folder: Path) -> Part:
        return part_of(json.loads((folder / "part.json").read_text()))

    files.build_once(target, look, kept)
    return kept(target)
