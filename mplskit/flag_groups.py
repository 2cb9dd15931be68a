"""How a flag is declared: a field of a frozen dataclass, with its help. `cli.task` makes Invoke's flags of them.

An argument of a task whose annotation is such a dataclass stands for all of its flags.
"""

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from inspect import Parameter, Signature
from typing import TypeVar, overload

Value = TypeVar("Value", str, bool, tuple[str, ...])


@overload
def flag(help: str) -> str: ...
@overload
def flag(help: str, default: Value) -> Value: ...
def flag(help: str, default: object = "") -> object:
    """A flag, and what it is when it is left out: a text, False, or () for one that may be given again and again."""
    return field(default=default, metadata={"help": help})


class Flags:
    """The flags of a task: those of its groups, and the arguments that it has by itself."""

    def __init__(self, signature: Signature) -> None:
        arguments = list(signature.parameters.values())[1:]
        self._groups: dict[str, type] = {one.name: one.annotation for one in arguments if _is_group(one.annotation)}
        own = [one for one in arguments if one.name not in self._groups]
        self._own = [one.name for one in own]
        fields_ = [one for group in self._groups.values() for one in fields(group)]
        every = [*own, *(Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default) for one in fields_)]
        # What may be given again and again: Invoke gathers it in lists.
        self.repeated = [one.name for one in every if one.default == ()]
        self.parameters = [one.replace(default=[]) if one.name in self.repeated else one for one in every]
        self.helps = {spelled(one.name): str(one.metadata["help"]) for one in fields_}

    def filled(self, given: Mapping[str, object]) -> dict[str, object]:
        """The arguments for the task, of what the command line gives for each flag."""
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        groups = {
            name: group(**{one.name: values[one.name] for one in fields(group)}) for name, group in self._groups.items()
        }
        return {**{name: values[name] for name in self._own}, **groups}


def _is_group(annotation: object) -> bool:
    return isinstance(annotation, type) and is_dataclass(annotation)


def spelled(argument: str) -> str:
    """An argument as Invoke spells its flag: `set_` is --set."""
    return argument.strip("_").replace("_", "-")
