"""Brings a kernel source: a spec goes in, a verified tree comes out."""

from pathlib import Path

from mplskit.sources import debian_source, git_source, kernel_org, local_source
from mplskit.sources.source_cache import LINUX
from mplskit.sources.source_spec import ArchiveFile, Debian, Git, KernelOrg, Spec, Tree
from mplskit.sources.source_tree import SourceTree


def fetch_kernel(spec: Spec, cache: Path) -> SourceTree:
    """The tree that a spec names, verified, and unpacked once into the cache.

    Raises WrongInput (no such path, no kernel), OutsideFailed (mirror, signature, archive), MachineLacks (space).
    """
    match spec:
        case Debian():
            return debian_source.fetch_linux(spec, cache)
        case KernelOrg():
            return kernel_org.fetch(LINUX, spec, cache)
        case Git():
            return git_source.fetch(LINUX, spec, cache)
        case ArchiveFile():
            return local_source.fetch_archive(LINUX, spec, cache)
        case Tree():
            return local_source.fetch_tree(LINUX, spec)
