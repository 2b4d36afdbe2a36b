"""The command line: `python -m regressions list`, `show <id>`, `run <id>`, `check <id>`, `bisect <id>`.

Exit status: 0 all right, 1 a case does not hold, 2 the command makes no sense. `check` ends as `git bisect run` asks:
0 good, 1 bad, 125 cannot tell.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import bisect, check, report
from .adapters import Adapter, UnknownEngine, adapters_of
from .case import SYMPTOMS, TRACKERS, Case
from .commits import Commits, HistoryError, cache
from .corpus import TOPICS, UnknownCase, all_cases, find, find_alone, select
from .verdicts import Verdict, run

EXAMPLES = """\
examples:
  python -m regressions list --topic foreign-calls
  python -m regressions show flux-2497
  python -m regressions run flux-2497-params_collected_inside_gradient
  python -m regressions bisect flux-2497 --good v1.0
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.command(options)
    except (UnknownCase, UnknownEngine, HistoryError) as error:
        parser.error(str(error.args[0]))


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
    for name, vocabulary in (("topic", TOPICS), ("tracker", TRACKERS), ("symptom", SYMPTOMS)):
        listing.add_argument(f"--{name}", choices=sorted(vocabulary), metavar=name.upper())
    showing = commands.add_parser("show", help="all about a case: thread, answer, what was reported, program")
    showing.set_defaults(command=_show)
    running = commands.add_parser("run", help="ask an engine, and judge its answer")
    running.set_defaults(command=_run)
    running.add_argument("--engine", default="reference", help="which engine (default: %(default)s)")
    checking = commands.add_parser("check", help="one case as an exit status, for `git bisect run`")
    checking.set_defaults(command=lambda options: check.main(options.id, options.any))
    bisecting = commands.add_parser("bisect", help="the commit of this repository that broke a case")
    bisecting.set_defaults(command=_bisect)
    bisecting.add_argument(
        "--good", metavar="REV", help="a commit where it held (default: doubling steps back find one)"
    )
    bisecting.add_argument("--bad", metavar="REV", default="HEAD", help="a commit where it does not (default: HEAD)")
    bisecting.add_argument(
        "--find-fix", action="store_true", help="the commit that mended it: --good is then a bad one"
    )
    bisecting.add_argument("--agree", metavar="K", type=int, default=1, help="ask until one judgement leads by K")
    for command in (checking, bisecting):
        command.add_argument("--any", action="store_true", help="any failure counts, not the reported symptom alone")
    for command in (showing, running, checking, bisecting):
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
    adapter, *_ = adapters_of(options.engine)
    verdicts = [_ran(case, adapter) for case in find(options.id)]
    return int(any(verdict is not Verdict.RIGHT for verdict in verdicts))


def _bisect(options: argparse.Namespace) -> int:
    commits = Commits(Path(__file__).resolve().parents[1], cache())
    asker = bisect.Asker(find_alone(options.id), commits, options.any, lambda line: print(line, file=sys.stderr))
    print(bisect.report(bisect.bisect(asker, options.good, options.bad, options.find_fix, options.agree)))
    return 0


def _ran(case: Case, adapter: Adapter) -> Verdict:
    result = run(case, adapter)
    if result.verdict is Verdict.RIGHT:
        print(f"{case.id}: right   [{adapter.name}]\n{report.described(result.outcome)}")
    else:
        print(report.failure(case, adapter.name, result))
    return result.verdict


if __name__ == "__main__":
    sys.exit(main())
