"""The command `matrix`: its words, and the three forms it gives a matrix: a table, JSON, and one page for a browser.

The page holds its style, its script and its data, and loads nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from string import ascii_lowercase

from ..case import SYMPTOMS, TRACKERS
from ..corpus import TOPICS, all_cases, select
from ..verdicts import Verdict
from .table import Change, Matrix, ask, changes, columns

__all__ = ["add_command", "add_filters", "page", "table"]

PAGES = Path(__file__).parent / "pages"
MARKS = dict(zip((verdict.value for verdict in Verdict), ".BWE-", strict=True))
WIDTH, CASES, CHANGES = 100, 40, 8  # columns of a terminal; how many cases and changes are told one by one

HELP = """\
Ask engines, in several releases, every case, and print how often each gave which verdict, what was fixed from one
release to the next, or came back, and where engines differ.

Without --engine it asks the reference engine and the releases that regressions/adapters/releases.toml compares. One
whose environment is missing is installed, under $GRADPIN_CACHE or ~/.cache/gradpin; --installed leaves it out.
What was asked before and has not changed is not asked again.
"""
EXAMPLES = """\
examples:
  python -m regressions matrix --installed --html matrix.html
  python -m regressions matrix --engine reference autograd --topic powers
  python -m regressions matrix --engine jax==0.6.0 jax==0.10.2 --tracker jax --json jax.json
"""


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add `matrix` to the commands."""
    command = commands.add_parser(
        "matrix", help="engines by cases by releases: a table, JSON, a page for a browser", description=HELP,
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    command.set_defaults(command=_matrix)
    command.add_argument(
        "--engine", nargs="+", action="extend", default=[], metavar="E",
        help="reference, an engine, which stands for its compared releases, one release (autograd==1.5), "
        "or module:attribute",
    )  # fmt: skip
    add_filters(command)
    command.add_argument("--installed", action="store_true", help="install nothing: only what has an environment")
    command.add_argument("--fresh", action="store_true", help="ask everything again")
    command.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    command.add_argument("--html", type=Path, metavar="FILE", help="write one page that needs nothing beside it")


def add_filters(command: argparse.ArgumentParser) -> None:
    """The words that choose cases."""
    for name, vocabulary in (("topic", TOPICS), ("tracker", TRACKERS), ("symptom", SYMPTOMS)):
        command.add_argument(f"--{name}", choices=sorted(vocabulary), metavar=name.upper())


def _matrix(options: argparse.Namespace) -> int:
    cases = select(all_cases(), options.topic, options.tracker, options.symptom)
    chosen = columns(options.engine, options.installed)
    matrix = ask(chosen, cases, lambda line: print(line, file=sys.stderr, flush=True), options.fresh)
    print(table(matrix))
    for file, form in ((options.json, _json), (options.html, page)):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(form(matrix), encoding="utf-8")
            print(f"written: {file}", file=sys.stderr)
    return 0


def _json(matrix: Matrix) -> str:
    return json.dumps(matrix.data(), indent=1, ensure_ascii=False)


def page(matrix: Matrix) -> str:
    """The matrix as one page for a browser."""
    text = (PAGES / "matrix.html").read_text(encoding="utf-8")
    parts = {name: (PAGES / f"matrix.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    parts["json"] = json.dumps(matrix.data(), ensure_ascii=False).replace("<", "\\u003c")  # no end tag in the data
    for name, part in parts.items():
        text = text.replace(f"{{{{ matrix.{name} }}}}", part, 1)
    return text


def table(matrix: Matrix) -> str:
    """The matrix for a terminal of 100 columns."""
    return "\n\n".join(filter(None, ("\n".join(part(matrix)) for part in (_counts, _changes, _differences))))


def _letters(matrix: Matrix) -> list[str]:
    """What the columns are called: a to z, then aa, bb."""
    return [ascii_lowercase[i % 26] * (1 + i // 26) for i in range(len(matrix.columns))]


def _counts(matrix: Matrix) -> Iterator[str]:
    names = [f"{letter:2} {head.on}" for letter, head in zip(_letters(matrix), matrix.heads, strict=True)]
    width = max(map(len, names))
    yield f"{len(matrix.cases)} cases\n"
    heads = ("right", "reported bug", "wrong", "error", "cannot be asked")
    yield " " * width + "".join(f"  {mark} {head}" for mark, head in zip(MARKS.values(), heads, strict=True))
    for name, head, counts in zip(names, matrix.heads, matrix.counts(), strict=True):
        numbers = (f"{counts[verdict]:{len(title) + 4}}" for verdict, title in zip(MARKS, heads, strict=True))
        yield (f"{name:{width}}" + "".join(numbers) if head.usable else f"{name:{width}}  {head.got}")[:WIDTH]


def _changes(matrix: Matrix) -> Iterator[str]:
    found = [(change, case) for case in matrix.cases for change in changes(matrix.row(case))]
    order = {(head.engine, head.version): i for i, head in enumerate(matrix.heads)}

    def place(pair: tuple[Change, object]) -> tuple:
        change = pair[0]
        return order[change.engine, change.release], change.kind, order[change.engine, change.before]

    for _, group in groupby(sorted(found, key=place), place):
        pairs = list(group)
        yield f"{pairs[0][0]}: {len(pairs)}"
        yield from (f"  {case.id}" for _, case in pairs[:CHANGES])
        if len(pairs) > CHANGES:
            yield f"  and {len(pairs) - CHANGES} more"


def _differences(matrix: Matrix) -> Iterator[str]:
    differing, letters = matrix.differing(), _letters(matrix)
    if not differing:
        return
    width = max(20, WIDTH - sum(len(letter) + 1 for letter in letters))
    yield f"engines differ about {len(differing)} of {len(matrix.cases)} cases; what most of them fail comes first"
    yield " " * width + "".join(f" {letter}" for letter in letters)
    for case in differing[:CASES]:
        marks = (f" {MARKS[r.verdict]:{len(letter)}}" for r, letter in zip(matrix.row(case), letters, strict=True))
        name = case.id if len(case.id) <= width else case.id[: width - 3] + "..."
        yield f"{name:{width}}" + "".join(marks).rstrip()
    if len(differing) > CASES:
        yield f"and {len(differing) - CASES} more: choose with --topic, --tracker, --symptom, or write --html or --json"
