"""What a node is: where it accepts labelled packets, its label table, its loopbacks, routes and optional sections."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from mplskit.node.grammar.agreement import disagreements
from mplskit.node.grammar.description import Allowance, NodeDescription
from mplskit.yaml.spec_file import Fault, faults_of


class NodeSpec(NodeDescription):
    """A node whose parts agree with each other."""

    def allowing(self, words: Sequence[Allowance]) -> "NodeSpec":
        """The same node, with more allowed."""
        return self.model_copy(update={"allow": tuple(dict.fromkeys((*self.allow, *words)))})

    def compact(self) -> dict[str, object]:
        """The spec as JSON without what is said by saying nothing, as NodeSpec reads it again.

        `allow` is left out: it is about a run, not about the node.
        """
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"allow"})
        return {"platform_labels": self.platform_labels, **said}

    def faults(self) -> Iterator[Fault]:
        """What the parts say against each other."""
        return disagreements(self)


def problems(error: ValidationError) -> list[Fault]:
    """What pydantic found wrong in a node, in our words."""
    return faults_of(NodeSpec, error)
