"""Steps of a lab: what is added to the nodes, what is tried, and what must be seen: the keys of all probes."""

from typing import Literal

from pydantic import Field, create_model

from mplskit.lab.probes import PROBES
from mplskit.lab.probes.probe import Seconds, Titled
from mplskit.node.grammar.addresses import InterfaceName, Loopback
from mplskit.node.grammar.part import Part
from mplskit.node.grammar.routes import Route


class Addition(Part):
    """What a node gets in a step, beyond what it has."""

    mpls_input: tuple[InterfaceName, ...] = ()
    loopbacks: tuple[Loopback, ...] = ()
    routes: tuple[Route, ...] = ()


class _Beginning(Titled):
    add: dict[str, Addition] = Field(default_factory=dict)
    without_module: Literal["mpls_gso"] | None = None


# The last base is the first to be read.
_asked = [probe.asked for probe in reversed(PROBES) if probe.asked is not Titled]
_Asked = create_model("_Asked", __base__=tuple(_asked))
Expect = create_model("Expect", __base__=tuple(probe.expected for probe in reversed(PROBES)))


class Step(_Asked, _Beginning):  # type: ignore[misc,valid-type] # mypy does not know what the probes ask
    """What is added to the nodes; then captures begin, something is tried, and what was seen is compared.

    With `within` it is tried again until all is as expected or that many seconds are over. `without_module` takes a
    module out while the step runs; where it is built in, the step is left out.
    """

    within: Seconds | None = None
    expect: Expect = Expect()  # type: ignore[valid-type]
