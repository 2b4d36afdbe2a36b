"""The command line: the cases listed, shown and asked, of any engine; what broke one, found; new ones begun.

Exit status: 0 all right, 1 a case does not hold or an engine does not install, 2 the command makes no sense, 130 it was
interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import report
from .adapters import UnknownEngine, adapters_of
from .bisect import command as bisecting
from .bisect.axis import HistoryError
from .case import Case, thread_id
from .corpus import UnknownCase, all_cases, find, find_alone, program_file, select
from .environments import Unusable, interpreter, release_of
from .expected import FAILURES, ExpectationError, file_of, rewritten
from .isolate import command as isolating
from .matrix import command as comparing
from .records import Record, recorded
from .results import ask_all, is_asked_here
from .scaffold import scaffold
from .scripts import NoScript, script

ENGINE_HELP = "reference (the default), another engine, a release of one (autograd==1.5), or module:attribute"
INTERRUPTED = 130  # as shells say it of what SIGINT has ended
EXAMPLES = """\
examples:
  python -m regressions list --topic foreign-calls
  python -m regressions show flux-2497
  python -m regressions run flux-2497-params_collected_inside_gradient
  python -m regressions run jax-347 --engine autograd==1.5
  python -m regressions script jax-347 --engine autograd > report.py
  python -m regressions bisect flux-2497 --good v1.0
  python -m regressions isolate flux-2497
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.command(options)
    except (UnknownCase, UnknownEngine, HistoryError, NoScript, ExpectationError) as error:
        parser.error(str(error.args[0]))
    except (ValueError, ImportError, OSError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        _to_stderr("interrupted; what was found out is kept where it can be, and the same command goes on from there")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m regressions",
        description="The pinned bugs: list them, read one, run one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    listing = commands.add_parser("list", help="the cases, one a line")
    listing.set_defaults(command=_list)
    comparing.add_filters(listing)
    showing = commands.add_parser("show", help="all about a case: thread, answer, what was reported, program")
    showing.set_defaults(command=_show)
    running = commands.add_parser("run", help="ask an engine, and judge its answer")
    running.set_defaults(command=_run)
    scripting = commands.add_parser("script", help="a program that stands alone, to be pasted into an engine's tracker")
    scripting.set_defaults(command=_script)
    for command in (running, scripting):
        command.add_argument("--engine", default="reference", help=ENGINE_HELP)
    making = commands.add_parser("new", help="the text of a case for a thread, to be filled in")
    making.set_defaults(command=_new)
    making.add_argument("url", help="the thread: https://github.com/FluxML/Flux.jl/issues/2497")
    making.add_argument("--from-isolate", metavar="FILE", type=Path, help="about the program that isolate wrote there")
    installing = commands.add_parser("install", help="make the environment of another engine, where it is missing")
    installing.set_defaults(command=_install)
    installing.add_argument("engine", help="an engine, or a release of one: autograd==1.5")
    expecting = commands.add_parser("expect", help="write down what an engine does not hold, from a run of all cases")
    expecting.set_defaults(command=_expect)
    expecting.add_argument("engines", nargs="+", metavar="engine", help="an engine, or a release: autograd==1.5")
    expecting.add_argument("--versions", help="the range that the section is for (default: each release alone)")
    comparing.add_command(commands)
    bisecting.add_commands(commands)
    isolating.add_commands(commands)
    for command in (showing, running, scripting):
        command.add_argument("id", help="an id, or a thread by tracker and number: flux-2497")
    return parser


def _list(options: argparse.Namespace) -> int:
    chosen = select(all_cases(), options.topic, options.tracker, options.symptom)
    width = max(len(case.id) for case in chosen)
    for case in chosen:
        print(f"{case.id:{width}}  {case.symptom:16}  {case.title}")
    return 0


def _show(options: argparse.Namespace) -> int:
    print("\n\n".join(report.card(case) for case in find(options.id)))
    return 0


def _run(options: argparse.Namespace) -> int:
    cases = find(options.id)
    records = [_record(case, options.engine) for case in cases]
    for case, record in zip(cases, records, strict=True):
        print(f"{case.id}: right   [{record.on}]\n{record.got}" if record.holds else report.failure(case, record))
    return int(not all(record.holds for record in records))


def _record(case: Case, engine: str) -> Record:
    if is_asked_here(engine):
        return recorded(case, adapters_of(engine)[0], asked=engine)
    return ask_all(engine, [case], _to_stderr)[case.id]


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


def _script(options: argparse.Namespace) -> int:
    case = find_alone(options.id)
    print(script(case, _record(case, options.engine)))
    return 0


def _new(options: argparse.Namespace) -> int:
    file = options.from_isolate
    if file is not None and not file.is_file():
        raise ValueError(f"there is no file {file}")
    text = scaffold(options.url, file.read_text() if file else "")
    for case in all_cases():
        if thread_id(options.url) in case.thread_ids:
            _to_stderr(f"the thread has a case already: {case.id}, in {program_file(case).name}")
    print(text, end="")
    return 0


def _expect(options: argparse.Namespace) -> int:
    for engine in options.engines:
        records = list(ask_all(engine, all_cases(), _to_stderr).values())
        if not records[0].usable:
            raise ValueError(f"{engine} cannot be asked: {records[0].got}")
        path = file_of(records[0].engine)
        path.write_text(rewritten(path, options.versions or f"=={records[0].version}", records))
        print(f"{path}: {sum(record.verdict in FAILURES for record in records)} lines for {records[0].on}")
    return 0


def _install(options: argparse.Namespace) -> int:
    try:
        print(interpreter(release_of(options.engine), _to_stderr))
    except Unusable as problem:
        _to_stderr(f"{options.engine}: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
