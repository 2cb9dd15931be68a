"""What ssh says when it fails, and what the user can do about it. The words choose the hint, nothing else."""

from dataclasses import replace

from mplskit.errors import MachineLacks, OutsideFailed
from mplskit.process import quote
from mplskit.remote.host import Host

OWN_FAILURE = 255

NO_SSHD = "what listens there does not speak SSH, or turns us away: is the port the right one?"
# How many lines ssh takes to say why it ends; only of a key that has changed it says more.
LAST = 3
CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
CUT = "the session was cut: did the node reboot, or lose its network? Run it again"

# (words of OpenSSH, what to do); the first that is found counts. {ssh} is the command by hand, {known} the host as
# known_hosts has it.
HINTS = (
    ("Can't open user config file", "the ssh_config file that was named is not there"),
    ("Bad configuration option", "correct the ssh_config file that ssh names"),
    (
        CHANGED,
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
    (
        "tdio forwarding",
        "the jump host does not reach the node: is the node up, is its address right as seen from there?",
    ),
    (
        "Connection closed by UNKNOWN",
        "the jump host turned us away: sshd drops logins when many come at once. Share one connection to it "
        "(ControlMaster auto and ControlPersist in ssh_config, opened before), or give a smaller --parallel",
    ),
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


# The same for sudo and doas. {become} is which, {host} the host as the user wrote it, {user} who logs in.
BECOME_HINTS = (
    (
        "a password is required",
        "sudo wants a password: give --ask-become-password, or put it into MPLSKIT_BECOME_PASSWORD; or let the login "
        "do without on the node (`visudo -f /etc/sudoers.d/mplskit`: {user} ALL=(root) NOPASSWD: ALL)",
    ),
    (
        "no password was provided",
        "sudo wants another password than the one it was given, and gets one try: correct it",
    ),
    (
        "must have a tty",
        "the node's sudo demands a terminal, which a program has not: lift it there (`visudo -f "
        "/etc/sudoers.d/mplskit`: Defaults:{user} !requiretty), or log in as root",
    ),
    (
        "is not in the sudoers file",
        "as root on the node: adduser {user} sudo; or log in as root",
    ),
    (
        "is not allowed to execute",
        "{user} may run some commands, and mplskit runs `sh` as root: allow it on the node (`visudo -f "
        "/etc/sudoers.d/mplskit`: {user} ALL=(root) ALL), or log in as root",
    ),
    (
        "may not run sudo",
        "as root on the node: adduser {user} sudo; or log in as root",
    ),
    (
        "account validation failure",
        "sudo says that the account is locked or expired: look at it on the node (`chage -l {user}`, `faillock`)",
    ),
    (
        "Account or password is expired",
        "the account's password is expired: log in by hand and change it",
    ),
    (
        "not enabled",
        "doas has no rules on the node: as root there, write `permit nopass {user} as root` into /etc/doas.conf",
    ),
    (
        "Operation not permitted",
        "no rule of doas lets {user} become root: as root on the node, add `permit nopass {user} as root` to "
        "/etc/doas.conf",
    ),
    (
        "Authentication required",
        "doas wants a password, and takes it from a terminal only: add `permit nopass {user} as root` to "
        "/etc/doas.conf on the node, or use --become sudo",
    ),
    (
        "{become}: not found",
        "the node has no {become}: install it there, use {other}, or log in as root",
    ),
)


class Unreachable(OutsideFailed):
    """ssh failed by itself: no way to the host, no login, or a session that was cut."""


class PasswordRefused(MachineLacks):
    """sudo did not take the password. The same one would be refused elsewhere, and tries are counted: stop."""


def refusal(host: Host, words: str) -> Unreachable:
    """The error for an ssh that failed by itself and said `words`."""
    lines = words.strip().splitlines()[-15:]
    # Above them a banner may have said anything.
    last = words if CHANGED in words else "\n".join(lines[-LAST:])
    detail = "\n".join(lines) or "ssh said nothing"
    hint = next((hint for sign, hint in HINTS if sign in last), "`{ssh}` shows what ssh has to say; add -v for more")
    return Unreachable(
        f"ssh to {host} failed", detail=detail, hint=hint.format(ssh=quote(_by_hand(host)), known=quote([_known(host)]))
    )


def not_root(host: Host, words: str) -> MachineLacks:
    """The error for a login that works, and may not do enough on the node; `words` say as whom."""
    return MachineLacks(
        f"{host}: {words}",
        hint=f"log in as root (--host {replace(host, user='root')}), or give --become sudo or --become doas",
    )


def become_refused(host: Host, words: str) -> MachineLacks:
    """The error for a sudo or doas that did not make us root and said `words`."""
    become = host.become or ""
    names = {
        "become": become,
        "other": "--become doas" if become == "sudo" else "--become sudo",
        "user": host.user or "USER",
    }
    hint = next(
        (hint for sign, hint in BECOME_HINTS if sign.format(**names) in words),
        f"log in by hand and try `{become} true` there",
    )
    detail = "\n".join(words.strip().splitlines()[-15:]) or f"{become} said nothing"
    return MachineLacks(f"{host}: {become} does not make the login root", detail=detail, hint=hint.format(**names))


def password_refused(host: Host) -> PasswordRefused:
    """The error for a password that sudo asked for a second time."""
    return PasswordRefused(
        f"{host}: sudo does not take the password",
        hint="it was tried once, and no more: too many tries lock accounts. Correct what --ask-become-password is "
        "told, or MPLSKIT_BECOME_PASSWORD",
    )


def _by_hand(host: Host) -> list[str]:
    config = ["-F", str(host.ssh_config)] if host.ssh_config is not None else []
    port = ["-p", str(host.port)] if host.port is not None else []
    return ["ssh", *config, *port, f"{host.user}@{host.name}" if host.user is not None else host.name]


def _known(host: Host) -> str:
    return host.name if host.port in (None, 22) else f"[{host.name}]:{host.port}"
