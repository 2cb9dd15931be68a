"""A kernel's configuration in a file: as text, compressed, or inside a kernel. One way for all who read one."""

import codecs
import mmap
from dataclasses import dataclass
from pathlib import Path

from mplskit.config import ikconfig
from mplskit.errors import WrongInput

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class ConfigFile:
    """The text of a configuration (bytes that are no UTF-8 as surrogates), and where it was: the file, or inside it."""

    text: str
    where: str


def config_in(path: Path, called: str, allowed: str) -> ConfigFile:
    """The configuration in a file that the user calls `called`; `allowed` is the hint where there is none.

    Raises WrongInput; MachineLacks when the program for its compression is not there.
    """
    content = _content(path)
    if content[:2] in UTF_16:
        raise WrongInput(
            f"{called} is UTF-16, of which the kernel reads nothing",
            hint=f"iconv -f UTF-16 -t UTF-8 {called} | sed '1s/^\\xef\\xbb\\xbf//' makes it what it reads",
        )
    text = ikconfig.as_text(content) if isinstance(content, bytes) else None
    if text is not None:
        return ConfigFile(text, called)
    content = ikconfig.kernel_of_uki(content)
    text = ikconfig.configuration_in(content)
    if text is not None:
        return ConfigFile(text, f"inside {called}")
    if packing := ikconfig.packed_by(content):
        raise WrongInput(
            f"{called}: this kernel is packed by {packing}, which cannot be unpacked here",
            hint="give the config-RELEASE that lies beside it in /boot, or its vmlinux",
        )
    if ikconfig.is_kernel(content):
        raise WrongInput(
            f"{called}: no configuration is inside this kernel",
            hint="it was built without IKCONFIG=y (with =m it is in the module configs.ko: give that file); or give "
            "the config-RELEASE that lies beside it in /boot",
        )
    raise WrongInput(f"{called}: neither a kernel configuration nor a package nor a kernel", hint=allowed)


def _content(path: Path) -> ikconfig.Image:
    """The bytes of a file; those of one that is larger than what comes out of any stream are not read into memory."""
    with path.open("rb") as file:
        if path.stat().st_size > ikconfig.LIMIT:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return file.read()
