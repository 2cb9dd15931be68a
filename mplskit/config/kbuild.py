"""What the kernel's build reads from its environment: the user's must not leak into what is called the same build."""

# What make gives to what it starts, mplskit as well.
OF_MAKE = ("MAKEFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MFLAGS", "MAKELEVEL")

# Documentation/kbuild/kbuild.rst and kconfig.rst; make's own come from whoever started us. None stands for "not set".
CLEAN: dict[str, str | None] = dict.fromkeys(
    (
        *("ARCH", "SUBARCH", "CROSS_COMPILE", "LLVM", "KCFLAGS", "KCPPFLAGS", "KAFLAGS", "HOSTCFLAGS", "LOCALVERSION"),
        *(
            "KBUILD_OUTPUT",
            "KBUILD_EXTMOD",
            "KBUILD_KCONFIG",
            "KBUILD_DEFCONFIG",
            "KCONFIG_CONFIG",
            "KCONFIG_ALLCONFIG",
        ),
        *(
            "KCONFIG_SEED",
            "KCONFIG_PROBABILITY",
            "KDEB_PKGVERSION",
            "KDEB_SOURCENAME",
            "KDEB_COMPRESS",
            "INSTALL_MOD_STRIP",
        ),
        *("KBUILD_BUILD_VERSION", "KCONFIG_WERROR", "KDEB_CHANGELOG_DIST", "DEBEMAIL", "DEBFULLNAME"),
        *OF_MAKE,
    )
)
