"""The apt roots of Debian's suites: of this machine's own, and private ones of others."""

from collections.abc import Sequence
from pathlib import Path

from mplskit import process
from mplskit.debian.apt_lists import fresh_root
from mplskit.debian.apt_root import CONF, HOST, Root
from mplskit.debian.archives import Archive, default_keys, mapped, repositories
from mplskit.debian.suites import codename
from mplskit.errors import OutsideFailed

# The private root of the host's own archives.
OWN = "host"


def suite_root(cache: Path, suite: str | None) -> Root:
    """The root that offers a suite's packages: a private one; without a suite the host's own apt, as it is.

    Raises OutsideFailed when the mirror lacks the suite, does not answer, or is signed by nobody that the host trusts.
    """
    return _private(cache, codename(suite), mapped(repositories(), codename(suite))) if suite else HOST


def source_root(cache: Path, suite: str | None) -> Root:
    """The root that offers a suite's source packages; without a suite, those of the host's own Debian archives.

    Raises OutsideFailed.
    """
    if suite:
        return suite_root(cache, suite)
    keys = default_keys()
    own = [Archive(found.uri, found.release, "deb-src", found.signed_by or keys) for found in repositories()]
    return _private(cache, OWN, list(dict.fromkeys(own)))


def cached_suites(cache: Path) -> list[str]:
    """The suites whose lists are in the cache."""
    return sorted({path.parts[-4] for path in (cache / "apt").glob(f"*/*/*/{CONF}")} - {OWN})


def _private(cache: Path, name: str, archives: Sequence[Archive]) -> Root:
    return fresh_root(cache.absolute() / "apt" / name, name, archives, _host_updated())


def _host_updated() -> float:
    """When the host's lists were updated last (Unix time): a newer update there makes ours old, too."""
    said = process.run(["apt-config", "shell", "LISTS", "Dir::State::lists/d"], failure=OutsideFailed).stdout
    lists = Path(said.strip().removeprefix("LISTS=").strip("'"))
    # The lists themselves have the mirror's times; apt uses partial/ in each update.
    return max((path.stat().st_mtime for path in (lists, lists / "partial") if path.exists()), default=0.0)
