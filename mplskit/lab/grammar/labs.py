"""The labs that there are, by name, and those of files."""

from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.lab.grammar.agreement import disagreements
from mplskit.lab.grammar.topology import Topology
from mplskit.paths import data
from mplskit.wording import no_such
from mplskit.yaml.spec_file import read_spec


def lab_names() -> list[str]:
    """The names of the labs that there are."""
    return sorted(path.stem for path in data("topologies").glob("*.yaml"))


def load(name: str) -> Topology:
    """The lab of that name, or that of a file NAME.yaml.

    Raises WrongInput with the names that there are, or with the line that does not fit.
    """
    if name.endswith((".yaml", ".yml")):
        return read_topology(Path(name))
    if name not in lab_names():
        raise WrongInput(
            no_such("lab", name, lab_names()),
            hint="`invoke lab.list` says what each of them proves; a lab of your own is a file: ./NAME.yaml",
        )
    return read_topology(data("topologies") / f"{name}.yaml")


def read_topology(path: Path) -> Topology:
    """A topology from its file. Raises WrongInput with file, line, reason and what is allowed."""
    return read_spec(path, Topology, lambda topology: disagreements(topology, path.stem))
