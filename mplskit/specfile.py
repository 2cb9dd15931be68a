"""Reads a YAML file into a pydantic model. What does not fit is told with file, line, reason and what is allowed."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mplskit.errors import WrongInput

Model = TypeVar("Model", bound=BaseModel)
SHAPES = {"model_type": "a mapping", "dict_type": "a mapping", "tuple_type": "a list", "string_type": "text"}
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
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place).removeprefix(".")
        return f"{path}: {self.reason}" if path else self.reason


def read_spec(path: Path, model: type[Model], check: Callable[[Model], Iterable[Fault]] = lambda value: ()) -> Model:
    """The content of a YAML file as `model`; `check` finds what the types alone cannot say.

    Raises WrongInput with the first fault as its message and the others below it.
    """
    name = _shown(path)
    tree = _parse(path, name)
    try:
        value = model.model_validate(tree)
        faults = list(check(value))
    except ValidationError as error:
        faults = faults_of(model, error)
    if faults:
        first, *others = [f"{name}:{_line(tree, fault.place)}: {fault}" for fault in faults]
        raise WrongInput(first, detail="\n".join(others))
    return value


def faults_of(model: type[BaseModel], error: ValidationError) -> list[Fault]:
    """What pydantic found wrong in the values for a `model`, in our words."""
    return [_fault(model, item) for item in error.errors()]


def no_such(kind: str, name: str, known: Sequence[str]) -> str:
    """Says that `name` is none of the `known` ones, and which of them was probably meant."""
    return f"there is no {kind} {name!r}; {_allowed(name, known)}"


def _allowed(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"allowed: {', '.join(known) or 'none'}{meant}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _parse(path: Path, name: str) -> Any:
    try:
        return YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongInput(f"there is no file {name}") from None
    except UnicodeDecodeError as error:
        raise WrongInput(f"{name}: byte {error.start} is not UTF-8") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise WrongInput(f"{name}{line}: no YAML: {_problem(error)}") from None
    except YAMLError as error:
        raise WrongInput(f"{name}: no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise WrongInput(f"{name}: nested too deep") from None


def _problem(error: MarkedYAMLError) -> str:
    """What ruamel.yaml says, without the values that it repeats for a key given twice."""
    return (error.problem or str(error)).splitlines()[0].partition(" with value ")[0]


def _line(tree: Any, place: Place) -> int:
    """The line (from 1) of the deepest part of `place` that is in the file."""
    line = tree.lc.line if isinstance(tree, CommentedMap | CommentedSeq) else 0
    for part in place:
        try:
            line = (tree.lc.key(part) if isinstance(tree, CommentedMap) else tree.lc.item(part))[0]
            tree = tree[part]
        except (AttributeError, LookupError, TypeError):
            break
    return int(line) + 1


def _fault(model: type[BaseModel], error: Any) -> Fault:
    place, kinds = _walk(model, error["loc"])
    if error["type"] == "missing":
        return Fault(place, "is missing")
    if error["type"] == "extra_forbidden":
        key = error["loc"][-1]
        return Fault((*place, key), f"there is no such key; {_allowed(str(key), _keys(kinds))}")
    kind = SHAPES.get(error["type"])
    rule = f"should be {kind}" if kind else error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    found = error["input"]
    plain = isinstance(found, str | int | float) or found is None
    return Fault(place, rule, _written(found) if plain else "")


def _written(value: object) -> str:
    """A value as its author wrote it: text in quotes where it could be taken for something else."""
    doubtful = isinstance(value, str) and value and (re.search(r"\s", value) or re.fullmatch(r"[-+]?\d+", value))
    return repr(value) if doubtful else str(value)


def _walk(model: type[BaseModel], location: Place) -> tuple[Place, list[Any]]:
    """Follow pydantic's location as far as the model goes: the place in the file, and the types that belong there.

    Pydantic puts the tag of a union's member into the location; it is no key of the file.
    """
    place: list[str | int] = []
    kinds: list[tuple[str | None, Any]] = [(None, model)]
    for part in location:
        tagged = [kind for tag, kind in kinds if tag is not None and tag == part]
        inner = [member for _, kind in kinds for below in _into(kind, part) for member in _members(below)]
        if tagged:
            kinds = [(None, kind) for kind in tagged]
        elif inner:
            place.append(part)
            kinds = inner
    return tuple(place), [kind for _, kind in kinds]


def _members(kind: Any, tag: str | None = None) -> Iterator[tuple[str | None, Any]]:
    """The types that a union stands for, with their tags."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        yield from _members(inner, next((note.tag for note in notes if isinstance(note, Tag)), tag))
    elif get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member, tag)
    else:
        yield tag, kind


def _into(kind: Any, part: str | int) -> Iterator[Any]:
    """The types of what is below `part` of a value of type `kind`."""
    if get_origin(kind) is dict:
        yield get_args(kind)[1]
    elif get_origin(kind) in (list, tuple):
        yield get_args(kind)[0]
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from (field.annotation for name, field in kind.model_fields.items() if part == (field.alias or name))


def _keys(kinds: Iterable[Any]) -> list[str]:
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for model in models for name, field in model.model_fields.items()]
