"""What ssh says when it fails, and what the user can do about it. The words choose the hint, nothing else."""

from dataclasses import replace

from mplskit.errors import MachineLacks, OutsideFailed
from mplskit.process import quote
from mplskit.remote.host import Host

OWN_FAILURE = 255

NO_SSHD = "what listens there does not speak SSH, or turns us away: is the port the right one?"
CUT = "the session was cut: did the node reboot, or lose its network? Run it again"

# (words of OpenSSH, what to do); the first that is found counts. {ssh} is the command by hand, {known} the host as
# known_hosts has it.
HINTS = (
    ("Can't open user config file", "the ssh_config file that was named is not there"),
    ("Bad configuration option", "correct the ssh_config file that ssh names"),
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "the node shows another host key than before: someone may sit in between. If it was installed anew, forget "
        "the old key with `ssh-keygen -R {known}`",
    ),
    (
        "Host key verification failed",
        "the node's host key is not known here: connect once by hand with `{ssh}` and compare the fingerprint, or add "
        "the key to known_hosts",
    ),
    (
        "Too many authentication failures",
        "the agent offers too many keys: name the right one in ssh_config (IdentityFile, IdentitiesOnly yes)",
    ),
    (
        "Permission denied",
        "the node takes none of the keys that ssh offers, and passwords are not asked for: bring one with "
        "ssh-copy-id, or name user and key in ssh_config; `{ssh}` must log in without asking",
    ),
    ("Could not resolve hostname", "no such name: correct it, or give it a HostName in ssh_config"),
    ("Connection refused", "nothing listens there: is sshd running on the node, and is the port the right one?"),
    ("banner exchange", NO_SSHD),
    ("kex_exchange_identification", NO_SSHD),
    ("Connection closed by", NO_SSHD),
    (
        "timed out",
        "the node does not answer: is it up, is the address right, does a firewall drop the packets?",
    ),
    ("No route to host", "there is no way to that address: is the node up, is the address right?"),
    ("Network is unreachable", "this machine has no route to that address"),
    ("closed by remote host", CUT),
    ("Connection reset", CUT),
    ("Broken pipe", CUT),
    ("not responding", CUT),
)


def refusal(host: Host, words: str) -> OutsideFailed:
    """The error for an ssh that failed by itself and said `words`."""
    detail = "\n".join(words.strip().splitlines()[-15:]) or "ssh said nothing"
    hint = next((hint for sign, hint in HINTS if sign in words), "`{ssh}` shows what ssh has to say; add -v for more")
    return OutsideFailed(
        f"ssh to {host} failed", detail=detail, hint=hint.format(ssh=quote(_by_hand(host)), known=quote([_known(host)]))
    )


def not_root(host: Host, words: str) -> MachineLacks:
    """The error for a login that works, and may not do enough on the node; `words` say as whom."""
    return MachineLacks(f"{host}: {words}", hint=f"log in as root: --host {replace(host, user='root')}")


def _by_hand(host: Host) -> list[str]:
    config = ["-F", str(host.ssh_config)] if host.ssh_config is not None else []
    port = ["-p", str(host.port)] if host.port is not None else []
    return ["ssh", *config, *port, f"{host.user}@{host.name}" if host.user is not None else host.name]


def _known(host: Host) -> str:
    return host.name if host.port in (None, 22) else f"[{host.name}]:{host.port}"
