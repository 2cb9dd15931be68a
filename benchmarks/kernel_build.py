"""CPU seconds of `kernel.build` beside those of the same `make bindeb-pkg` by hand, the source being unpacked already.

    .venv/bin/python benchmarks/kernel_build.py [--source SPEC] [--folder FOLDER]

Both build the same `.config` with the same number of jobs in empty folders, one after the other, on a machine that
should do nothing else. What `kernel.build` does besides (digests, configuring, reading back) counts as its own.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cpu_seconds(argv: list[str], **kwargs: object) -> float:
    """CPU seconds (user and system) of a command and all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **kwargs)  # type: ignore[call-overload]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--source", default="debian")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "benchmark")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    own, hand = given.folder / "mplskit", given.folder / "hand"
    invoke = [sys.executable, "-m", "invoke", "--search-root", str(ROOT)]
    subprocess.run([*invoke, "kernel.fetch", "--source", given.source], check=True, stdout=subprocess.DEVNULL)

    env = {**os.environ, "MPLSKIT_BUILD": str(own / "build"), "MPLSKIT_DIST": str(own / "dist")}
    ours = cpu_seconds([*invoke, "kernel.build", "--source", given.source, "--builder", "bindeb-pkg"], env=env)

    record = json.loads((own / "dist" / "metadata.json").read_text())
    [config] = (own / "build" / "config").glob("*/.config")
    objects = hand / "objects"
    objects.mkdir(parents=True)
    shutil.copyfile(config, objects / ".config")
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    suffix = record["release"].removeprefix(record["source"]["version"])
    make = ["make", "-C", record["source"]["path"], f"O={objects}", jobs, "bindeb-pkg"]
    profile = {**os.environ, "DEB_BUILD_PROFILES": "pkg.linux-upstream.nokerneldbg"}
    theirs = cpu_seconds(
        [*make, f"KDEB_PKGVERSION={record['revision']}", f"LOCALVERSION={suffix}"],
        env=profile,
        stderr=subprocess.DEVNULL,
    )
    print(f"kernel.build {ours:.1f} CPU s, make bindeb-pkg {theirs:.1f} CPU s: {100 * (ours / theirs - 1):+.1f} %")


if __name__ == "__main__":
    main()
