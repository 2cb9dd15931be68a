"""The probes: one module for each way to look at a lab, from its words in a topology to the verdict.

A module here with a PROBE is one, and nothing else needs to be told of it.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from mplskit.lab.probes.probe import Probe

_modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
# What is tried comes before all that is looked at afterwards.
PROBES: tuple[Probe[Any, Any], ...] = tuple(
    sorted((module.PROBE for module in _modules if hasattr(module, "PROBE")), key=lambda probe: not probe.tries)
)
