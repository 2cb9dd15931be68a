"""A lab: what it proves, on which nodes and links, in which steps that say what must be seen."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from mplskit.lab.grammar.links import Link
from mplskit.lab.grammar.steps import Addition, Step
from mplskit.node.grammar.part import Part
from mplskit.node.grammar.spec import NodeSpec, problems
from mplskit.yaml.spec_file import Fault, Unfit

_NAME = re.compile("[a-z0-9][a-z0-9-]{0,30}", re.ASCII)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name here has up to 31 small letters, digits and -, and does not begin with -")
    return text


Name = Annotated[str, AfterValidator(_name)]


class Topology(Part):
    """A lab: what it proves, on which nodes and links, in which steps."""

    name: Name
    proves: Annotated[str, Field(min_length=1)]
    nodes: dict[Name, NodeSpec]
    links: tuple[Link, ...] = ()
    steps: tuple[Step, ...]


def nodes_at(topology: Topology, number: int) -> dict[str, NodeSpec]:
    """The nodes with what the first `number` steps add. Raises Unfit where a node cannot be so."""
    nodes = dict(topology.nodes)
    for index, step in enumerate(topology.steps[:number]):
        for name, addition in step.add.items():
            try:
                nodes[name] = _added(nodes[name], addition)
            except ValidationError as error:
                place = ("steps", index, "add", name)
                raise Unfit(*(Fault(place, problem.reason) for problem in problems(error))) from None
    return nodes


def _added(spec: NodeSpec, addition: Addition) -> NodeSpec:
    more = {name: (*getattr(spec, name), *getattr(addition, name)) for name in Addition.model_fields}
    return NodeSpec.model_validate({**dict(spec), **more})
