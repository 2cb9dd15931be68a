"""Groups of flags, as a command line fills them in."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TypeVar

Group = TypeVar("Group")


def given(group: type[Group], flags: Mapping[str, object]) -> Group:
    """The group with those of `flags` that belong to it; the others are left out."""
    return group(**{one.name: flags[one.name] for one in fields(group) if one.name in flags})  # type: ignore[arg-type]
