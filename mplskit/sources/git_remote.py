"""Asks a git repository elsewhere: its refs, one commit of it. Nobody's git configuration has a say in it."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mplskit import process
from mplskit.errors import Failure, OutsideFailed
from mplskit.patience import GaveUp, Passing, patiently
from mplskit.sources.network_settings import Network

# Seconds for a list of refs, and for all of a commit.
LIST_TIMEOUT, FETCH_TIMEOUT = 300, 7200

# The whole configuration that git sees. No hook, filter, credential helper or rewriting of addresses of this machine
# is in it; protocols that run commands (ext) are out.
CONFIG = """\
[core]
\thooksPath = /dev/null
\tattributesFile = /dev/null
\taskPass = true
[safe]
\tdirectory = *
[protocol]
\tallow = never
[protocol "https"]
\tallow = always
[protocol "http"]
\tallow = always
[protocol "ssh"]
\tallow = always
[protocol "git"]
\tallow = always
[protocol "file"]
\tallow = always
[http]
\tlowSpeedLimit = 1000
\tlowSpeedTime = {seconds}
[gc]
\tauto = 0
[maintenance]
\tauto = false
[advice]
\tdetachedHead = false
"""
# What a commit holds is what a user gets: its attributes would otherwise leave files out or write others anew.
ATTRIBUTES = "* -export-ignore -export-subst -text -eol -ident -filter !working-tree-encoding\n"

# Variables of git's that are about how to reach a server; all others stay out.
_KEPT = re.compile(r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_[A-Z_]+|PROXY_[A-Z_]+|HTTP_PROXY_[A-Z_]+)")
_PASSING = re.compile(
    r"Could not resolve (host|proxy)|Failed to connect|Couldn't connect|[Cc]onnection (refused|timed out|reset|closed)"
    r"|Operation (too slow|timed out)|early EOF|unexpected disconnect|hung up unexpectedly|RPC failed"
    r"|returned error: (408|429|5\d\d)|Temporary failure in name resolution|Network is unreachable|Empty reply"
    r"|unable to connect to"
)
_NOT_GIVEN = re.compile(r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref")
_LOGIN = re.compile(r"could not read (Username|Password)|Authentication failed|error: (401|403)|Permission denied")
_HOST_KEY = re.compile(r"Host key verification failed")
_NO_REPOSITORY = re.compile(r"not found|error: 404|does not appear to be a git repository|does not exist")


class NotGiven(OutsideFailed):
    """The repository does not give the object that was asked for."""


@dataclass
class Remote:
    """A repository elsewhere; `called` names the source in errors, `scratch` is a folder of our own."""

    url: str
    called: str
    network: Network
    scratch: Path
    environment: Mapping[str, str | None] = field(init=False)

    def __post_init__(self) -> None:
        config = self.scratch / "gitconfig"
        config.write_text(CONFIG.format(seconds=max(1, round(self.network.timeout))))
        self.environment = environment(os.environ, config)

    def refs(self, *patterns: str) -> dict[str, str]:
        """The object (hex) of each ref there whose name ends with one of the patterns. Raises OutsideFailed."""
        # Without a repository: git would take the configuration of one that the user happens to stand in.
        nowhere = f"--git-dir={self.scratch / 'none'}"
        listed = self._patiently(["git", nowhere, "ls-remote", "--", self.url, *patterns], LIST_TIMEOUT)
        rows = (line.split("\t", 1) for line in listed.stdout.splitlines())
        return {row[1]: row[0] for row in rows if len(row) == 2}

    def fetch(self, repository: Path, wanted: str, limit: int) -> None:
        """Bring one object, with one commit of history, into a new bare repository; no pack may exceed `limit` bytes.

        Raises NotGiven, OutsideFailed.
        """
        form = "sha256" if len(wanted) == 64 else "sha1"
        self.run(["git", "init", "--quiet", "--bare", "--template=", f"--object-format={form}", repository])
        (repository / "info").mkdir(exist_ok=True)
        (repository / "info" / "attributes").write_text(ATTRIBUTES)
        options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]
        argv: list[process.Argument] = ["prlimit", f"--fsize={limit}", "git", "-C", repository, "fetch", *options]
        self._patiently([*argv, "--", self.url, wanted], FETCH_TIMEOUT)

    def run(self, argv: Sequence[process.Argument], stdout: IO[bytes] | None = None) -> process.Finished:
        """Run a git command that asks nobody elsewhere."""
        return process.run(argv, env=self.environment, stdout=stdout, failure=OutsideFailed)

    def _patiently(self, argv: Sequence[process.Argument], seconds: float) -> process.Finished:
        said = ""

        def attempt() -> process.Finished:
            nonlocal said
            done = process.run(argv, env=self.environment, check=False, timeout=seconds, failure=OutsideFailed)
            said = done.stderr.strip()
            if done.returncode and _PASSING.search(said):
                raise Passing(_last(said))
            return done

        try:
            done = patiently(self.url, self.network.tries, self.network.wait, attempt)
        except GaveUp as gave_up:
            raise self._failed(said, len(gave_up.why)) from None
        if done.returncode:
            raise self._failed(said, 1)
        return done

    def _failed(self, said: str, tries: int) -> Failure:
        if _NOT_GIVEN.search(said):
            return NotGiven(f"{self.called}: the repository does not give that object", detail=said)
        often = f" (tried {tries} times)" if tries > 1 else ""
        return OutsideFailed(f"{self.called}: git could not bring it{often}", detail=said, hint=_way_on(said))


def environment(variables: Mapping[str, str], config: Path) -> dict[str, str | None]:
    """What git finds in its environment: a proxy and an ssh agent as they are, but nobody to ask, and no
    configuration except `config`."""
    dropped = [name for name in variables if name.startswith("GIT_") and not _KEPT.fullmatch(name)]
    own = {
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS": None,
    }
    if not {"GIT_SSH", "GIT_SSH_COMMAND"} & variables.keys():
        own["GIT_SSH_COMMAND"] = "ssh -a -x -o BatchMode=yes -o ConnectTimeout=30"
    return {**dict.fromkeys(dropped), **own}


def _way_on(said: str) -> str:
    if _LOGIN.search(said):
        return "nobody is asked for a login: take an address that is open to all, or git+ssh:// with a key in the agent"
    if _HOST_KEY.search(said):
        return "log in to that host once with ssh, and accept its key"
    if _NO_REPOSITORY.search(said):
        return "look at the address: git+https://HOST/PATH@REF"
    if _PASSING.search(said):
        return "look at the address, and at this machine's network and proxy (https_proxy)"
    return "look at the address, and at what git says"


def _last(said: str) -> str:
    return said.splitlines()[-1] if said else "no answer"
