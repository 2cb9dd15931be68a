from pathlib import Path

import pytest

from mplskit.errors import Exit
from mplskit.remote.host import Host
from mplskit.remote.refusals import refusal

GOLDEN = Path(__file__).parent / "golden"

WORDS = {
    "refused": "ssh: connect to host 10.10.0.187 port 2222: Connection refused",
    "timed-out": "ssh: connect to host 10.10.0.187 port 2222: Connection timed out",
    "wrong-key": "root@10.10.0.187: Permission denied (publickey).",
    "unknown-host-key": (
        "No ED25519 host key is known for [10.10.0.187]:2222 and you have requested strict checking.\r\n"
        "Host key verification failed."
    ),
    "changed-host-key": (
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
        "Host key for [10.10.0.187]:2222 has changed and you have requested strict checking.\r\n"
        "Host key verification failed."
    ),
    "unknown-name": "ssh: Could not resolve hostname 10.10.0.187: Name or service not known",
    "cut": "Connection to 10.10.0.187 closed by remote host.",
    "behind-a-jump-host": (
        "channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\n"
        "Connection closed by UNKNOWN port 65535"
    ),
    "crowded-jump-host": (
        "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535"
    ),
    "silent": "",
}


@pytest.mark.parametrize("case", WORDS)
def test_a_failing_ssh_is_told_with_its_words_and_what_to_do(case: str) -> None:
    failure = refusal(Host("10.10.0.187", "root", 2222), WORDS[case])
    assert failure.code == Exit.OUTSIDE_FAILED
    assert f"{failure}\n" == (GOLDEN / f"remote-{case}.txt").read_text()
