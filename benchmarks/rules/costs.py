"""What the pullback of each rule costs beside its primal: at most three times as much, or mathematics says why not.

A rule is called as a sweep calls it: its own expression, then the projection onto the argument; one row an argument. A
function that is differentiated as a composition has no pullback of its own: its row is what the engine takes for value
and pullback together, less the primal, and less what both take on a few elements, which is the price of tracing.

Primal and pullback take turns, on one thread, and the lowest times of each count, of the processor's own: what others
use it for adds to a time and hardly ever takes away from it.
"""

from __future__ import annotations

import linecache
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.rules.reasons import REASONS, Reason
from benchmarks.rules.samples import SIZE, Sample, samples
from engine import traced
from engine.rules import Rule, lookup
from engine.tangents import from_partial, is_differentiable, project

__all__ = ["ABOVE", "BELOW", "Record", "Row", "chosen", "measure", "report", "run", "table", "verdict"]

ABOVE, BELOW = 3.3, 2.0  # what is called slow, and what needs no reason any more: between them the machine has its say
FEW = 400  # elements, on which tracing is all that a composition costs
TURN_SECONDS = 2e-4  # long against the clock's resolution, short against the machine's moods


@dataclass(frozen=True)
class Row:
    """One argument of one call; of a composition, and of a rule for all arguments at once, all of them."""

    call: str
    argument: str
    primal_us: float
    pullback_us: float
    copy_us: float

    def ratio(self, reason: Reason | None) -> float:
        """The pullback in units of what it is held against."""
        return self.pullback_us / (self.copy_us if reason is not None and reason.passes else self.primal_us)


# ---- what is called
def has_cotangent(x: Any) -> bool:
    """Can `x` have a cotangent, or a part of it?"""
    return any(map(has_cotangent, x)) if isinstance(x, list | tuple) else is_differentiable(x)


def cotangent_of(out: Any) -> Any:
    """A cotangent of a result, the same in every run."""
    if isinstance(out, list | tuple):
        return tuple([cotangent_of(o) for o in out])
    if not is_differentiable(out):
        return None
    d = np.asarray(np.random.default_rng(7).uniform(0.5, 1.5, np.shape(out)))
    return (d + 0.5j * d if np.iscomplexobj(out) else d).astype(np.result_type(out))[()]


def projected(d: Any, primal: Any) -> Any:
    """A cotangent as the engine hands it on."""
    if isinstance(primal, list | tuple):
        return None if d is None else [projected(c, x) for c, x in zip(d, primal, strict=True)]
    return project(d, primal) if d is not None and has_cotangent(primal) else None


def pullbacks(call: Sample, rule: Rule) -> dict[str, Callable[[], object]]:
    """Argument -> its pullback at the point of the call; of a rule for all arguments at once, that under ""."""
    args, kwargs, out = call.args, call.kwargs, call()
    d = cotangent_of(out)
    if rule.whole is not None:
        whole = rule.whole

        def all_of_them() -> object:
            return [projected(c, x) for c, x in zip(whole(d, out, *args, **kwargs), args, strict=True)]

        return {"": all_of_them}
    names = dict(zip(rule.signature.bind(*args, **kwargs).arguments, args, strict=False))

    def one(derivative: Callable, x: Any) -> object:
        if rule.partials:
            return project(from_partial(derivative, d, out, args), x)
        return projected(derivative(d, out, *args, **kwargs), x)

    given = {name: derivative for name, derivative in rule.differentiable().items() if name in names}
    return {name: partial(one, f, names[name]) for name, f in given.items() if has_cotangent(names[name])}


def followed(call: Sample) -> Callable[[], object]:
    """Value and pullback of a composition: the call as a program of its operands, traced."""
    active = [i for i, x in enumerate(call.args) if has_cotangent(x)]
    names = [f"a{i}" for i in range(len(call.args))]
    constants = {name: x for i, (name, x) in enumerate(zip(names, call.args, strict=True)) if i not in active}
    passed = ", ".join(names + [f"{name}={name}" for name in call.kwargs])
    result = f"tuple(primal({passed}))" if isinstance(call(), list) else f"primal({passed})"
    text = f"def program({', '.join(names[i] for i in active)}):\n    return {result}\n"
    file = f"<{call.text}, {len(text)}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    namespace = {"primal": call.primal, **constants, **call.kwargs}
    exec(compile(text, file, "exec"), namespace)
    program, operands, d = namespace["program"], tuple([call.args[i] for i in active]), cotangent_of(call())

    def value_and_pullback() -> object:
        _, back = traced.pullback(program, operands, {}, keep=False)
        return back.sweep(d)

    return value_and_pullback


def copied(call: Sample) -> Callable[[], object]:
    """A pass over the largest of the arrays that the call reads or returns."""
    parts = [x for given in (*call.args, call()) for x in (given if isinstance(given, list | tuple) else [given])]
    return partial(np.copy, max(map(np.asarray, filter(has_cotangent, parts)), key=np.size))


# ---- times
def thread_seconds(call: Callable[[], object], number: int) -> float:
    """Seconds a call of this thread's own processor time, over `number` calls."""
    start = time.thread_time()
    for _ in range(number):
        call()
    return (time.thread_time() - start) / number


def lowest(calls: Mapping[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """The time of each in microseconds, near the least, which itself may be the clock's mistake.

    They take turns, and short ones are repeated within a turn.
    """
    first = {name: min(thread_seconds(call, 1) for _ in range(3)) for name, call in calls.items()}
    number = {name: max(1, round(TURN_SECONDS / max(seconds, 1e-7))) for name, seconds in first.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            times[name].append(thread_seconds(call, number[name]))
    return {name: max(sorted(taken)[turns // 10], 1e-9) * 1e6 for name, taken in times.items()}


def measure(call: Sample, few: Sample, turns: int) -> Iterator[Row]:
    """The rows of a call; `few` is the same call on a few elements."""
    rule = lookup(call.primal)
    with np.errstate(all="ignore"):
        if rule is None:
            both: dict[str, Callable[[], object]] = {"few": few, "traced": followed(call), "few traced": followed(few)}
            best = lowest({"primal": call, "copy": copied(call), **both}, turns)
            tracing = best["few traced"] - best["few"]
            cost = max(best["traced"] - best["primal"] - tracing, 0.0)
            yield Row(call.text, "", best["primal"], cost, best["copy"])
            return
        calls = pullbacks(call, rule)
        best = lowest({"primal": call, "copy": copied(call), **{f"of {n}": f for n, f in calls.items()}}, turns)
    for name in calls:
        yield Row(call.text, name, best["primal"], best[f"of {name}"], best["copy"])


# ---- what is said of them
def reason_for(text: str) -> Reason | None:
    """Why the pullback of this call may cost more, if anything says so."""
    return next((reason for reason in REASONS if text in reason.texts()), None)


def verdict(rows: list[Row]) -> str | None:
    """What is wrong with the rows of one call: too slow without a reason, or a reason that is none any more."""
    reason = reason_for(rows[0].call)
    worst = max(row.ratio(reason) for row in rows)
    if reason is None or reason.passes:
        if worst > ABOVE:
            of = "a copy of the array" if reason else "its primal"
            return f"{rows[0].call}: the pullback costs {worst:.1f} times {of}" + ("" if reason else ", for no reason")
        if reason and rows[0].primal_us > rows[0].copy_us:
            return f"{rows[0].call}: the primal is a pass over the array itself, take it out of the reasons"
    elif worst < (BELOW if rows[0].argument else BELOW / 2):  # that of a composition is a difference of larger ones
        return f"{rows[0].call}: the pullback costs {worst:.1f} times its primal now, take it out of the reasons"
    return None


def names_of(call: Sample) -> set[str]:
    """What the function of a call may be called: np.linalg.norm, linalg.norm, norm."""
    parts = call.text.split("(")[0].split(".")
    return {".".join(parts[i:]) for i in range(len(parts))}


def chosen(names: list[str] | None, size: int = SIZE) -> list[tuple[Sample, Sample]]:
    """The calls of the functions of these names, or all, each with the same on a few elements.

    Raises:
        ValueError: no function has one of the names.
    """
    pairs = list(zip(samples(size), samples(FEW), strict=True))
    unknown = set(names or ()) - {name for call, _ in pairs for name in names_of(call)}
    if unknown:
        raise ValueError(f"no rule that is measured has the name {', '.join(sorted(unknown))}")
    return [(call, few) for call, few in pairs if names is None or not names_of(call).isdisjoint(names)]


def table(rows: list[Row]) -> Iterator[str]:
    """The rows in the order of their calls; then, under each reason, those it excuses."""
    head = f"{'primal us':>10}{'pullback us':>12}{'ratio':>7}  call"
    yield head
    for row in rows:
        if reason_for(row.call) is None:
            yield line(row, None)
    for reason in REASONS:
        excused = [row for row in rows if row.call in reason.texts()]
        if excused:
            yield f"\n{reason.why}"
            yield head.replace("  call", f"{'copies':>8}  call") if reason.passes else head
            yield from (line(row, reason) for row in excused)


def line(row: Row, reason: Reason | None) -> str:
    """One row; what makes views is held against copies of the array as well."""
    copies = f"{row.ratio(reason):8.2f}" if reason is not None and reason.passes else ""
    by = f"  by {row.argument}" if row.argument else ""
    return f"{row.primal_us:10.1f}{row.pullback_us:12.1f}{row.ratio(None):7.2f}{copies}  {row.call}{by}"


@dataclass(frozen=True)
class Record:
    """The rows, what is wrong with them, and what has to be known to read them."""

    machine: str
    rows: list[Row]
    problems: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        whys = [reason.why if (reason := reason_for(row.call)) else None for row in self.rows]
        rows = [{**asdict(row), "reason": why} for row, why in zip(self.rows, whys, strict=True)]
        return {"machine": self.machine, "rows": rows, "problems": self.problems}


def report(record: Record) -> Iterator[str]:
    """The record as lines of text."""
    yield record.machine
    yield from table(record.rows)
    if record.problems:
        yield ""
        yield from record.problems


def run(calls: list[tuple[Sample, Sample]], turns: int, say: Callable[[str], None]) -> Record:
    """Measure. What looks wrong is measured again before it is said: twice, each time with three times the turns."""
    np.ones(3_000_000)  # 24 MB, freed at once: from now on the C library keeps such blocks, and no page fault is timed
    rows: list[Row] = []
    problems: list[str] = []
    for number, (call, few) in enumerate(calls, 1):
        say(f"{number}/{len(calls)}  {call.text}")
        for more in (1, 3, 9):
            found = list(measure(call, few, more * turns))
            problem = verdict(found)
            if problem is None:
                break
        rows += found
        problems += [problem] if problem else []
    threads = os.environ.get("OMP_NUM_THREADS", "not limited")
    machine = f"Python {platform.python_version()}, NumPy {np.__version__}, threads: {threads}, {turns} turns"
    return Record(machine, rows, problems)
