"""The main job: source → packages → image → booted → set up → verified → labels seen on the wire.

What was made is looked up by the digest of its inputs; what is proven is proven again every time.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from mplskit.config.config_request import Request
from mplskit.debian.package_file import Deb, Role
from mplskit.errors import NotSo
from mplskit.image.boot import guest_of
from mplskit.image.build import build_image
from mplskit.image.flags import ImageFlags
from mplskit.image.image_record import Image
from mplskit.image.image_request import make_request
from mplskit.iproute2.build import Iproute2, build_iproute2
from mplskit.kernel.build import Built, build_kernel
from mplskit.kernel.build_request import Packaging
from mplskit.lab.grammar.labs import load
from mplskit.lab.run_lab import run_lab
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.node.bootstrap import bootstrap
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.verify.verify import verify
from mplskit.paths import Workspace
from mplskit.pipeline.job_report import PipelineReport, Row
from mplskit.remote.host import Host
from mplskit.remote.session import shell
from mplskit.sources.source_spec import Debian, Spec
from mplskit.vm.machine import Machine, booted
from mplskit.wording import several

LAB = "hello-world"
# The virtual machine's only interface: nothing but this host can send to it.
SPEC = NodeSpec(mpls_input=("eth0",), allow=("default-route",))


@dataclass(frozen=True)
class Job:
    """What the main job is asked for."""

    source: Spec
    request: Request
    packaging: Packaging
    suite: str


@dataclass
class _Record:
    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; the block appends what was made and what was proven."""
        begin, said = time.monotonic(), list[str]()
        yield said
        made, proven = said
        self.rows.append(Row(name, made, proven, round(time.monotonic() - begin, 1)))


def run_pipeline(workspace: Workspace, job: Job) -> PipelineReport:
    """Run the main job. Raises what its steps raise; a step that fails ends it."""
    record = _Record()
    with record.step("kernel") as said:
        kernel = build_kernel(workspace, job.source, job.request, job.packaging)
        image_package = next(package for package in kernel.packages if package.role is Role.IMAGE)
        said += [_made(kernel.made, image_package.file), _proven_kernel(kernel)]
    with record.step("iproute2") as said:
        iproute2 = build_iproute2(workspace, Debian(), 1, job.packaging.jobs)
        said += [_made(iproute2.made, iproute2.path.name), _proven_iproute2(iproute2)]
    with record.step("image") as said:
        wanted = make_request(workspace, ImageFlags(suite=job.suite))
        image, made = build_image(workspace, wanted)
        brought = wanted.debs(workspace.cache)
        names = ", ".join(deb.package.package for deb in brought)
        said += [_made(made, image.qcow2.name), f"installed by dpkg: {names}"]
    begin = time.monotonic()
    with booted(guest_of(image, memory=1024, cpus=2), workspace.build / "vm" / "pipeline") as machine:
        record.rows.append(Row("boot", "", _proven_boot(image, machine), round(time.monotonic() - begin, 1)))
        _on_node(workspace, machine.host, brought, record)
    return PipelineReport(tuple(record.rows))


def _on_node(workspace: Workspace, host: Host, packages: Sequence[Deb], record: _Record) -> None:
    with record.step("bootstrap") as said:
        changes = _bootstrap(host, packages)
        again = _bootstrap(host, packages)
        if again:
            raise NotSo("a second bootstrap changed something again", detail=several(again, between="\n"))
        said += [f"{len(changes)} changes", "a second run: no change"]
    with record.step("verify") as said:
        checks = verify(host)
        unmet = [f"{check.id}: {check.title}: {check.seen}" for check in checks if not check.passed]
        if unmet:
            raise NotSo("the node is not MPLS-ready", detail="\n".join(unmet), hint="node.verify has causes and cures")
        said += ["", f"{len(checks)} conditions hold"]
    with record.step(LAB) as said, shell(host) as session:
        report = run_lab(Namespaces(load(LAB), session), workspace.dist / "labs" / LAB)
        if not report.passed:
            raise NotSo(f"the lab {LAB} failed", hint=f"{report.folder}/report.json has what was seen")
        captures = sorted(path.name for path in report.folder.glob("*.pcap"))
        said += [f"{len(captures)} captures", "; ".join(step.step for step in report.steps[1:-1])]


def _bootstrap(host: Host, packages: Sequence[Deb]) -> list[str]:
    """What a bootstrap changed."""
    report = bootstrap(Node(str(host), host, SPEC), packages)
    failed = [f"{item.kind} {item.name}: {item.detail}" for item in report.failed]
    if failed or report.reboot_needed:
        raise NotSo(
            "the node could not be set up",
            detail="\n".join([several(failed, between="\n") if failed else "", report.reboot_needed or ""]).strip(),
        )
    return [f"{item.kind} {item.name}: {item.detail}" for item in report.items if item.state == "changed"]


def _made(now: bool, name: str) -> str:
    return name if now else "reused"


def _proven_kernel(built: Built) -> str:
    verdicts = built.metadata["config"]["verdicts"]
    return f"{len(verdicts)} options granted, read back from the package"


def _proven_iproute2(built: Iproute2) -> str:
    return f"its ip speaks MPLS ({len(built.probes)} probes)"


def _proven_boot(image: Image, machine: Machine) -> str:
    return f"SSH answers on {image.release} ({machine.accelerator})"
