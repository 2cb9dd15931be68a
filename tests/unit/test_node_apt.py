"""What --apt and --package may say, and what becomes of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.apt import KEY_FILE, SOURCES_FILE, apt_of, wanted_packages
from mplskit.node.payload.payload import contents
from tests.golden import assert_golden

KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawOx2RYJKwYBBAHaRw8BAQdAxOzCz33gTBD3vOC5X7P01I4itcrnmSxd49tq
=Rx2G
-----END PGP PUBLIC KEY BLOCK-----
"""
EMBEDDED = "Signed-By:\n" + "".join(f" {line or '.'}\n" for line in KEY.splitlines())
GOOD = f"Types: deb\nURIs: https://deb.example.net/mpls\nSuites: stable\nComponents: main\n{EMBEDDED}"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return tmp_path / "mpls.sources"


def test_a_node_gets_the_list_and_the_key_as_two_files(sources: Path) -> None:
    sources.write_text("# our packages\n" + GOOD)
    apt = apt_of(sources, ["linux-image-6.12.1-mpls", "iproute2=6.1.0-3+mpls1"])
    assert apt is not None
    assert apt.packages == ("linux-image-6.12.1-mpls", "iproute2=6.1.0-3+mpls1")
    assert apt.files == {
        "/etc/apt/keyrings/mplskit.asc": KEY,
        "/etc/apt/sources.list.d/mplskit.sources": (
            "# Made by mplskit (node.bootstrap --apt): changes are overwritten.\n"
            "Types: deb\nURIs: https://deb.example.net/mpls\nSuites: stable\nComponents: main\n"
            "Signed-By: /etc/apt/keyrings/mplskit.asc\n"
        ),
    }
    brought = dict(contents(None, apt=apt))
    assert brought["want/apt"] == b"linux-image-6.12.1-mpls\niproute2=6.1.0-3+mpls1\n"
    assert brought["files/etc/apt/keyrings/mplskit.asc"] == KEY.encode()


def test_two_stanzas_with_one_key_share_its_file_and_another_key_gets_its_own(sources: Path) -> None:
    sources.write_text(f"{GOOD}\n{GOOD}\n{GOOD.replace('=Rx2G', '=AAAA')}")
    apt = apt_of(sources, ["x1"])
    assert apt is not None
    assert set(apt.files) == {"/etc/apt/keyrings/mplskit.asc", "/etc/apt/keyrings/mplskit-2.asc", SOURCES_FILE}
    signed = [line for line in apt.files[SOURCES_FILE].splitlines() if line.startswith("Signed-By")]
    assert signed == [
        "Signed-By: /etc/apt/keyrings/mplskit.asc",
        "Signed-By: /etc/apt/keyrings/mplskit.asc",
        "Signed-By: /etc/apt/keyrings/mplskit-2.asc",
    ]


def test_a_key_that_is_on_the_node_is_named_as_it_is(sources: Path) -> None:
    sources.write_text(
        "types: deb\nuris: http://deb.example.net/flat\nsuites: ./\nsigned-by: /usr/share/keyrings/ours.gpg\n"
    )
    apt = apt_of(sources, ["x1"])
    assert apt is not None
    assert list(apt.files) == [SOURCES_FILE]
    assert "Suites: ./\nSigned-By: /usr/share/keyrings/ours.gpg\n" in apt.files[SOURCES_FILE]


def test_sections_of_a_node_bring_debians_packages_unless_a_version_was_asked_for(sources: Path) -> None:
    sources.write_text(GOOD)
    ends = {"address": "10.96.96.2/30", "cert": "/etc/c", "key": "/etc/k", "ca": "/etc/ca"}
    ldp = {"router_id": "10.0.0.1", "interfaces": ["eth0"]}
    spec = NodeSpec.model_validate({"mpls_input": ["eth0"], "openvpn": [{"dev": "vpn0", **ends}], "ldp": ldp})
    assert wanted_packages(spec, None) == ("openvpn", "frr")
    assert wanted_packages(spec, apt_of(sources, ["iproute2", "frr=10.1-1"])) == ("openvpn", "iproute2", "frr=10.1-1")
    assert wanted_packages(NodeSpec(), None) == ()
    assert dict(contents(spec))["want/apt"] == b"openvpn\nfrr\n"


WRONG = {
    "no-key": GOOD.replace(EMBEDDED, ""),
    "trusted": GOOD + "Trusted: yes\n",
    "no-date": GOOD + "check-valid-until: NO\n",
    "one-line": "deb [trusted=yes] http://deb.example.net/ stable main\n",
    "no-components": GOOD.replace("Components: main\n", ""),
    "flat-with-components": GOOD.replace("Suites: stable", "Suites: ./"),
    "source-packages": GOOD.replace("Types: deb", "Types: deb deb-src"),
    "scheme": GOOD.replace("https:", "ftp:"),
    "no-host": GOOD.replace("https://deb.example.net", "https:"),
    "password": GOOD.replace("https://", "https://me:secret@"),
    "fingerprint": GOOD.replace(EMBEDDED, "Signed-By: 8AC0B7E384C68DB39A56E2FCC58FC0278945C512\n"),
    "half-a-key": GOOD.replace(" -----END PGP PUBLIC KEY BLOCK-----\n", ""),
    "private-key": GOOD.replace("PUBLIC", "PRIVATE"),
    "disabled": GOOD + "Enabled: no\n",
}


@pytest.mark.parametrize("case", WRONG)
def test_a_list_that_is_not_in_order_is_refused(case: str, sources: Path) -> None:
    sources.write_text(WRONG[case])
    with pytest.raises(WrongInput) as refused:
        apt_of(sources, ["linux-image-6.12.1-mpls"])
    assert "secret" not in str(refused.value)
    assert_golden(f"apt-{case}", f"{refused.value}\n", {sources.parent: "FOLDER"})


@pytest.mark.parametrize(
    ("name", "list_given", "packages"),
    [
        ("package-alone", False, ["iproute2"]),
        ("list-alone", True, []),
        ("package-name", True, ["-o=x"]),
        ("package-version", True, ["iproute2=6;reboot"]),
        ("package-architecture", True, ["iproute2:i386"]),
        ("package-twice", True, ["iproute2", "iproute2=6.1"]),
    ],
)
def test_the_two_flags_go_together_and_name_packages(
    name: str, list_given: bool, packages: list[str], sources: Path
) -> None:
    sources.write_text(GOOD)
    with pytest.raises(WrongInput) as refused:
        apt_of(sources if list_given else None, packages)
    assert_golden(f"apt-{name}", f"{refused.value}\n", {sources.parent: "FOLDER"})


def test_a_list_that_is_not_there_is_told(sources: Path) -> None:
    with pytest.raises(WrongInput) as refused:
        apt_of(sources, ["iproute2"])
    assert_golden("apt-no-file", f"{refused.value}\n", {sources.parent: "FOLDER"})


def test_neither_flag_is_nothing() -> None:
    assert apt_of(None, []) is None


@given(st.lists(st.sampled_from([*GOOD.splitlines(), "Trusted: yes", "", " x", "\t", ":", "Trusted : yes"])))
def test_whatever_is_accepted_is_signed_and_not_trusted_blindly(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.sources"
    path.write_text("\n".join(lines))
    try:
        apt = apt_of(path, ["x1"])
    except WrongInput:
        return
    assert apt is not None
    text = apt.files[SOURCES_FILE]
    assert text.count("Signed-By: /") == text.count("Types: deb")
    assert "trusted" not in text.lower()
    assert apt.files[KEY_FILE.format("")].endswith("-----END PGP PUBLIC KEY BLOCK-----\n")


@given(st.text(max_size=40))
def test_a_package_name_is_never_a_flag_or_shell(name: str) -> None:
    try:
        apt_of(Path("/nonexistent"), [name])
    except WrongInput as refused:
        if "not NAME or NAME=VERSION" not in refused.message:
            assert name.isascii()
            assert not set(name) & set(" \n\t;|&$`'\"\\()<>*?")
            assert not name.startswith("-")
