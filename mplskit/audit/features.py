"""What a kernel is looked at for, as kconfig/features.yaml has it: features, the symbols they need, and the cures."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from mplskit.paths import data
from mplskit.wording import no_such
from mplskit.yaml.spec_file import Fault, read_spec

Release = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+$")]
Cure = Literal["ready", "install", "give", "boot", "ubuntu", "reinstall", "distribution", "build", "whole", "unknown"]
# What stands in braces in a cure.
BLANKS = ("release", "host", "modules", "packages", "kernels", "build", "distribution", "source")


class Strict(BaseModel):
    """What has no other keys than those named, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Symbol(Strict):
    """A Kconfig symbol: with a `module` y or m will do, else y. `since` is the first kernel that can do it."""

    symbol: Annotated[str, Field(pattern=r"^[A-Z0-9_]+$")]
    module: Annotated[str, Field(pattern=r"^[a-z0-9_]*$")] = ""
    since: Release = "0.0"
    without: str
    shown_by: tuple[str, ...] = ()


class Limit(Strict):
    """What kernels before a release cannot do though they have the symbols."""

    before: Release
    lacks: str


class Feature(Strict):
    """Ready when all of `all_of`, one of `one_of` (if there are any) and the features in `builds_on` are."""

    name: Annotated[str, Field(pattern=r"^[a-z]+$")]
    title: str
    decides: bool = False
    options: str
    builds_on: tuple[str, ...] = ()
    all_of: tuple[Symbol, ...] = ()
    one_of: tuple[Symbol, ...] = ()
    limits: tuple[Limit, ...] = ()


class Knowledge(Strict):
    """The whole file; features come after those that they build on."""

    features: tuple[Feature, ...]
    cures: Mapping[Cure, str]


def load_features(path: Path | None = None) -> Knowledge:
    """The file, checked. Raises WrongInput with its line where it does not fit."""
    return read_spec(path or data("kconfig") / "features.yaml", Knowledge, _faults)


def version_of(release: str) -> tuple[int, int] | None:
    """The two numbers that a release begins with (`6.1.0-50-amd64` -> (6, 1)); None where it has none."""
    found = re.match(r"([0-9]{1,4})\.([0-9]{1,4})", release)
    return (int(found[1]), int(found[2])) if found else None


def _faults(knowledge: Knowledge) -> Iterator[Fault]:
    known: list[str] = []
    for place, feature in enumerate(knowledge.features):
        for base in feature.builds_on:
            if base not in known:
                yield Fault(("features", place, "builds_on"), f"{base} is no feature above this one")
        known.append(feature.name)
    for name in get_args(Cure):
        if name not in knowledge.cures:
            yield Fault(("cures",), f"{name} is missing")
    for name, text in knowledge.cures.items():
        for blank in re.findall(r"{(.*?)}", text):
            if blank not in BLANKS:
                yield Fault(("cures", name), no_such("word", f"{{{blank}}}", BLANKS))
