from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.sources.cached import Software
from mplskit.sources.spec import Git
from mplskit.sources.tree import SourceTree


def fetch(software: Software, spec: Git, cache: Path) -> SourceTree:
    raise WrongInput(f"source {spec}: cannot be had from there")
