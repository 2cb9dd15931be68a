"""The rules for Debian revisions and release suffixes, so that both builders take them; checked before any work."""

import re

from mplskit.errors import WrongInput

# The stricter of both builders: make-kpkg's own check, and Debian Policy 5.6.12 for what dpkg takes.
_REVISION = re.compile(r"(\d+:)?\d[a-zA-Z\d~.+]*(-\d[a-zA-Z\d~.+]*)*", re.ASCII)
_SUFFIX = re.compile(r"[a-z\d.+-]+", re.ASCII)
# UTS_RELEASE is at most 64 characters (init/version.c, __NEW_UTS_LEN); the version before it takes some.
_SUFFIX_LENGTH = 40


def check_revision(text: str) -> str:
    """The Debian version of the packages. Raises WrongInput for what a builder would refuse later."""
    if not _REVISION.fullmatch(text):
        raise WrongInput(
            f"--revision {text!r}: not a version that both builders take",
            hint="it starts with a digit, then letters, digits and ~ . +, a hyphen only before a digit: 1.mpls, 2~rc1",
        )
    return text


def check_suffix(text: str) -> str:
    """What is appended to the kernel version. Raises WrongInput for what a builder would refuse later."""
    if not _SUFFIX.fullmatch(text) or len(text) > _SUFFIX_LENGTH:
        raise WrongInput(
            f"--suffix {text!r}: not a suffix that both builders take",
            hint=f"lower-case letters, digits and . + -, at most {_SUFFIX_LENGTH}: --suffix=-mpls1",
        )
    return text
