"""Architectures by the names of the folders in a kernel tree's arch/, whatever people call them."""

import platform

# Not a folder: arch/x86 is for both, and a configuration is for one.
X86_32 = "x86 (32 bits)"
# What ARCH, uname and the first lines of a configuration say, where that is no folder in arch/.
_ALSO = {
    "x86_64": "x86",
    "i386": X86_32,
    "i686": X86_32,
    "aarch64": "arm64",
    "ppc64le": "powerpc",
    "sparc64": "sparc",
}


def folder_of(name: str) -> str:
    """The folder in arch/ of an architecture as people name it; that of 32-bit x86 is told apart."""
    return _ALSO.get(name, name)


def own_arch_folder() -> str:
    """This machine's architecture."""
    return folder_of(platform.machine())
