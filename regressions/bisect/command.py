"""The commands `bisect` and `check`: their words, which axis and which question they mean, and what is printed.

Exit status of `bisect`: 0 found, 1 no single place to name, 2 the command makes no sense, or its ends do not. That of
`check`: 0 good, 1 bad, 125 cannot tell, as `git bisect run` asks.
"""

from __future__ import annotations

import argparse
import difflib
import shlex
import sys
from pathlib import Path

from ..corpus import find_alone
from ..environments import cache_directory, installable
from .answer import Search, report
from .axis import HERE, CannotAsk, HistoryError, Question, Where
from .commits import TREE, Commits
from .passes import Passes, blamed
from .questions import OfCase, OfScript
from .releases import Releases
from .search import Judgement
from .slower import Slower, workloads

__all__ = ["EXIT", "add_commands"]

EXIT = {Judgement.GOOD: 0, Judgement.BAD: 1, Judgement.UNKNOWN: 125}

BISECT = """\
Name the commit that broke a case, a script or the speed of a workload; the release of a package; or the engine's pass.

Today's suite asks the engine of each commit, in a folder of its own: your tree and index are only read. Both ends are
asked first. What cannot be asked is stepped over. What was seen is kept: a second search only confirms.
"""
BISECT_EXAMPLES = """\
examples:
  python -m regressions bisect flux-2497                        the commit; doubling steps back find a good one
  python -m regressions bisect flux-2497 --good v1.0 --bad HEAD~3
  python -m regressions bisect --script wrong.py --good v1.0    0 is good; or: what it prints at the good end is
  python -m regressions bisect --benchmark mlp --good v1.0      calls, peak memory, then time
  python -m regressions bisect autograd-712 --engine autograd --good 1.5 --find-fix
  python -m regressions bisect flux-2497 --passes               the pass of the working tree's engine
"""
CHECK = """\
Ask one case of the engine in a folder. Exit status: 0 good, 1 bad, 125 cannot tell.
"""
CHECK_EXAMPLES = """\
`git bisect run` checks out old trees, which hold old cases. Today's suite is put elsewhere, and asks the old engine:

  git worktree add --detach ../today
  git bisect start HEAD v1.0
  PYTHONPATH=../today git bisect run python -P -m regressions check flux-2497 --engine-from .
  git bisect reset; git worktree remove ../today
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `bisect` and `check` to the commands."""
    layout = argparse.RawDescriptionHelpFormatter
    checking = commands.add_parser(
        "check", help="one case as an exit status, for `git bisect run`", description=CHECK, epilog=CHECK_EXAMPLES,
        formatter_class=layout,
    )  # fmt: skip
    checking.set_defaults(command=_check)
    checking.add_argument("id", help="an id, or a thread by tracker and number: flux-2497")
    checking.add_argument("--any", action="store_true", help="any failure counts, not the reported symptom alone")
    checking.add_argument(
        "--engine-from", metavar="DIR", type=Path, default=HERE, help="the folder that holds engine/ (default: ours)"
    )
    bisecting = commands.add_parser(
        "bisect", help="the commit, release or pass that broke a case, a script or a workload", description=BISECT,
        epilog=BISECT_EXAMPLES, formatter_class=layout,
    )  # fmt: skip
    bisecting.set_defaults(command=_bisect)
    what = bisecting.add_argument_group("what is asked: one of").add_mutually_exclusive_group(required=True)
    what.add_argument("id", nargs="?", help="a case, by its id or a thread by tracker and number: flux-2497")
    what.add_argument("--script", metavar="FILE", type=Path, help="a program that fails or prints something else")
    what.add_argument("--benchmark", metavar="NAME", help="a workload, or one size of it: mlp:32x64-64-1")
    axis = bisecting.add_argument_group("along what (default: the commits of this repository)")
    axis.add_argument("--engine", metavar="NAME", help=f"the releases of {', '.join(installable())}")
    axis.add_argument("--passes", action="store_true", help="the passes of the working tree's engine")
    ends = bisecting.add_argument_group("between what")
    ends.add_argument("--good", metavar="REV", help="a commit or release where it held (default: one is looked for)")
    ends.add_argument("--bad", metavar="REV", help="one where it does not (default: the newest, or the working tree)")
    ends.add_argument("--find-fix", action="store_true", help="what mended it: --good is then a bad one")
    how = bisecting.add_argument_group("how")
    how.add_argument("--any", action="store_true", help="any failure counts, not the reported symptom alone")
    how.add_argument("--first-parent", action="store_true", help="stop at a merge, do not go into its branch")
    how.add_argument("--agree", metavar="K", type=int, default=1, help="ask until K more answers say the same than not")
    how.add_argument("--factor", metavar="F", type=float, default=1.2, help="how much slower counts (%(default)s)")


def _check(options: argparse.Namespace) -> int:
    question = OfCase(find_alone(options.id), any_failure=options.any)
    if not (options.engine_from / "engine").is_dir():
        raise HistoryError(f"{options.engine_from} holds no engine/")
    try:
        seen = question.see(Where(folders=(options.engine_from.resolve(),)))
        judgement, text = question.judge(seen), question.text([seen])
    except CannotAsk as reason:
        judgement, text = Judgement.UNKNOWN, str(reason)
    print(f"{judgement.value}: {text}")
    return EXIT[judgement]


def _bisect(options: argparse.Namespace) -> int:
    if options.engine and (options.passes or options.benchmark):
        raise ValueError("--engine asks cases and scripts of released packages; leave out --passes and --benchmark")
    if options.passes and (options.benchmark or options.good or options.bad or options.find_fix):
        raise ValueError("--passes asks a case or a script of the working tree: leave out --good, --bad and the rest")
    if options.agree < 1:
        raise ValueError("--agree takes a number from 1")
    if not options.factor > 1:
        raise ValueError("--factor takes a number above 1")
    question = _question(options)
    if options.passes:
        return _by_passes(question)
    axis = (
        Releases(options.engine, _say)
        if options.engine
        else Commits(HERE, cache_directory(), into_branches=not options.first_parent)
    )
    search = Search(axis, question, cache_directory(), _say, options.agree, options.find_fix)
    found = search.run(options.good, options.bad)
    inside = []
    if isinstance(axis, Commits) and found.is_sure and not options.find_fix and not options.benchmark:
        inside = _inside(question, axis, found.culprits[0])
    print(report(found, inside))
    print(_again(options, question, found.before, found.culprits[-1]))
    return 0 if found.is_sure else 1


def _question(options: argparse.Namespace) -> Question:
    engine = options.engine or "reference"
    if options.script:
        if not options.script.is_file():
            raise HistoryError(f"there is no file {options.script}")
        return OfScript(options.script, engine, options.any)
    if options.benchmark:
        names = workloads(Where())
        sizes = [name for name in names if options.benchmark in (name, name.partition(":")[0])]
        if not sizes:
            either = [*names, *(name.partition(":")[0] for name in names)]
            near = difflib.get_close_matches(options.benchmark, either, 1, 0)[0]
            raise HistoryError(f"there is no workload {options.benchmark!r}; the nearest is {near}")
        return Slower(sizes[0], options.factor)
    return OfCase(find_alone(options.id), engine, options.any)


def _again(options: argparse.Namespace, question: Question, good: str, bad: str) -> str:
    """The command that only asks both sides of the answer."""
    words = [question.name] if options.id else ["--script", options.script] if options.script else []
    words += ["--benchmark", options.benchmark] if options.benchmark else []
    words += ["--engine", options.engine] if options.engine else []
    words += ["--find-fix"] if options.find_fix else []
    words += ["--good", good[:12], *([] if bad == TREE else ["--bad", bad[:12]])]
    return "again: " + shlex.join(["python", "-m", "regressions", "bisect", *map(str, words)])


def _inside(question: Question, commits: Commits, culprit: str) -> list[str]:
    """What in the engine of the culprit it was, as lines of a report."""
    _say(f"inside {commits.label(culprit)}, its passes:")
    try:
        passes = Passes(commits.where(culprit), commits.key(culprit))
        lines = blamed(question, passes, cache_directory(), _say)[1]
    except (HistoryError, CannotAsk) as problem:
        lines = str(problem).splitlines()[:1]
    return ["inside: " + lines[0], *lines[1:]]


def _by_passes(question: Question) -> int:
    found, lines = blamed(question, Passes(Where(folders=(HERE,))), cache_directory(), _say)
    print("\n".join([f"{question.name}: {lines[0]}", *lines[1:]]) if found is None else report(found, lines[1:]))
    return 0 if found and found.is_sure else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
