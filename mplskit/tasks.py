"""Composes the collections of all parts into one namespace."""

from invoke import Collection, Program

from mplskit import __version__
from mplskit.doctor.tasks import doctor


def namespace() -> Collection:
    """The namespace of `invoke` and of the installed command `mplskit`."""
    return Collection(doctor)


program = Program(name="mplskit", version=__version__, namespace=namespace())
