"""A node whose folders are empty ones of a namespace: apply.sh runs there for real, this machine stays as it is."""

from pathlib import Path

import pytest

from mplskit import process
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload_report import Item, parse_line

CONTAINED = ["unshare", "--map-root-user", "--mount", "--net", "sh", "-c"]
GROUND = """\
awk=$(readlink -f /usr/bin/awk)
for folder in /etc /var/lib /usr/local /run; do mount -t tmpfs none $folder || exit; done
mkdir /usr/local/bin && ln -s "$awk" /usr/local/bin/awk
mkdir -p /var/lib/dpkg/updates /var/lib/dpkg/info && : >/var/lib/dpkg/status && export APPLY="$1" || exit
"""
FILES = (
    "/etc/modules-load.d/mplskit.conf",
    "/etc/mplskit/node.json",
    "/etc/sysctl.d/90-mplskit.conf",
    "/etc/systemd/system/mplskit-routes.service",
    "/etc/udev/rules.d/90-mplskit.rules",
    "/usr/local/lib/mplskit/keep.sh",
    "/usr/local/lib/mplskit/live.sh",
    "/usr/local/lib/mplskit/routes.sh",
)
KEEPER = "mplskit-routes.service"
SPEC = NodeSpec(mpls_input=("eth0",))
# NO_TOOL.format(PROGRAM): that program cannot be run any more.
NO_TOOL = 'mount --bind /dev/null "$(readlink -f "$(command -v {})")"'


@pytest.fixture(scope="session")
def namespaces() -> None:
    """What the others here need; without it their tests are skipped."""
    if process.run([*CONTAINED, GROUND, "sh", "/"], check=False).returncode != 0:
        pytest.skip("this machine gives no user and mount namespaces to us")


def contained(folder: Path, script: str) -> list[Item | str]:
    """What a script says in there; $APPLY is the path of apply.sh, other lines than its own come as they are."""
    ended = process.run([*CONTAINED, GROUND + script, "sh", folder / "apply.sh"], check=False)
    return [parse_line(line) if "\t" in line else line for line in ended.stdout.splitlines()]


def failures(said: list[Item | str]) -> list[tuple[str, str, str]]:
    """Kind, name and detail of what failed."""
    return [(item.kind, item.name, item.detail) for item in said if isinstance(item, Item) and item.state == "failed"]


def files_of(said: list[Item | str]) -> list[Item]:
    """What is said of files."""
    return [item for item in said if isinstance(item, Item) and item.kind == "file"]
