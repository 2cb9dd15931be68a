"""The flags by which a task is told how a kernel is configured."""

from dataclasses import dataclass

from mplskit.flag_groups import flag


@dataclass(frozen=True)
class ConfigFlags:
    """What a configuration is begun with, and what is asked of it."""

    base: str = flag(
        "where the configuration starts: guest, debian, defconfig, running (of this machine, or of --host), or a file",
        "guest",
    )
    host: str = flag("with --base running: the node whose kernel's configuration is taken")
    options: tuple[str, ...] = flag(
        "an option set in kconfig/options; may be given more than once (mpls is always in)", ()
    )
    set_: tuple[str, ...] = flag("SYMBOL=VALUE, such as MPLS_ROUTING=y; may be given more than once", ())
    fragment: tuple[str, ...] = flag("a file of settings in the kernel's own format; may be given more than once", ())
    trim_to: str = flag("keep only the modules that this node uses or lists")
    fix: bool = flag(
        "add what grants a lost setting, where there is one way only and nothing asked is taken back", False
    )
