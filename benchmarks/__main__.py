"""python -m benchmarks: the command line.

Threads are limited before NumPy is imported, which is the only time the libraries beneath it look.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.arguments import Parser, command, file, folder, number, one_of, pattern, processors

INTERRUPTED = 130
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 every derivative of this project's engine right, 1 one wrong or refused, 2 usage, 130 Ctrl-C."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    parser = Parser(prog="python -m benchmarks", description="Measure what gradients cost.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_compare(commands)
    add_growth(commands)
    add_rules(commands)
    add_gradbench(commands)
    add_nightly(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    return status


def add_compare(commands) -> None:
    from benchmarks.measure import CLOCKS
    from benchmarks.ports import ENGINES
    from benchmarks.workloads import WORKLOADS
    from engine import switches

    command = commands.add_parser(
        "compare",
        help="derivatives beside those written by hand, and those of other engines",
        description="Time derivatives beside the program itself, beside derivatives written by hand, and beside other "
        "engines: interleaved, on one thread, after every answer has been checked.",
        epilog="examples: python -m benchmarks compare --workload gmm --engine jax; "
        "python -m benchmarks compare --engine reference --size small --plots plots",
    )
    command.add_argument(
        "--workload",
        action="append",
        type=one_of("workload", WORKLOADS),
        metavar="NAME",
        help=f"only these: {', '.join(WORKLOADS)}",
    )
    command.add_argument(
        "--engine",
        action="append",
        metavar="NAME",
        help=f"beside this project's own only these, of {', '.join(ENGINES)}, or a release such as autograd==1.8.0; an "
        "environment is made where it is missing; without this option, those that have one",
    )
    command.add_argument(
        "--size",
        action="append",
        metavar="NAME",
        help="only these: small (the first of each workload), large (the last), or a name from the table",
    )
    command.add_argument(
        "--rounds", type=number(int, 2), default=15, metavar="N", help="interleaved rounds (%(default)s)"
    )
    command.add_argument(
        "--limit",
        type=number(float, 0.1),
        default=30.0,
        metavar="SECONDS",
        help="for a first derivative, and about the time that the rounds of one row may take (%(default)g)",
    )
    threads = number(int, 1, processors())
    command.add_argument("--threads", type=threads, default=1, metavar="N", help="for each engine (%(default)s)")
    command.add_argument(
        "--clock",
        choices=list(CLOCKS),
        default="cpu",
        help="the time of each engine's own process, to which a busy machine adds little, or what passes (%(default)s)",
    )
    command.add_argument(
        "--switch-off",
        action="append",
        default=[],
        type=one_of("part", sorted(switches.NAMES)),
        metavar="NAME",
        help=f"do without a part of this project's engine: {', '.join(sorted(switches.NAMES))}",
    )
    command.add_argument("--code", action="store_true", help="print the generated adjoint of each workload")
    command.add_argument("--json", type=file, metavar="FILE", help="write all figures to FILE as well")
    command.add_argument("--plots", type=folder, metavar="DIR", help="draw the ratios into DIR, as SVG and PNG")
    command.add_argument(
        "--readme",
        type=file,
        metavar="FILE",
        help="a row a workload with the ratios at each size, between the marks <!-- ratios --> and <!-- end of ratios "
        "--> of FILE",
    )
    command.set_defaults(run=compare, command=command)


def compare(options: argparse.Namespace) -> int:
    from benchmarks.compare import contest, plots, tables
    from regressions.environments import Unusable

    try:
        chosen = contest.chosen(options.workload, options.size)
    except ValueError as error:
        options.command.error(f"argument --size: {error}")
    if options.plots and (lack := plots.lack()):
        options.command.error(f"argument --plots: {lack}")
    if options.readme and options.workload:
        options.command.error("argument --readme: it has every workload; leave out --workload")
    expect_marks(options, "ratios")
    try:
        engines = contest.contestants(options.engine, options.threads, options.clock, options.switch_off, say)
    except (ValueError, Unusable) as error:
        options.command.error(f"argument --engine: {error}")
    machine = contest.describe_machine(engines, options.threads, options.clock)
    say(f"engines: {', '.join(map(str, engines))}")
    rows: list[contest.Row] = []
    interrupted = False
    try:
        for row in contest.run(engines, chosen, options.rounds, options.limit, say):
            rows.append(row)
    except KeyboardInterrupt:
        say("interrupted: this is what there is")
        interrupted = True
    for line in tables.report(rows, machine):
        print(line)
    if options.code:
        for workload in dict.fromkeys(workload.name for workload, _ in chosen):
            print(f"\n# {workload}\n{contest.code(workload)}")
    if options.json:
        record = {"machine": machine, "rows": [asdict(row) for row in rows], "switched_off": options.switch_off}
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    if options.plots:
        for drawn in plots.draw(rows, options.plots):
            say(f"drawn: {drawn}")
    if options.readme and not interrupted:
        place(options.readme, tables.brief(rows, machine), "ratios")
    return INTERRUPTED if interrupted else int(any("reference" in row.problems for row in rows))


def expect_marks(options: argparse.Namespace, name: str) -> None:
    """The file of --readme has a place for a table of that name, or the command ends before it measures anything."""
    from benchmarks.compare.tables import placed

    try:
        if options.readme:
            placed(options.readme.read_text(encoding="utf-8"), (), name)
    except (ValueError, OSError) as error:
        options.command.error(f"argument --readme: {options.readme}: {getattr(error, 'strerror', error)}")


def place(file: Path, lines: Iterable[str], name: str) -> None:
    """Put a table where it belongs in the file as it is by now."""
    from benchmarks.compare.tables import placed

    file.write_text(placed(file.read_text(encoding="utf-8"), lines, name), encoding="utf-8")


def add_growth(commands) -> None:
    from benchmarks.growth import GROWTH

    command = commands.add_parser(
        "growth",
        help="how the cost of a gradient grows with the program",
        description="Figures at several lengths: what should stay flat, stays flat.",
    )
    program = one_of("program", GROWTH)
    command.add_argument("--program", action="append", type=program, metavar="NAME", help=", ".join(GROWTH))
    command.add_argument("--json", type=file, metavar="FILE", help="write the figures to FILE as well")
    command.set_defaults(run=growth)


def growth(options: argparse.Namespace) -> int:
    from benchmarks.growth import GROWTH, table

    figures = [figure for name in options.program or GROWTH for figure in GROWTH[name]()]
    for line in table(figures):
        print(line)
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    return 0


def add_rules(commands) -> None:
    command = commands.add_parser(
        "rules",
        help="what the pullback of each rule costs beside its primal",
        description="Time the pullback of each rule for NumPy beside its primal on some 10^5 elements, in turn, on one "
        "thread; list those above three times apart, each with its reason. Exit status 1: one is above without a "
        "reason, or below with one.",
        epilog="example: python -m benchmarks rules --rule max --rule linalg.norm",
    )
    command.add_argument("--rule", action="append", metavar="NAME", help="only these: max, or np.max, or linalg.norm")
    command.add_argument(
        "--turns", type=number(int, 1), default=20, metavar="N", help="of each; the lowest count (%(default)s)"
    )
    command.add_argument("--json", type=file, metavar="FILE", help="write all figures to FILE as well")
    command.set_defaults(run=rules, command=command)


def rules(options: argparse.Namespace) -> int:
    from benchmarks.rules import costs

    try:
        calls = costs.chosen(options.rule)
    except ValueError as error:
        options.command.error(f"argument --rule: {error}")
    record = costs.run(calls, options.turns, say)
    for line in costs.report(record):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(record.as_dict(), indent=2) + "\n")
    return int(bool(record.problems))


def add_gradbench(commands) -> None:
    from benchmarks.gradbench.beside import LIMIT, ROUNDS, SIZES

    parser = commands.add_parser(
        "gradbench",
        help="a tool of GradBench, a check of its derivatives that is relative, or a race with another tool",
        description="Answer GradBench's messages, lines of JSON on standard input, on standard output. With --check "
        "compare each derivative with one that is independent of the engine, relative to its size. With --beside drive "
        "another tool of GradBench with the same inputs as our own, in turns, and compare what they take. Exit status: "
        "1 a derivative of ours is wrong, 2 the other tool does not answer as it should.",
        epilog="example: python -m benchmarks gradbench --beside 'python3 python/gradbench/gradbench/cpp.py manual' "
        "--eval gmm, in GradBench's own folder",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--check", action="store_true", help="our derivatives, relative to their size")
    which.add_argument("--beside", type=command, metavar="COMMAND", help="a program that speaks GradBench's protocol")
    beside = parser.add_argument_group("with --beside")
    beside.add_argument(
        "--eval", action="append", type=one_of("eval", SIZES), metavar="NAME", help=f"only these: {', '.join(SIZES)}"
    )
    beside.add_argument("--rounds", type=number(int, 1), metavar="N", help=f"interleaved rounds ({ROUNDS})")
    beside.add_argument("--limit", type=number(float, 0.1), metavar="SECONDS", help=f"for each answer ({LIMIT:g})")
    beside.add_argument("--json", type=file, metavar="FILE", help="write all figures to FILE as well")
    beside.add_argument(
        "--readme",
        type=file,
        metavar="FILE",
        help="a row an eval with the ratios at each size, between the marks <!-- beside --> and <!-- end of beside --> "
        "of FILE",
    )
    parser.set_defaults(run=gradbench, command=parser)


def gradbench(options: argparse.Namespace) -> int:
    from benchmarks.gradbench import check, tool

    if options.beside:
        return gradbench_beside(options)
    for name in ("eval", "rounds", "limit", "json", "readme"):
        if getattr(options, name) is not None:
            options.command.error(f"argument --{name}: it is for --beside")
    if not options.check:
        with tool.private_output() as output:
            tool.serve(sys.stdin, output)
        return 0
    rows = check.run()
    for line in check.report(rows):
        print(line)
    return int(any(row.problem for row in rows))


def gradbench_beside(options: argparse.Namespace) -> int:
    from benchmarks.compare.contest import describe_machine
    from benchmarks.gradbench import beside
    from benchmarks.gradbench.session import ToolError

    if options.readme and options.eval:
        options.command.error("argument --readme: it has every eval; leave out --eval")
    expect_marks(options, "beside")
    machine = describe_machine([], 1, "wall")
    record = beside.Record()
    evals, rounds, limit = options.eval or beside.SIZES, options.rounds or beside.ROUNDS, options.limit or beside.LIMIT
    stopped = 0
    try:
        beside.run(record, options.beside, evals, rounds, limit, say)
    except KeyboardInterrupt:
        say("interrupted: this is what there is")
        stopped = INTERRUPTED
    except ToolError as error:
        say(f"{options.command.prog}: {error}")
        stopped = 2
    if record.rows or record.absent:
        for line in beside.report(record, machine):
            print(line)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, **asdict(record)}, indent=2) + "\n")
    if options.readme and not stopped:
        place(options.readme, beside.brief(record, machine), "beside")
    return stopped or int(any("ours" in row.problems for row in record.rows))


def add_nightly(commands) -> None:
    command = commands.add_parser(
        "nightly",
        help="the commits since the last time: measured, charted, judged",
        description="Measure with asv the commits that change engine/ since the last time, publish the charts, and say "
        "what became slower or faster, by how much, since which commit, and how sure that is. Exit status: 0 nothing "
        "became slower; 1 something did; 2 the command makes no sense; 3 a benchmark failed; 4 nothing was measured; "
        "5 the machine was too busy to tell. Of several the first of 1, 3, 5, 4 counts.",
        epilog="examples: python -m benchmarks nightly; python -m benchmarks nightly --since v1.0 --bench '^calls'",
    )
    command.add_argument(
        "--bench", action="append", type=pattern, default=[], metavar="REGEX", help="only benchmarks with such a name"
    )
    command.add_argument("--since", metavar="REV", help="the commits after this one (the last one that was judged)")
    command.add_argument(
        "--machine", default="nightly", metavar="NAME", help="whose results these are, for asv (%(default)s)"
    )
    command.add_argument("--json", type=file, metavar="FILE", help="write all findings to FILE as well")
    command.set_defaults(run=nightly, command=command)


def nightly(options: argparse.Namespace) -> int:
    from benchmarks.nightly import night, report
    from benchmarks.nightly.by_asv import Asv, AsvError, NoBenchmark
    from regressions.bisect.axis import HERE, HistoryError
    from regressions.environments import cache_directory

    try:
        asv = Asv(HERE, options.machine, options.bench, say)
        found, repository = night.night(asv, cache_directory(), options.since, say)
    except NoBenchmark as error:
        options.command.error(f"argument --bench: {error}")
    except HistoryError as error:
        options.command.error(str(error))
    except AsvError as error:
        say(f"NOTHING MEASURED: {error}")
        return 4
    for line in report.report(found, repository.title):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(report.record(found), indent=2) + "\n")
    return found.status


def say(line: str) -> None:
    """Progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
