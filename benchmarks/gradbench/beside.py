"""python -m benchmarks gradbench --beside COMMAND: our derivatives beside those of another tool of GradBench.

Both are processes that speak GradBench's protocol, one at a time on the same processor, and are sent the same inputs in
turns. Each derivative is first compared with one that neither has a part in: a wrong one has no speed. What counts is
the least of the times that a tool reports, which are its own: they leave out reading the input and writing the answer.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.compare.tables import described, duration, markdown, rounded, spread
from benchmarks.gradbench import samples as made
from benchmarks.gradbench.check import numbers, problem
from benchmarks.gradbench.samples import MODES, Sample
from benchmarks.gradbench.session import Session, evaluations
from benchmarks.measure import Ratio
from benchmarks.workloads import GRADBENCH

__all__ = ["LIMIT", "ROUNDS", "SIZES", "Record", "Row", "brief", "report", "run"]

ROOT = Path(__file__).parents[2]
OURS = [sys.executable, "-m", "benchmarks", "gradbench"]
LIMIT = 120.0  # seconds for an answer: defining a module may compile it
ROUNDS = 9
ONCE = {"min_runs": 1, "min_seconds": 0}
TURN = {"min_runs": 3, "min_seconds": 0.05}

LEGEND = """\
ours, theirs: least time of a run, as the tools tell it. ours / theirs: ratio of least times, and half its range over
thirds of the rounds. Times that pass, not those of a process: what else the machine does is in the longer ones."""

SIZES: dict[str, dict[str, Callable[[], Sample]]] = {
    "hello": {"1": made.hello_sample},
    "gmm": {f"d={d},k={k}": partial(made.gmm_sample, d, k, 1000) for k in (5, 25) for d in (2, 10, 32)},
    "ba": {
        f"n={n},m={m},p={p}": partial(made.ba_sample, n, m, p) for n, m, p in ((49, 7776, 31843), (21, 11315, 36455))
    },
    "ht": {f"points={p},vertices=10000": partial(made.ht_sample, p, 10_000) for p in (100, 192, 200)},
    "lstm": {f"l={layers},c=1024": partial(made.lstm_sample, layers, 1024) for layers in (2, 4)},
    "kmeans": {f"k={k},n=10000,d=16": partial(made.kmeans_sample, k, 10_000, 16) for k in (10, 100)},
    "particle": {modes: partial(made.particle_sample, *modes) for modes in MODES},
    "saddle": {modes: partial(made.saddle_sample, *modes) for modes in MODES},
    "llsq": {f"n={n},m=128": partial(made.llsq_sample, n, 128) for n in (1024, 16_392)},
    "lse": {f"n={n}": partial(made.lse_sample, n) for n in (10_000, 160_000)},
    "ode": {f"n={n},s={s}": partial(made.ode_sample, n, s) for n in (1000, 10_000) for s in (10, 100)},
    "det": {str(ell): partial(made.det_sample, ell) for ell in (5, 7, 9)},
}
"""Those that GradBench's own evaluations begin with, of data with a seed."""


@dataclass
class Row:
    """A function at one size: the least seconds of both, their ratio, and why there is none where there is none."""

    eval: str
    size: str
    function: str
    derivative: bool
    seconds: dict[str, float] = field(default_factory=dict)
    ratio: Ratio | None = None
    problems: dict[str, str] = field(default_factory=dict)
    zeros: bool = False  # nothing but zeros is right, which says little about who answers them


@dataclass
class Record:
    """What there is so far."""

    tool: str = ""
    rows: list[Row] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)  # evals that the tool does not have, and what it says


def run(
    record: Record, command: list[str], evals: Iterable[str], rounds: int, limit: float, say: Callable[[str], None]
) -> None:
    """Fill the record, eval by eval, each in a session of its own.

    Raises:
        ToolError: the command does not start, dies, says nonsense, or takes longer than `limit` seconds to answer.
    """
    chosen = [name for name in GRADBENCH if name in set(evals)]
    for place, name in enumerate(chosen, 1):
        progress = f"[{place}/{len(chosen)}] {name}"
        with Session(OURS, limit, ROOT) as ours, Session(command, limit) as theirs:
            sessions = {"ours": ours, "theirs": theirs}
            started = {who: session.ask("start", eval=name) for who, session in sessions.items()}
            record.tool = str(started["theirs"].get("tool") or theirs.command)
            defined = {who: session.ask("define", module=name) for who, session in sessions.items()}
            if not defined["theirs"].get("success"):
                record.absent[name] = said(defined["theirs"])
                say(f"{progress}: not in it")
                continue
            for row in measured(sessions, name, rounds):
                record.rows.append(row)
                say(f"{progress}, {row.size}, {row.function}: {outcome(row)}")


def measured(sessions: dict[str, Session], name: str, rounds: int) -> Iterator[Row]:
    """The rows of an eval: at each size the derivative, after what it is the derivative of."""
    for size, make in SIZES[name].items():
        sample = make()
        if sample.primal:
            yield measure(Row(name, size, sample.primal, False), sessions, sample.given, None, rounds)
        zeros = not any(numbers(sample.expected))
        row = Row(name, size, sample.function, True, zeros=zeros)
        yield measure(row, sessions, sample.given, sample.expected, rounds)


def measure(row: Row, sessions: dict[str, Session], given: Any, expected: Any, rounds: int) -> Row:
    """Compare the answers, then take turns."""
    answers = {}
    for who, session in sessions.items():
        answer, _ = evaluated(session, row, given, ONCE)
        if answer.get("success"):
            answers[who] = answer.get("output")
        else:
            row.problems[who] = f"no answer: {said(answer)}"
    row.problems |= judged(answers, expected)
    taking_part = [who for who in sessions if who not in row.problems]
    samples: dict[str, list[float]] = {who: [] for who in taking_part}
    for turn in range(rounds):
        for who in taking_part if turn % 2 else reversed(taking_part):
            _, runs = evaluated(sessions[who], row, given, TURN)
            samples[who].append(min(runs) / 1e9)
    for who in taking_part:
        if all(samples[who]):
            row.seconds[who] = min(samples[who])
        else:
            row.problems[who] = "too short for its clock"
    if len(row.seconds) == 2:
        row.ratio = Ratio.of(samples, "ours", "theirs")
    return row


def evaluated(session: Session, row: Row, given: Any, limits: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """The answer, and the nanoseconds of its runs where it is one."""
    sent = given | limits if isinstance(given, dict) else given  # hello's is a number
    answer = session.ask("evaluate", module=row.eval, function=row.function, input=sent)
    return answer, evaluations(answer, session) if answer.get("success") else []


def judged(answers: dict[str, Any], expected: Any = None) -> dict[str, str]:
    """Who is wrong, and how. Of a function that is no derivative it is only known whether both say the same.

    >>> judged({"ours": [1.0], "theirs": [2.0]}, [1.0])
    {'theirs': 'wrong: off by 1 of the largest entry'}
    >>> judged({"ours": 1.0, "theirs": 2.0})
    {'theirs': 'not what ours is: off by 1 of the largest entry'}
    """
    if expected is not None:
        found = {who: problem(answer, expected) for who, answer in answers.items()}
        return {who: f"wrong: {what}" for who, what in found.items() if what}
    different = problem(answers["theirs"], answers["ours"]) if len(answers) == 2 else None
    return {"theirs": f"not what ours is: {different}"} if different else {}


def said(answer: dict[str, Any], most: int = 160) -> str:
    """The end of the error that an answer tells, which is where compilers and tracebacks say what it was."""
    words = " ".join(str(answer.get("error") or "without a reason").split())
    return words if len(words) <= most else "... " + words[-most:]


def outcome(row: Row) -> str:
    """What progress says of a row."""
    found = [f"{duration(row.seconds[who])} {who}" for who in row.seconds]
    ratio = [spread(row.ratio)] if row.ratio else []
    return "; ".join([*found, *ratio, *(f"{who} {what}" for who, what in row.problems.items())])


def report(record: Record, machine: dict[str, Any]) -> Iterator[str]:
    """The machine, the table, what it means, and why what has no speed has none."""
    yield f"{record.tool}. {conditions(machine)}"
    yield ""
    lines = [["eval", "size", "function", "ours", "theirs", "ours / theirs"]]
    for row in record.rows:
        times = (duration(row.seconds.get(who)) for who in ("ours", "theirs"))
        lines.append([row.eval, row.size, row.function, *times, spread(row.ratio)])
    yield from markdown(lines, left=3)
    yield ""
    yield LEGEND
    for row in record.rows:
        for who, what in row.problems.items():
            yield f"{row.eval}, {row.size}, {row.function}: {who}: {what}"
    if zeros := [f"{row.eval} {row.size}" for row in record.rows if row.zeros]:
        yield from textwrap.wrap(f"Nothing but zeros is right for the derivative of {'; '.join(zeros)}.", 118)
    for name, why in record.absent.items():
        yield f"{name}: not in it: {why}"


def conditions(machine: dict[str, Any]) -> str:
    load = machine["load_average"]
    return described(machine) + (f", load average {load} at the start" if load is not None else "")


def brief(record: Record, machine: dict[str, Any]) -> Iterator[str]:
    """A row an eval: the ratios at each of its sizes, for what is differentiated and for the derivative."""
    lines = [["eval", "sizes", "program: ours / theirs", "derivative: ours / theirs"]]
    for name in SIZES:
        rows = [row for row in record.rows if row.eval == name]
        primal, derivative = (
            ", ".join(rounded(row.ratio) for row in rows if row.derivative is kind) or "-" for kind in (False, True)
        )
        sizes = "; ".join(dict.fromkeys(row.size for row in rows)) or "not in it"
        lines.append([name, sizes, primal, derivative])
    yield from markdown(lines, left=2)
    yield ""
    yield f"Beside {record.tool}, {conditions(machine)}."
