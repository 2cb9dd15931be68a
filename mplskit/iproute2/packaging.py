"""The packaging that an iproute2 is built with: its own `debian/`, or for upstream's trees that of Debian's newest."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process
from mplskit.errors import BuildFailed, WrongInput
from mplskit.sources.iproute2_source import fetch_iproute2
from mplskit.sources.source_spec import Debian
from mplskit.sources.source_tree import SourceTree

INSTALL = Path(__file__).parent / "install.sh"
# Debian's own recipe names plug-ins of tc that other versions lack; it makes their libraries Recommends, not Depends.
RULES = "\noverride_dh_shlibdeps:\n\tdh_shlibdeps -a\n"


@dataclass(frozen=True)
class Packaging:
    """`debian` is the Debian source whose packaging is borrowed; None where the source has its own."""

    debian: SourceTree | None

    def version(self, source: SourceTree, revision: int) -> str:
        """The version: `6.1.0-3+mpls1` of 6.1.0-3, `6.12.0-0+mpls1` of upstream: below Debian's -1.

        Raises WrongInput when the source states a version that no package can have.
        """
        if self.debian:
            return f"{debian_version(source.version)}-0+mpls{revision}"
        argv = ["dpkg-parsechangelog", "--show-field", "Version"]
        return f"{process.run(argv, cwd=source.path).stdout.strip()}+mpls{revision}"

    def inputs(self, source: SourceTree) -> list[str]:
        """What a build with it takes in, as digests and words."""
        return [source.digest, *([self.debian.digest, RULES, files.digest_file(INSTALL)] if self.debian else [])]

    def copy(self, source: SourceTree, version: str, tree: Path) -> None:
        """Make `tree` a private copy of the source that can be built as `version`."""
        shutil.copytree(source.path, tree, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        process.run(["chmod", "-R", "u+w", tree])
        says = "from the source package below without changes."
        if self.debian:
            # Debian's patches are for Debian's version.
            without = shutil.ignore_patterns("patches")
            shutil.copytree(self.debian.path / "debian", tree / "debian", ignore=without)
            with (tree / "debian" / "rules").open("a") as rules:
                rules.write(RULES)
            theirs = tree / "debian" / "iproute2.install"
            theirs.rename(tree / "debian" / "iproute2.install.debian")
            shutil.copyfile(INSTALL, theirs)
            theirs.chmod(0o755)
            says = f"iproute2 {source.version} with the packaging of the version below."
        changelog = tree / "debian" / "changelog"
        changelog.write_text(changelog_entry(changelog.read_text(), version, says))


def debian_version(upstream: str) -> str:
    """Upstream's version as Debian orders it: `6.12.0-rc1` before 6.12.0, and `v5.7.0-77-gb687d10` (git describe) after
    5.7.0.

    Raises WrongInput.
    """
    version = re.sub(r"-(rc[0-9]+)", r"~\1", upstream.removeprefix("v")).replace("-", "+")
    if not re.fullmatch(r"[0-9][A-Za-z0-9.+~]*", version):
        raise WrongInput(f"the source states the version {upstream!r} in include/version.h, which no package can have")
    return version


def packaging_of(source: SourceTree, cache: Path) -> Packaging:
    """The packaging for a source; upstream's is fetched like `--source debian`. Raises what that raises."""
    own = (source.path / "debian" / "changelog").is_file()
    return Packaging(None if own else fetch_iproute2(Debian(), cache))


def changelog_entry(changelog: str, version: str, says: str) -> str:
    """A changelog with our entry on top: same distribution and date as the entry below, so that builds repeat."""
    first = re.search(r"^iproute2 \([^)]+\) (\S+?);", changelog)
    date = re.search(r"^ -- .*>  (.*)$", changelog, re.MULTILINE)
    if not first or not date:
        raise BuildFailed("debian/changelog of iproute2 does not begin with an entry")
    return (
        f"iproute2 ({version}) {first[1]}; urgency=medium\n\n"
        f"  * Built by mplskit, {says}\n\n"
        f" -- mplskit <mplskit@localhost>  {date[1]}\n\n{changelog}"
    )
