"""What `apply.sh remove` gives back, and what runs that were cut short keep for it."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import FILES, SPEC, contained, files_of

pytestmark = pytest.mark.usefixtures("namespaces")

OWN = """\
mkdir -p /etc/sysctl.d /etc/systemd/system/multi-user.target.wants
: >/etc/systemd/system/multi-user.target.wants/other.service
echo 'net.ipv4.ip_default_ttl = 63' >/etc/sysctl.d/90-mplskit.conf
chmod 640 /etc/sysctl.d/90-mplskit.conf
tree() { find /etc /usr/local /var/lib ! -path '/var/lib/dpkg*' -printf '%p %y %m %l %s\\n' | sort; }
tree >/run/before
"""
AFTER = """\
tree | diff /run/before - && echo so
cat /etc/sysctl.d/90-mplskit.conf"""


@pytest.mark.parametrize("times", [1, 2])
def test_remove_leaves_the_tree_as_it_was_with_the_file_of_somebody_else(times: int, tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    install = 'sh "$APPLY" image >/dev/null; ' * times
    said = contained(tmp_path / "stage", f'{OWN}{install}sh "$APPLY" remove; echo "exit $?"; {AFTER}')
    assert said[-3:] == ["exit 0", "so", "net.ipv4.ip_default_ttl = 63"]
    assert {(item.name, item.detail) for item in files_of(said) if item.state == "changed"} == {
        (path, "what was there before is back" if "sysctl.d" in path else "taken away") for path in FILES
    }


def test_a_run_that_was_cut_short_keeps_what_was_there_before_and_is_finished_by_the_next(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    # The run ends in the middle of a file: when that is to be moved to its place, and before it is.
    cut = """\
mkdir /run/bin; cat >/run/bin/mv <<'END'
#!/bin/sh
echo x >>/run/moved
[ $(wc -l </run/moved) != 3 ] || kill -9 $(cat /run/pid)
exec /bin/mv "$@"
END
chmod +x /run/bin/mv
sed 's|PATH=/usr/local/sbin|PATH=/run/bin:/usr/local/sbin|' "$APPLY" >"${APPLY%/*}/cut.sh"
sh -c 'echo $$ >/run/pid; exec sh "$0" image' "${APPLY%/*}/cut.sh" >/dev/null 2>&1; echo "cut $?"
"""
    script = f'{OWN}{cut}sh "$APPLY" image | cut -f 1 | sort | uniq -c; sh "$APPLY" remove >/dev/null; {AFTER}'
    said = contained(tmp_path / "stage", script)
    assert said[0] == "cut 137"
    assert said[-2:] == ["so", "net.ipv4.ip_default_ttl = 63"]


def test_the_second_remove_has_nothing_to_do(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    script = 'sh "$APPLY" image >/dev/null; sh "$APPLY" remove >/dev/null; sh "$APPLY" remove; echo "exit $?"'
    assert contained(tmp_path / "stage", script) == [Item("same", "node", "mplskit", "is not set up here"), "exit 0"]


@pytest.mark.parametrize(
    ("mine", "left"), [(":", "0"), ("echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/99-mine.conf", "1")]
)
def test_remove_gives_a_sysctl_the_value_before_us_unless_a_file_of_others_says_one(
    mine: str, left: str, tmp_path: Path
) -> None:
    stage(tmp_path / "stage", NodeSpec(ip_forward=True))
    switch = "/proc/sys/net/ipv4/ip_forward"
    script = f"""
    echo 0 >{switch}; sh "$APPLY" node >/dev/null; cat {switch}
    mkdir -p /etc/sysctl.d; {mine}
    sh "$APPLY" remove >/dev/null; cat {switch}
    """
    assert contained(tmp_path / "stage", script) == ["1", left]
