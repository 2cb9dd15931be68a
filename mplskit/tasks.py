"""Composes the collections of all parts into one namespace."""

from invoke.collection import Collection
from invoke.program import Program

from mplskit import __version__
from mplskit.audit.tasks import audit
from mplskit.config.tasks import config, options
from mplskit.doctor.tasks import doctor
from mplskit.fleet.tasks import bootstrap as node_bootstrap
from mplskit.fleet.tasks import plan as node_plan
from mplskit.fleet.tasks import remove as node_remove
from mplskit.fleet.tasks import render as node_render
from mplskit.fleet.tasks import verify as node_verify
from mplskit.image.tasks import boot as image_boot
from mplskit.image.tasks import build as image_build
from mplskit.iproute2.tasks import build as iproute2_build
from mplskit.iproute2.tasks import list_versions
from mplskit.iproute2.tasks import verify as iproute2_verify
from mplskit.kernel.tasks import build as kernel_build
from mplskit.lab.tasks import down as lab_down
from mplskit.lab.tasks import list_labs
from mplskit.lab.tasks import matrix as lab_matrix
from mplskit.lab.tasks import run as lab_run
from mplskit.lab.tasks import shell as lab_shell
from mplskit.lab.tasks import up as lab_up
from mplskit.pipeline.tasks import pipeline
from mplskit.sources.tasks import fetch, list_kernels


def namespace() -> Collection:
    """The namespace of `invoke` and of the installed command `mplskit`."""
    root = Collection(doctor)
    root.add_collection(Collection("kernel", audit, fetch, list_kernels, options, config, build=kernel_build))
    root.add_collection(Collection("iproute2", list_versions, build=iproute2_build, verify=iproute2_verify))
    root.add_collection(Collection("image", build=image_build, boot=image_boot))
    root.add_collection(
        Collection(
            "node",
            plan=node_plan,
            bootstrap=node_bootstrap,
            verify=node_verify,
            remove=node_remove,
            render=node_render,
        )
    )
    root.add_collection(
        Collection("lab", list_labs, run=lab_run, matrix=lab_matrix, up=lab_up, shell=lab_shell, down=lab_down)
    )
    root.add_collection(Collection("ci", pipeline))
    return root


program = Program(name="mplskit", version=__version__, namespace=namespace())
