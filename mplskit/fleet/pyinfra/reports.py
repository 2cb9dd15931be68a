"""What pyinfra leaves of one node: the report that deploy.py keeps, or its words about a node that is not reached."""

from collections.abc import Iterable
from pathlib import Path

from mplskit import process
from mplskit.errors import Failure, OutsideFailed
from mplskit.fleet.pyinfra.bounds import NO_PASSWORD
from mplskit.node.carry import AGAIN, MOST, MOST_ITEMS, whole
from mplskit.node.payload_report import Item, Report, parse_line
from mplskit.remote.host import Host
from mplskit.remote.refusals import Unreachable, become_refused, refusal
from mplskit.whole_number import whole as whole_number
from mplskit.wording import clean

# Begins the last line of a report; the exit status follows.
ENDED = "ended"
# (words of pyinfra or paramiko, what to do); those of the system are in refusals.HINTS.
HINTS = (
    (
        "No host key for",
        "the node's host key is not known here: connect once by hand with `ssh` and compare the fingerprint, add the "
        "key to known_hosts, or give --accept-new. pyinfra reads ~/.ssh/known_hosts and the UserKnownHostsFile of "
        "ssh_config, no other file",
    ),
    (
        "does not match",
        "the node shows another host key than before: someone may sit in between. If it was installed anew, forget "
        "the old key with ssh-keygen -R",
    ),
    (
        "Authentication error",
        "the node takes none of the keys that pyinfra offers: name user and key in ssh_config; a key with a passphrase "
        "must be in the agent",
    ),
    (
        "Unable to connect to port",
        "nothing answers there: is the node up, is sshd running on it, are address and port the right ones?",
    ),
    ("SSH protocol banner", "what listens there does not speak SSH, or turns us away: is the port the right one?"),
)


def unreachable(host: Host, words: Iterable[str]) -> Unreachable:
    """The failure of a node that pyinfra found no way to, by its words."""
    said = "\n".join(words)
    hint = next((hint for sign, hint in HINTS if sign in said), "") or refusal(host, said).hint
    return Unreachable(f"pyinfra does not reach {host}", detail=said, hint=hint)


def begun(folder: Path, name: str) -> bool:
    """Whether the payload of a node was on its way, at least."""
    return (folder / "reports" / f"{name}.tsv").exists()


def through(folder: Path, name: str) -> bool:
    """Whether a node is through; its report is whole then."""
    return (folder / "reports" / f"{name}.log").exists()


def report_of(folder: Path, name: str, host: Host) -> Report:
    """The report of a node that is through.

    Raises OutsideFailed when the payload did not run to its end, MachineLacks when root was not reached.
    """
    said = _text(folder / "reports" / f"{name}.log", host).strip().splitlines()
    lines = _text(folder / "reports" / f"{name}.tsv", host).rstrip("\n").split("\n")
    word, _, status = lines[-1].partition("\t")
    number = whole_number(status, 0, 255)
    ended = word == ENDED and number is not None
    items: list[Item] = []
    foreign: list[str] = []
    for line in filter(None, lines[:-1] if ended else lines):
        try:
            items.append(parse_line(line))
        except ValueError:
            foreign.append(line)
    if len(items) > MOST_ITEMS:
        raise OutsideFailed(f"{host} names more than {MOST_ITEMS:,} items: they were not read", hint=AGAIN)
    if word == ENDED and number is not None:
        return whole(host, items, number, [*foreign, *said])
    if items:
        last = items[-1]
        raise OutsideFailed(
            f"the session with {host} was cut, after {last.kind} {last.name}", detail="\n".join(said), hint=AGAIN
        )
    raise _not_begun(host, [*foreign, *said])


def _not_begun(host: Host, said: list[str]) -> Failure:
    """Why the shell that runs the payload did not say how it ended, and nothing came of it."""
    if host.become is None:
        detail = "\n".join(said[-process.TAIL_LINES :])
        return OutsideFailed(f"the payload did not run on {host}", detail=detail, hint=AGAIN)
    refused = become_refused(host, "\n".join(said))
    if any("password is required" in line for line in said):
        refused.hint = NO_PASSWORD
    return refused


def _text(path: Path, host: Host) -> str:
    if path.stat().st_size > MOST:
        raise OutsideFailed(f"{host} sent more than {MOST >> 20} MiB: it was not read")
    return clean(path.read_text(errors="replace"))
