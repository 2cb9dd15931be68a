"""The data of a host in pyinfra's own words: what is taken of them, and what cannot be meant with mplskit."""

from collections.abc import Iterator, Mapping
from pathlib import Path

SPEC = "mplskit"
# What pyinfra's data are called here.
KEYS = {"host": "ssh_hostname", "user": "ssh_user", "port": "ssh_port", "become": "_sudo or _doas"}
PATHS = ("ssh_key", "ssh_known_hosts_file")
# What is handed on to pyinfra as it is.
KEPT = (
    *("ssh_allow_agent", "ssh_look_for_keys", "ssh_forward_agent", "ssh_file_transfer_protocol"),
    *("ssh_connect_retries", "ssh_connect_retry_min_delay", "ssh_connect_retry_max_delay"),
)
READ = (*("ssh_hostname", "ssh_user", "ssh_port", "ssh_config_file", "ssh_strict_host_key_checking"), *PATHS, *KEPT)
PASSWORDS = ("ssh_password", "ssh_key_password", "_sudo_password", "_su_password")
CHECKING = ("yes", "accept-new")


def refused(data: Mapping[str, object]) -> Iterator[str]:
    """A rule for each thing that does not fit."""
    yield from _spec(data.get(SPEC))
    yield from _root(data)
    for key in PASSWORDS:
        if data.get(key):
            yield f"{key}: passwords are not carried: use keys, and an agent for those with a passphrase"
    if data.get("ssh_forward_agent"):
        yield "ssh_forward_agent: no node is given your agent"
    if data.get("ssh_strict_host_key_checking", "yes") not in CHECKING:
        yield f"ssh_strict_host_key_checking: {' or '.join(CHECKING)}: host keys are checked"
    for key in data:
        if key.startswith("ssh_") and key not in (*READ, *PASSWORDS):
            yield f"{key}: mplskit does not know it; allowed: {', '.join(READ)}"
    for key in (*PATHS, "ssh_config_file", "ssh_hostname"):
        if not isinstance(data.get(key), str | None):
            yield f"{key}: should be text"


def _spec(spec: object) -> Iterator[str]:
    if not isinstance(spec, dict):
        yield f"{SPEC} {'should be a mapping' if spec is not None else 'is missing'}: what the node should be"
        return
    for key in (*KEYS, "groups"):
        if key in spec:
            yield f"{SPEC}.{key}: that is said by {KEYS.get(key, 'the groups of the file')}"


def _root(data: Mapping[str, object]) -> Iterator[str]:
    for key in ("_su_user", "_dzdo"):
        if data.get(key):
            yield f"{key}: _sudo and _doas are the ways to root"
    for key in ("_sudo_user", "_doas_user"):
        if data.get(key) not in ("root", None):
            yield f"{key}: only root sets a node up"
    if data.get("_sudo") and data.get("_doas"):
        yield "_sudo and _doas: one of them"


def connection(data: Mapping[str, object]) -> dict[str, object]:
    """What is handed on to pyinfra; paths as they are meant here."""
    paths = {key: str(Path(str(data[key])).expanduser().absolute()) for key in PATHS if data.get(key)}
    return {**{key: data[key] for key in KEPT if key in data}, **paths}
