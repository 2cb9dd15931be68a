"""Brings Debian's own configuration of a kernel: the package linux-config-X.Y that belongs to its source."""

import lzma
import tempfile
from pathlib import Path

from packaging.version import Version

from mplskit import files, process
from mplskit.debian.apt_root import UPDATE, Offer
from mplskit.debian.package_file import extract
from mplskit.debian.suite_roots import suite_root
from mplskit.errors import OutsideFailed
from mplskit.progress import note, step
from mplskit.sources.kernel_org_list import series_of
from mplskit.sources.source_spec import Debian, parse_spec
from mplskit.sources.source_tree import SourceTree

PACKAGE = "linux-config-"


def kernel_config(source: SourceTree, cache: Path) -> tuple[str, str]:
    """Debian's configuration for this machine's architecture, and where it is from; of another source than Debian's,
    the one of the nearest kernel series that this machine's apt offers.

    Raises OutsideFailed when apt offers none, or the mirror fails.
    """
    spec = parse_spec(source.spec)
    suite = spec.suite if isinstance(spec, Debian) else None
    root = suite_root(cache, suite)
    offer = nearest(root.offers(rf"^{PACKAGE}[0-9]+\.[0-9]+$"), source.version)
    target = cache / "configs" / offer.sha256[:24]

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch, step(f"fetching {offer.package} {offer.version}"):
            package = root.download(offer, Path(scratch))
            extract(package, Path(scratch), failure=OutsideFailed)
            (folder / "config").write_bytes(lzma.decompress(_generic(Path(scratch)).read_bytes()))

    files.build_once(target, build)
    if series(offer.package) != series(source.version):
        note(f"! Debian's configuration is that of Linux {series(offer.package)}: none of {source.version} is offered")
    return (target / "config").read_text(), f"Debian package {offer.package} {offer.version}"


def nearest(found: list[Offer], version: str) -> Offer:
    """The offer of the same kernel series, else of the one before it, else of the first after it; its newest version.

    Raises OutsideFailed when there is none.
    """
    if not found:
        raise OutsideFailed(f"apt offers no package {PACKAGE}X.Y with Debian's own configuration", hint=UPDATE)
    wanted = Version(series(version))
    offered = {Version(series(offer.package)) for offer in found}
    best = max((other for other in offered if other <= wanted), default=min(offered))
    return next(offer for offer in found if Version(series(offer.package)) == best)


def series(name: str) -> str:
    """`6.12` of `linux-config-6.12` or of `6.12.48-rc1`."""
    return series_of(name.removeprefix(PACKAGE))


def _generic(folder: Path) -> Path:
    """The configuration of the kernel that Debian installs by default: no feature set, the flavour of all machines."""
    architecture = process.run(["dpkg", "--print-architecture"]).stdout.strip()
    found = sorted(folder.glob(f"usr/src/linux-config-*/config.{architecture}_none_{architecture}.xz"))
    if not found:
        names = sorted(path.name for path in folder.glob("usr/src/linux-config-*/config.*"))
        raise OutsideFailed(f"Debian has no configuration for {architecture}", detail="\n".join(names))
    return found[0]
