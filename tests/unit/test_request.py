from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.config_request import known_names, make_request, parse_set, symbol_name
from mplskit.config.flags import ConfigFlags
from mplskit.config.fragment import parse_config
from mplskit.errors import WrongInput
from mplskit.remote.flags import SessionFlags

MPLS = {"MPLS": "y", "LWTUNNEL": "y", "MPLS_ROUTING": "m", "MPLS_IPTUNNEL": "m", "NET_MPLS_GSO": "m"}


def asked(options: tuple[str, ...] = ()) -> dict[str, str]:
    return {s.symbol: s.value for s in make_request(ConfigFlags(options=options)).settings}


def test_mpls_is_always_in() -> None:
    assert asked() == MPLS
    assert asked(options=("mpls",)) == MPLS
    assert asked(options=("lab",)).items() > MPLS.items()


def test_a_later_word_wins_over_an_earlier_one_and_says_who_asked(tmp_path: Path) -> None:
    mine = tmp_path / "mine.config"
    mine.write_text("CONFIG_VETH=n\nCONFIG_MPLS_ROUTING=y\nCONFIG_DUMMY=y\n")
    found = make_request(
        ConfigFlags(options=("lab",), fragment=(str(mine),), set_=("DUMMY=n", "VETH=y", "VETH=m"))
    ).settings
    by = {setting.symbol: (setting.value, setting.asked_by) for setting in found}
    assert by["MPLS"] == ("y", "options/mpls.config:5")
    assert by["MPLS_ROUTING"] == ("y", f"{mine}:2")
    assert by["DUMMY"] == ("n", "--set DUMMY=n")
    assert by["VETH"] == ("m", "--set VETH=m")
    assert len(found) == len(by)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("MPLS_GSO", "NET_MPLS_GSO"),
        ("mpls-gso", "NET_MPLS_GSO"),
        ("mpls_gso", "NET_MPLS_GSO"),
        ("mpls-router", "MPLS_ROUTING"),
        ("mpls_router", "MPLS_ROUTING"),
        ("mpls-iptunnel", "MPLS_IPTUNNEL"),
        ("lwtunnel", "LWTUNNEL"),
        ("CONFIG_MPLS", "MPLS"),
        ("config_mpls", "MPLS"),
        ("CONFIG_mpls", "MPLS"),
        ("CONFIG_MPLS_GSO", "NET_MPLS_GSO"),
        ("9p-fs", "9P_FS"),
        ("MPLS_ROUTING", "MPLS_ROUTING"),
        ("MixedCase", "MixedCase"),
    ],
)
def test_the_names_that_people_use_are_understood(text: str, symbol: str) -> None:
    assert symbol_name(text) == symbol


@pytest.mark.parametrize(
    ("text", "symbol", "value"),
    [
        ("MPLS=n", "MPLS", "n"),
        ("mpls-router=y", "MPLS_ROUTING", "y"),
        ("NR_CPUS=64", "NR_CPUS", "64"),
        ("PHYSICAL_START=0x1000000", "PHYSICAL_START", "0x1000000"),
        ("LOCALVERSION=-mine", "LOCALVERSION", '"-mine"'),
        ('LOCALVERSION=""', "LOCALVERSION", '""'),
        ('CMDLINE="console=ttyS0 a"', "CMDLINE", '"console=ttyS0 a"'),
        ('CMDLINE=say "hi" \\o/', "CMDLINE", r'"say \"hi\" \\o/"'),
        ('X="', "X", r'"\""'),
        ('X="a"b"', "X", r'"\"a\"b\""'),
        ("X=yes", "X", '"yes"'),
        ("X=0x", "X", '"0x"'),
    ],
)
def test_a_single_setting_is_read_as_users_write_it(text: str, symbol: str, value: str) -> None:
    setting = parse_set(text)
    assert (setting.symbol, setting.value, setting.asked_by) == (symbol, value, f"--set {text}")


@pytest.mark.parametrize(
    "text", ["", "MPLS", "MPLS=", "=y", "A B=y", "MPLS y", "X=a\nCONFIG_MPLS=n", 'X="a\nb"', "É=y"]
)
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(WrongInput):
        parse_set(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: not {"\n", "\0"} & {*text}))
def test_any_text_becomes_one_setting_that_can_be_read_again(text: str) -> None:
    setting = parse_set(f"X={text}")
    assert parse_config(f"CONFIG_A=y\n{setting.line()}\nCONFIG_B=y\n") == (
        {"A": "y", "B": "y"} if text == "n" else {"A": "y", "X": setting.value, "B": "y"}
    )


def test_a_known_base_is_a_fragment_and_a_file_is_a_whole_configuration(tmp_path: Path) -> None:
    (tmp_path / "config-6.1").write_text("CONFIG_NET=y\n# CONFIG_MPLS is not set\n")
    guest = make_request(ConfigFlags()).base
    own = make_request(ConfigFlags(str(tmp_path / "config-6.1"))).base
    assert (guest.name, guest.start, guest.fragment and guest.fragment.name) == ("guest", "allnoconfig", "guest.config")
    assert (own.name, own.start, own.file) == (str(tmp_path / "config-6.1"), "file", tmp_path / "config-6.1")


def test_what_is_not_there_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "no.config").write_text("MPLS=y\n")
    for base, options, fragments in (
        ("gest", (), ()),
        ("/none", (), ()),
        (str(tmp_path), (), ()),
        (str(tmp_path / "no.config"), (), ()),
        ("guest", ("labb",), ()),
        ("guest", ("../options/lab",), ()),
        ("guest", (), (str(tmp_path / "none"),)),
        ("guest", (), (str(tmp_path / "no.config"),)),
    ):
        with pytest.raises(WrongInput):
            make_request(ConfigFlags(base, options=options, fragment=fragments))


def test_the_sets_and_bases_are_what_the_folders_hold() -> None:
    assert {"lab", "mpls"} <= set(known_names("options"))
    assert "guest" in known_names("bases")


def test_of_a_choice_the_last_word_comes_last() -> None:
    found = make_request(ConfigFlags(set_=("HZ_100=n", "HZ_300=y", "HZ_100=y"))).settings
    assert [(setting.symbol, setting.value) for setting in found][-2:] == [("HZ_300", "y"), ("HZ_100", "y")]


def test_an_ssh_config_that_nobody_is_asked_by_is_refused() -> None:
    with pytest.raises(WrongInput) as refused:
        make_request(ConfigFlags(), SessionFlags(ssh_config="/etc/ssh/ssh_config"))
    assert refused.value.message == "--ssh-config /etc/ssh/ssh_config: no node is asked"
