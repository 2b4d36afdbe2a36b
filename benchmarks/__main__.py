"""python -m benchmarks: the command line.

Threads are limited before NumPy is imported, which is the only time the libraries beneath it look.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 every gradient right, 1 one wrong or refused, 2 usage."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    from benchmarks import speed
    from benchmarks.workloads import WORKLOADS
    from engine import switches

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what gradients cost.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "speed",
        help="the engine's gradients beside gradients written by hand",
        description="Time the engine's gradients beside gradients written by hand: interleaved, on one thread.",
    )
    names = [*WORKLOADS, *speed.GROWTH]
    command.add_argument(
        "--workload", action="append", choices=names, metavar="NAME", help=f"only these: {', '.join(names)}"
    )
    command.add_argument(
        "--switch-off",
        action="append",
        default=[],
        choices=sorted(switches.NAMES),
        metavar="NAME",
        help=f"do without a part of the engine: {', '.join(sorted(switches.NAMES))}",
    )
    command.add_argument("--rounds", type=int, default=25, metavar="N", help="interleaved rounds (%(default)s)")
    command.add_argument("--code", action="store_true", help="print the generated adjoint of each")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args(arguments)
    if options.rounds < 2:
        command.error("argument --rounds: a median between quartiles needs at least 2")

    with ExitStack() as parts:
        if options.switch_off:
            parts.enter_context(switches.off(*options.switch_off))
        record, right = speed.run(options.workload or names, options.rounds, options.code)
    if options.json:
        record["switched_off"] = options.switch_off
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
