"""The password of sudo: typed on a terminal, or taken from the environment; never an argument."""

import os
import sys
from getpass import getpass

from mplskit.errors import MachineLacks, WrongInput

VARIABLE = "MPLSKIT_BECOME_PASSWORD"


def become_password(ask: bool) -> str | None:
    """What sudo on the nodes wants: asked for once, on the terminal; otherwise that of the environment, if any.

    Raises MachineLacks when there is no terminal to ask on, WrongInput for a password of more than one line.
    """
    if ask and not sys.stdin.isatty():
        raise MachineLacks(
            "--ask-become-password needs a terminal to ask on", hint=f"without one, put it into {VARIABLE}"
        )
    try:
        password = getpass("password for sudo on the nodes: ") if ask else os.environ.get(VARIABLE)
    except UnicodeDecodeError:
        raise WrongInput("the password for sudo must be typed in the terminal's own encoding") from None
    if password is not None and ("\n" in password or "\0" in password):
        raise WrongInput("the password for sudo must be one line")
    return password
