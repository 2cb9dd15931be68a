"""Options that name files: what is asked is refused where it is not there, what a base brings is taken out."""

from pathlib import Path

import pytest

from mplskit.config.config_request import parse_set
from mplskit.config.fragment import Setting, parse_config
from mplskit.config.named_files import contents, faults, settled
from mplskit.errors import WrongInput
from mplskit.sources.source_tree import SourceTree

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"


def cleared(text: str, tree: Path, *asked: str) -> dict[str, str]:
    found = settled(parse_config(text), "debian", [parse_set(words) for words in asked], tree)
    return {setting.symbol: setting.value for setting in found}


def why(text: str, tree: Path) -> list[str]:
    return [fault.why for fault in faults(parse_config(text), tree)]


def test_what_a_base_names_and_is_not_here_is_taken_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        'CONFIG_SYSTEM_TRUSTED_KEYS="debian/certs/debian-uefi-certs.pem"\nCONFIG_MODULE_SIG_KEY="/root/key.pem"\n'
        'CONFIG_SYSTEM_REVOCATION_KEYS=""\nCONFIG_EXTRA_FIRMWARE="no/such.bin"\nCONFIG_INITRAMFS_SOURCE="/no/root"\n'
        'CONFIG_UNUSED_KSYMS_WHITELIST="abi/list"\nCONFIG_ACPI_CUSTOM_DSDT_FILE="/no/dsdt.hex"\n'
        'CONFIG_LOGO_LINUX_MONO_FILE="mine.pbm"\nCONFIG_CMDLINE="/no/file"\n'
    )
    assert cleared(text, tmp_path) == {
        "SYSTEM_TRUSTED_KEYS": '""',
        "MODULE_SIG_KEY": '"certs/signing_key.pem"',
        "EXTRA_FIRMWARE": '""',
        "INITRAMFS_SOURCE": '""',
        "ACPI_CUSTOM_DSDT_FILE": '""',
        "UNUSED_KSYMS_WHITELIST": '""',
        "LOGO_LINUX_MONO_FILE": '"drivers/video/logo/logo_linux_mono.pbm"',
    }
    said = capsys.readouterr().err
    assert (
        f'! SYSTEM_TRUSTED_KEYS="debian/certs/debian-uefi-certs.pem" of the base: {tmp_path}/debian/certs/'
        'debian-uefi-certs.pem: there is no such file; "" is taken\n'
    ) in said


def test_what_a_base_names_and_is_here_stays(tmp_path: Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "certs.pem").write_text(CERTIFICATE)
    (tmp_path / "own.pem").write_text(KEY + CERTIFICATE)
    (tmp_path / "root.cpio.zst").touch()
    (tmp_path / "drivers" / "acpi").mkdir(parents=True)
    (tmp_path / "drivers" / "acpi" / "dsdt.hex").touch()
    text = (
        f'CONFIG_SYSTEM_TRUSTED_KEYS="debian/certs.pem"\nCONFIG_MODULE_SIG_KEY="{tmp_path}/own.pem"\n'
        'CONFIG_INITRAMFS_SOURCE="root.cpio.zst"\nCONFIG_ACPI_CUSTOM_DSDT_FILE="dsdt.hex"\n'
    )
    assert cleared(text, tmp_path) == {}
    assert cleared('CONFIG_MODULE_SIG_KEY="certs/signing_key.pem"\n', tmp_path) == {}
    assert cleared('CONFIG_MODULE_SIG_KEY="pkcs11:token=k"\n', tmp_path) == {}


def test_of_several_firmware_files_of_a_base_those_that_are_here_stay(tmp_path: Path) -> None:
    (tmp_path / "fw").mkdir()
    (tmp_path / "fw" / "a.bin").touch()
    text = f'CONFIG_EXTRA_FIRMWARE="a.bin b.bin"\nCONFIG_EXTRA_FIRMWARE_DIR="{tmp_path}/fw"\n'
    assert cleared(text, tmp_path) == {"EXTRA_FIRMWARE": '"a.bin"'}
    assert cleared('CONFIG_EXTRA_FIRMWARE="a.bin b.bin"\nCONFIG_EXTRA_FIRMWARE_DIR="fw"\n', tmp_path) == {
        "EXTRA_FIRMWARE": '"a.bin"'
    }


@pytest.mark.parametrize(
    "asked",
    [
        "SYSTEM_TRUSTED_KEYS=mine.pem", "MODULE_SIG_KEY=/no/key.pem", "EXTRA_FIRMWARE=no/such.bin",
        "INITRAMFS_SOURCE=/no/root.cpio", "ACPI_CUSTOM_DSDT_FILE=/no/dsdt.hex", "UNUSED_KSYMS_WHITELIST=list",
        "BOOT_CONFIG_EMBED_FILE=/no/bootconfig", "CFG80211_EXTRA_REGDB_KEYDIR=/no/keys", "IPE_BOOT_POLICY=/no/policy",
        "EFI_SBAT_FILE=/no/sbat.csv", "SYSTEM_BLACKLIST_HASH_LIST=/no/list", "SYSTEM_REVOCATION_KEYS=/no/keys.pem",
    ],
)  # fmt: skip
def test_what_was_asked_for_and_is_not_there_is_refused_with_who_asked(tmp_path: Path, asked: str) -> None:
    with pytest.raises(WrongInput) as refused:
        cleared("", tmp_path, asked)
    assert f"{asked.partition('=')[0]} (--set {asked}): " in refused.value.detail
    assert refused.value.detail.endswith(": there is no such file")


def test_a_fragment_is_named_by_file_and_line(tmp_path: Path) -> None:
    setting = Setting("SYSTEM_TRUSTED_KEYS", '"mine.pem"', "my.config:3")
    with pytest.raises(WrongInput) as refused:
        settled({}, "guest", [setting], tmp_path)
    assert refused.value.detail == f"SYSTEM_TRUSTED_KEYS (my.config:3): {tmp_path}/mine.pem: there is no such file"


def test_what_takes_the_place_of_the_bases_file_is_all_that_counts(tmp_path: Path) -> None:
    assert cleared('CONFIG_SYSTEM_TRUSTED_KEYS="debian/certs.pem"\n', tmp_path, 'SYSTEM_TRUSTED_KEYS=""') == {}


def test_another_firmware_folder_is_answered_for_by_who_asked_for_it(tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as refused:
        cleared('CONFIG_EXTRA_FIRMWARE="a.bin"\n', tmp_path, "EXTRA_FIRMWARE_DIR=/no/firmware")
    assert refused.value.detail == (
        "EXTRA_FIRMWARE (--set EXTRA_FIRMWARE_DIR=/no/firmware): /no/firmware/a.bin: there is no such file"
    )


def test_a_file_of_the_current_folder_is_offered_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pem").write_text(CERTIFICATE)
    with pytest.raises(WrongInput) as refused:
        cleared("", tmp_path / "linux", "SYSTEM_TRUSTED_KEYS=mine.pem")
    assert f"did you mean {tmp_path}/mine.pem?" in refused.value.hint


def test_a_path_of_the_home_folder_is_offered_as_the_shell_would_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.pem").write_text(CERTIFICATE)
    with pytest.raises(WrongInput) as refused:
        cleared("", tmp_path / "linux", "SYSTEM_TRUSTED_KEYS=~/mine.pem")
    assert f"did you mean {tmp_path}/mine.pem?" in refused.value.hint


def test_firmware_is_looked_for_below_its_folder_even_by_a_whole_path(tmp_path: Path) -> None:
    (tmp_path / "fw.bin").touch()
    text = f'CONFIG_EXTRA_FIRMWARE="{tmp_path}/fw.bin"\nCONFIG_EXTRA_FIRMWARE_DIR="{tmp_path}"\n'
    assert why(text, tmp_path) == ["there is no such file"]


def test_what_is_there_and_cannot_be_taken_is_told_by_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    (tmp_path / "cert.pem").write_text(CERTIFICATE)
    (tmp_path / "a b.bconf").touch()
    (tmp_path / "fw.bin.zst").touch()
    cases = {
        'CONFIG_SYSTEM_TRUSTED_KEYS="empty.pem"': "there is no certificate in PEM in it",
        'CONFIG_MODULE_SIG_KEY="cert.pem"': "there is no private key in PEM in it",
        'CONFIG_MODULE_SIG_KEY="empty.pem"': "there is no private key in PEM and no certificate in PEM in it",
        f'CONFIG_SYSTEM_TRUSTED_KEYS="{tmp_path}"': "it is a folder",
        'CONFIG_CFG80211_EXTRA_REGDB_KEYDIR="cert.pem"': "it is no folder",
        'CONFIG_BOOT_CONFIG_EMBED_FILE="a b.bconf"': "make cannot take ' ' in a path",
        'CONFIG_BOOT_CONFIG_EMBED_FILE="/50%.bconf"': "make cannot take '%' in a path",
        'CONFIG_EXTRA_FIRMWARE="fw.bin"\nCONFIG_EXTRA_FIRMWARE_DIR="/my firmware"': "make cannot take ' ' in a path",
        f'CONFIG_EXTRA_FIRMWARE="fw.bin"\nCONFIG_EXTRA_FIRMWARE_DIR="{tmp_path}"': (
            "only fw.bin.zst is there, and it must be unpacked to be built in"
        ),
        'CONFIG_INITRAMFS_SOURCE="root"': "what is packed into an initramfs is named by its whole path",
    }
    assert {text: why(text + "\n", tmp_path) for text in cases} == {text: [said] for text, said in cases.items()}


def test_what_a_list_packs_into_an_initramfs_is_looked_for_too(tmp_path: Path) -> None:
    (tmp_path / "init").touch()
    (tmp_path / "list").write_text(
        f"# mine\ndir /dev 0755 0 0\nfile /init {tmp_path}/init 0755 0 0\nfile /sh /no/sh 0755 0 0\nnod /x 0600\n"
    )
    found = list(faults(parse_config(f'CONFIG_INITRAMFS_SOURCE="{tmp_path}/list"\n'), tmp_path))
    assert [str(fault) for fault in found] == ["/no/sh: there is no such file"]


def test_the_key_that_the_build_makes_is_a_certificate_that_is_there(tmp_path: Path) -> None:
    assert why('CONFIG_SYSTEM_TRUSTED_KEYS="certs/signing_key.pem"\n', tmp_path) == []


def test_what_named_files_hold_is_part_of_the_build_when_it_is_not_in_the_source(tmp_path: Path) -> None:
    source = SourceTree("linux", "6.1", "tree", "tree", "0" * 64, tmp_path / "linux")
    (tmp_path / "root").mkdir()
    config = parse_config(
        f'CONFIG_INITRAMFS_SOURCE="{tmp_path}/root"\nCONFIG_SYSTEM_TRUSTED_KEYS="{tmp_path}/a.pem"\n'
        'CONFIG_UNUSED_KSYMS_WHITELIST="list"\n'
    )
    seen = []
    for name, text in (("a.pem", "one"), ("a.pem", "two"), ("root/init", "")):
        (tmp_path / name).write_text(text)
        seen.append(contents(config, source))
    assert set(seen[0]) == {str(tmp_path / "a.pem"), str(tmp_path / "root")}
    assert seen[0] != seen[1] != seen[2]
