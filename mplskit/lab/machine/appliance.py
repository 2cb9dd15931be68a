"""The disk of a lab: a Debian tree with what labs run, without a kernel; made once for the same recipe."""

from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process
from mplskit.debian.suites import release
from mplskit.debian.system_tree import RECIPE, System, make_key, make_tree, require_maker, sources_of
from mplskit.image.disk import make_raw
from mplskit.lab.probes import PROBES
from mplskit.paths import Workspace
from mplskit.progress import step

HERE = Path(__file__).parent
PACKAGES = (
    *("iproute2", "ethtool", "openvpn", "openssl", "openssh-server", "kmod", "procps", "busybox-static"),
    *(probe.package for probe in PROBES if probe.package),
)
SPACE = 2 << 30


@dataclass(frozen=True)
class Appliance:
    """`disk` is a raw image, `key` logs in there as root, `busybox` is a static one that any kernel can begin with."""

    disk: Path
    key: Path
    busybox: Path


def appliance(workspace: Workspace) -> Appliance:
    """The disk, of this machine's Debian release. The first time it is built: for that it needs root.

    Raises MachineLacks (root, tools, space, a mirror), BuildFailed when a step fails.
    """
    suite = release()
    recipe = [(path.name, files.digest_file(path)) for path in (*_recipe(), *RECIPE)]
    key = files.digest_of({"suite": suite, "packages": PACKAGES, "recipe": recipe})[:16]
    folder = workspace.build / "lab" / f"appliance-{key}"
    if not folder.is_dir():
        require_maker("the first lab.run (it builds the disk of labs)")
        process.require("mke2fs", package="e2fsprogs")
        folder.parent.mkdir(parents=True, exist_ok=True)
        log = workspace.build / "logs" / f"lab-appliance-{key}.log"
        log.unlink(missing_ok=True)
        with step(f"making the disk of labs, Debian {suite}", log):
            files.build_once(folder, lambda partial: _make(partial, suite, log))
    return Appliance(folder / "disk.raw", folder / "key", folder / "busybox")


def _recipe() -> list[Path]:
    return [HERE / "furnish.sh", *sorted(path for path in (HERE / "tree").rglob("*") if path.is_file())]


def _make(folder: Path, suite: str, log: Path) -> None:
    files.need_space(folder, SPACE, "building the disk of labs")
    key, tree = folder / "key", folder / "tree"
    public_key = make_key(key, "lab")
    furnish = (HERE / "furnish.sh", folder / "busybox")
    make_tree(System(suite, sources_of(suite), PACKAGES, HERE / "tree", public_key, furnish), tree, log)
    make_raw(tree, folder / "disk.raw", log)
    process.run(["rm", "-rf", "--one-file-system", tree])
