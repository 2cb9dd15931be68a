"""Values of a spec that are right, to be made wrong; and what is then said of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from mplskit.node.grammar.spec import NodeSpec, problems


def refusals(**values: Any) -> list[str]:
    """What is wrong with a spec of these values, each with its place."""
    with pytest.raises(ValidationError) as caught:
        NodeSpec.model_validate(values)
    return [str(problem) for problem in problems(caught.value)]


PUSH = {"push": [101], "to": "192.168.10.152/32", "via": "10.10.0.152"}
HOP = {"via": "10.0.0.1"}
