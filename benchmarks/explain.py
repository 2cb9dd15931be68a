"""Seconds and memory that the explainer takes on a kernel tree: to load its Kconfig and to explain what is lost.

    PYTHONPATH=. .venv/bin/python benchmarks/explain.py TREE .config [SYMBOL=VALUE …]

TREE is an unpacked kernel, .config one of the same kernel (`kernel.config` prints where it left it). The settings are
judged as if they had been asked of that configuration. Also shown: in how many settings the loaded tree differs from
the `.config` that the kernel's own tools wrote.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from mplskit.config.config_request import parse_set
from mplskit.config.explain.answer import explain
from mplskit.config.explain.load_kconfig import load
from mplskit.config.fragment import parse_config
from mplskit.config.reasons import kconfig_environment
from mplskit.config.verdict import verdicts_on
from mplskit.sources.source_tree import SourceTree, kernel_version

ASKED = ("MPLS_ROUTING=y", "MPLS_IPTUNEL=m", "NR_CPUS=4000", "OPENVSWITCH_GENEVE=m", "DEBUG_INFO=y", "CRC32=n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("tree", type=Path)
    parser.add_argument("config", type=Path)
    parser.add_argument("asked", nargs="*", default=ASKED)
    given = parser.parse_args()
    version = kernel_version(given.tree, str(given.tree))
    source = SourceTree("linux", version, "", "", "", given.tree.resolve())
    begin, busy = time.monotonic(), cpu()
    kconfig = load(source.path, kconfig_environment(source, Path(tempfile.gettempdir())), given.config)
    loaded = time.monotonic()
    config = parse_config(given.config.read_text())
    verdicts, _ = explain(verdicts_on(map(parse_set, given.asked), config), [], kconfig, source.path)
    ended = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lost = sum(not verdict.granted for verdict in verdicts)
    print(
        f"Linux {version}: load {loaded - begin:.2f} s, explain {lost} lost {ended - loaded:.2f} s "
        f"({cpu() - busy:.2f} s of CPU, the compiler's probes included), peak {peak:.0f} MiB, "
        f"{differences(source, given.config)} of {len(config)} settings differ"
    )


def differences(source: SourceTree, config: Path) -> int:
    """In how many settings the loaded tree differs from the `.config`."""
    kconfig = load(source.path, kconfig_environment(source, Path(tempfile.gettempdir())), config)
    with tempfile.TemporaryDirectory() as folder:
        kconfig.write_config(f"{folder}/.config")
        ours, theirs = (set(parse_config(path.read_text()).items()) for path in (Path(folder, ".config"), config))
    return len({name for name, _ in ours ^ theirs})


def cpu() -> float:
    """CPU seconds of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
