"""Composes the collections of all parts into one namespace."""

from invoke.collection import Collection
from invoke.program import Program

from mplskit import __version__
from mplskit.config.tasks import config
from mplskit.doctor.tasks import doctor
from mplskit.iproute2.tasks import build as iproute2_build
from mplskit.iproute2.tasks import verify as iproute2_verify
from mplskit.kernel.tasks import build as kernel_build
from mplskit.sources.tasks import fetch


def namespace() -> Collection:
    """The namespace of `invoke` and of the installed command `mplskit`."""
    root = Collection(doctor)
    root.add_collection(Collection("kernel", fetch, config, build=kernel_build))
    root.add_collection(Collection("iproute2", build=iproute2_build, verify=iproute2_verify))
    return root


program = Program(name="mplskit", version=__version__, namespace=namespace())
