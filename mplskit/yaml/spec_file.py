"""Reads a YAML file into a pydantic model. What does not fit is told with file, line, reason and what is allowed."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mplskit.errors import WrongInput
from mplskit.wording import LONGEST, MOST_TOLD, allowed, clipped, cut
from mplskit.yaml.tree import path_from_here, plain, read_tree
from mplskit.yaml.value import Written

Model = TypeVar("Model", bound=BaseModel)
SHAPES = {
    "model_type": "should be a mapping",
    "dict_type": "should be a mapping",
    "tuple_type": "should be a list",
    "string_type": "should be text",
    "string_too_short": "should not be empty",
    "bool_type": "should be true or false",
}
# What pydantic says of a number, whatever is wrong with it; the rule is told in whole.
NUMBERS = re.compile(r"(int|float)_(type|parsing|parsing_size|from_float)|(greater|less)_than(_equal)?|finite_number")
# What validators of ours raise, and the discriminator of routes.
OURS = ("value_error", "route")
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that does not fit: the keys and indexes down to the value, the rule that it breaks, and what is there.

    As text: `routes[0].push[0]: an outgoing label is … (here: 7)`.
    """

    place: Place
    rule: str
    found: str = ""

    @property
    def reason(self) -> str:
        """The rule, and what is there where the rule does not say it already."""
        told = not self.found or re.search(rf"(?<!\w){re.escape(self.found)}(?!\w)", self.rule)
        return self.rule if told else f"{self.rule} (here: {self.found})"

    def __str__(self) -> str:
        path = path_of(self.place)
        return f"{path}: {self.reason}" if path else self.reason


class Unfit(ValueError):
    """Raised by a validator of a model that found several faults, or one further down: places count from there."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


def path_of(place: Place) -> str:
    """A place as it is told: `routes[0].push[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{clipped(part, 40)}" for part in place).removeprefix(
        "."
    )


def read_spec(path: Path, model: type[Model], check: Callable[[Model], Iterable[Fault]] = lambda value: ()) -> Model:
    """The content of a YAML file as `model`; `check` finds what the types alone cannot say.

    Raises WrongInput with the first fault as its message and the others below it.
    """
    name = path_from_here(path)
    tree = read_tree(path)
    try:
        value = model.model_validate(plain(tree))
        faults = list(check(value))
    except ValidationError as error:
        faults = faults_of(model, error)
    if faults:
        raise wrong_input([f"{name}:{nearest(tree, fault.place).line}: {fault}" for fault in faults])
    return value


def faults_of(
    model: type[BaseModel], error: ValidationError, counts: Callable[[ErrorDetails], bool] = lambda item: True
) -> list[Fault]:
    """What pydantic found wrong in the values for a `model`, in our words; of its items those that `counts` takes."""
    return [fault for item in error.errors(include_url=False) if counts(item) for fault in _faults(model, item)]


def nearest(tree: Written, place: Place) -> Written:
    """The deepest part of `place` that is in the tree."""
    for part in place:
        if isinstance(tree.value, dict) and part in tree.value:
            tree = tree.value[str(part)]
        elif isinstance(tree.value, list) and isinstance(part, int) and part < len(tree.value):
            tree = tree.value[part]
        else:
            break
    return tree


def wrong_input(faults: Sequence[str]) -> WrongInput:
    """The failure to raise for faults: the first is the message, the others follow, up to a bound."""
    first, *others = faults
    more = len(others) - (MOST_TOLD - 1)
    lines = [*others[: MOST_TOLD - 1], f"and {more} more"] if more > 0 else others
    return WrongInput(first, detail="\n".join(lines))


def _faults(model: type[BaseModel], error: ErrorDetails) -> list[Fault]:
    place, kinds, field = _walk(model, error["loc"])
    reason = error.get("ctx", {}).get("error")
    if isinstance(reason, Unfit):
        return [replace(fault, place=(*place, *fault.place)) for fault in reason.faults]
    if error["type"] == "missing":
        return [Fault(place, "is missing")]
    if error["type"] == "extra_forbidden":
        key = error["loc"][-1]
        return [Fault((*place, key), f"there is no such key; {allowed(str(key), _keys(kinds))}")]
    rule = clipped(_rule(error, kinds, field), 3 * LONGEST)
    found = error["input"]
    is_plain = isinstance(found, str | int | float) or found is None
    return [Fault(place, rule, _written(found) if is_plain else "")]


def _rule(error: ErrorDetails, kinds: Sequence[object], field: object) -> str:
    """The rule that a value breaks: what a validator of ours said, or what the types and bounds of the field say."""
    if error["type"] in SHAPES:
        return SHAPES[error["type"]]
    if error["type"] == "literal_error":
        # The words themselves, in quotes, with commas and an `or`.
        return f"should be {error['ctx']['expected']}"
    if NUMBERS.fullmatch(error["type"]):
        return f"should be {'a whole number' if int in kinds else 'a number'}{_bounds(field)}"
    if error["type"] in OURS:
        return str(error["msg"]).removeprefix("Value error, ")
    return "is not what belongs here"


def _bounds(field: object) -> str:
    """The bounds of a number as its field has them: ` from 1 to 255`."""
    found = {name: getattr(note, name) for note in _notes(field) for name in ("ge", "gt", "le") if hasattr(note, name)}
    if "gt" in found:
        return f" above {found['gt']}"
    low, high = found.get("ge"), found.get("le")
    if high is None:
        return "" if low is None else f", {low} or more"
    return f" from {low} to {high}"


def _notes(kind: object) -> Iterator[object]:
    """What the annotations of a type, and of the members of a union, say of a value."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        yield from _notes(inner)
        for note in notes:
            yield from note.metadata if isinstance(note, FieldInfo) else (note,)
    elif get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _notes(member)


def _written(value: object) -> str:
    """A value as its author wrote it: text in quotes where it could be taken for something else."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = cut(str(value))
    doubtful = re.search(r"\s", text) or re.fullmatch(r"[-+]?\d+", text) or not text.isprintable()
    return repr(text) if isinstance(value, str) and value and doubtful else text


def _walk(model: type[BaseModel], location: Place) -> tuple[Place, list[object], object]:
    """Follow pydantic's location as far as the model goes: the place in the file, the types that belong there, and the
    type of all of them as the model has it.

    Pydantic puts the tag of a union's member into the location; it is no key of the file.
    """
    place: list[str | int] = []
    kinds: list[tuple[str | None, object]] = [(None, model)]
    field: object = model
    for part in location:
        tagged = [kind for tag, kind in kinds if tag is not None and tag == part]
        fields = [below for _, kind in kinds for below in _into(kind, part)]
        inner = [member for below in fields for member in _members(below)]
        if tagged:
            kinds = [(None, kind) for kind in tagged]
        elif inner:
            place.append(part)
            kinds, field = inner, fields[0]
    return tuple(place), [kind for _, kind in kinds], field


def _members(kind: object, tag: str | None = None) -> Iterator[tuple[str | None, object]]:
    """The types that a union stands for, with their tags."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        yield from _members(inner, next((note.tag for note in notes if isinstance(note, Tag)), tag))
    elif get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member, tag)
    else:
        yield tag, kind


def _into(kind: object, part: str | int) -> Iterator[object]:
    """The types of what is below `part` of a value of type `kind`."""
    if get_origin(kind) is dict:
        yield get_args(kind)[1]
    elif get_origin(kind) in (list, tuple):
        yield get_args(kind)[0]
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part == (field.alias or name):
                yield Annotated[field.annotation, field] if field.metadata else field.annotation


def _keys(kinds: Iterable[object]) -> list[str]:
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for model in models for name, field in model.model_fields.items()]
