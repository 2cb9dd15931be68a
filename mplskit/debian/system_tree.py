"""A Debian system in a folder: made by mmdebstrap from where this machine's apt has its packages, with one login."""

import shlex
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process
from mplskit.address_logins import bare
from mplskit.debian.archives import Archive, mapped, repositories
from mplskit.debian.suites import codename
from mplskit.errors import MachineLacks, OutsideFailed
from mplskit.progress import note

FIRST = Path(__file__).with_name("login.sh")
# What a tree is made by: another recipe makes another.
RECIPE = (Path(__file__), FIRST)
LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/doc/*")
KEPT = ("/usr/share/doc/*/copyright",)
# Mounts and processes of its own: when this one ends, so do they.
CONTAINED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
# What this machine's apt had to be told to reach its archives, a new system's apt has to be told, too.
SETTINGS = (
    *("Acquire::Check-Date", "Acquire::Check-Valid-Until"),
    *("Acquire::http::Proxy", "Acquire::https::Proxy"),
)


@dataclass(frozen=True)
class System:
    """A Debian system to be made: its suite, the archives that it comes from, and the packages that are asked for.

    The folder `laid` is copied over it, and the key logs in as root. Then the script `furnish[0]` is run, with the path
    of the tree and the other words.
    """

    suite: str
    sources: Sequence[Archive]
    packages: Sequence[str]
    laid: Path
    public_key: Path
    furnish: Sequence[str | Path]


def require_maker(task: str) -> None:
    """Raise MachineLacks unless `task` can make systems here: root, mmdebstrap, ssh-keygen."""
    process.require_root(task)
    process.require("mmdebstrap", package="mmdebstrap")
    process.require("ssh-keygen", package="openssh-client")


def sources_of(suite: str) -> list[Archive]:
    """The archives for `suite`: plain, updates and security, as far as this machine uses them for its own release.

    Raises MachineLacks when apt names no archive of Debian.
    """
    try:
        return mapped(repositories(), codename(suite))
    except OutsideFailed as failed:
        raise MachineLacks(failed.message, detail=failed.detail, hint=failed.hint) from None


def make_key(path: Path, comment: str) -> Path:
    """A key pair of OpenSSH without a password; the path of its public half."""
    process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])
    return path.with_name(f"{path.name}.pub")


def make_tree(system: System, tree: Path, log: Path) -> None:
    """Make the tree. Raises BuildFailed when mmdebstrap fails, MachineLacks when it cannot be contained."""
    script, *words = system.furnish
    contained(
        [
            *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
            f"--include={','.join(system.packages)}",
            *(f"--aptopt={setting}" for setting in settings()),
            "--dpkgopt=force-unsafe-io",
            *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
            *(f"--dpkgopt=path-include={path}" for path in KEPT),
            f"--customize-hook={_hook(FIRST, system.laid, system.public_key)}",
            f"--customize-hook={_hook(script, *words)}",
            *(system.suite, tree),
            *(archive.line() for archive in system.sources),
        ],
        log,
    )
    forget_logins(tree)


def _hook(script: str | Path, *words: str | Path) -> str:
    """The command of a hook, which mmdebstrap gives the tree as $1."""
    return f'sh {shlex.quote(str(script))} "$1" {process.quote(words)}'


def settings() -> list[str]:
    """Options of this machine's apt that reaching its archives may depend on, as `NAME "VALUE"`."""
    lines = process.run(["apt-config", "dump", "--format", '%f "%v"%n', "Acquire"]).stdout.splitlines()
    return [line for line in lines if line.split(" ")[0] in SETTINGS and not line.endswith('""')]


def forget_logins(tree: Path) -> None:
    """Take the logins out of a tree's apt sources: whoever gets the image would have them."""
    folder = tree / "etc/apt"
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))):
        text = path.read_text() if path.is_file() else ""
        if bare(text) != text:
            files.write_atomically(path, bare(text))
            note(
                f"! /{path.relative_to(tree)} in the image is without the login that this machine's apt has: "
                "/etc/apt/auth.conf.d is the place for it (apt_auth.conf(5))"
            )


def contained(argv: Sequence[str | Path], log: Path) -> None:
    """Run a command in mount and PID namespaces that end with it, and with us, so nothing of it can be left behind.

    Raises MachineLacks when this machine refuses the namespaces, BuildFailed when the command fails.
    """
    tried = process.run([*CONTAINED, "true"], check=False)
    if tried.returncode != 0:
        raise MachineLacks(
            "this machine lets no process have mounts of its own, and an image is built with such",
            detail=tried.stderr.strip(),
            hint="a container needs CAP_SYS_ADMIN and a writable /proc for it (docker run --privileged); "
            "or build on a machine of your own",
        )
    # `unshare --fork` blocks SIGTERM; its child is killed with it.
    process.run([*CONTAINED, *argv], log=log, death_signal=signal.SIGKILL)
