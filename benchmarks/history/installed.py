"""Put the engine of a commit, and the benchmarks and cases of today, into the environment that runs this.

A wheel of the commit would hold the cases and workloads of its own day beside its engine: asv would mix them with
today's, and compare what was never the same question.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path


def install(build: Path, suite: Path, packages: Path) -> None:
    """Copy `engine/` out of `build`, which changes with the commit; link the rest, which does not."""
    shutil.rmtree(packages / "engine", ignore_errors=True)
    shutil.copytree(build / "engine", packages / "engine")
    for name in ("benchmarks", "regressions"):
        link = packages / name
        link.unlink(missing_ok=True)
        link.symlink_to(suite / name, target_is_directory=True)


if __name__ == "__main__":
    build, suite = map(Path, sys.argv[1:])
    install(build, suite, Path(sysconfig.get_path("purelib")))
