"""python -m benchmarks gradbench --check: GradBench's derivatives, each relative to its own size.

GradBench takes a number x for y unless |x - y| / max(|x| + |y|, 1) > 1e-4. Below 1 that is absolute: where all of a
derivative is small, zeros pass. And no comparison with NaN is true, so NaN passes everywhere. Here an answer must be
finite, and each of its arrays as near to the expected one as a small part of that array's largest entry.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gradbench import tool
from benchmarks.workloads import WORKLOADS, ba, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode, particle, saddle
from benchmarks.workloads.workload import rng

__all__ = ["Row", "problem", "report", "run", "samples", "their_verdict"]

NEAR = 1e-8  # of the largest entry: rounding in sums and in descents of some thousand steps stays below
THEIRS = 1e-4


def problem(answer: Any, expected: Any, path: str = "") -> str | None:
    """What is wrong with an answer; None if nothing is.

    >>> problem([1e-9, 0.0], [2e-9, 0.0])
    'off by 0.5 of the largest entry'
    >>> problem([float("nan")], [1.0])
    'not finite'
    """
    at = f"{path}: " if path else ""
    if isinstance(expected, dict):
        if not isinstance(answer, dict) or answer.keys() != expected.keys():
            return f"{at}not an object of {', '.join(expected)}"
        found = (problem(answer[key], expected[key], f"{path}.{key}" if path else key) for key in expected)
        return next(filter(None, found), None)
    if shape(answer) != shape(expected):
        return f"{at}not numbers, or not in lists of the same lengths"
    got, right = np.array(answer, dtype=float), np.array(expected, dtype=float)
    if not np.all(np.isfinite(got)):
        return f"{at}not finite"
    largest, off = np.max(np.abs(right)), np.max(np.abs(got - right))
    if off > NEAR * largest:
        return f"{at}off by {off / largest:.2g} of the largest entry" if largest else f"{at}not zero"
    return None


def shape(x: Any) -> Any:
    """Lengths of nested lists down to numbers, so that no number passes for a list of one."""
    if isinstance(x, list):
        return [shape(item) for item in x]
    return "number" if isinstance(x, int | float) and not isinstance(x, bool) else type(x).__name__


def numbers(x: Any) -> Iterator[float]:
    if isinstance(x, dict | list):
        for item in x.values() if isinstance(x, dict) else x:
            yield from numbers(item)
    else:
        yield x


def replaced(x: Any, number: float) -> Any:
    """The same structure, with `number` for every float."""
    if isinstance(x, dict):
        return {key: replaced(item, number) for key, item in x.items()}
    if isinstance(x, list):
        return [replaced(item, number) for item in x]
    return number if isinstance(x, float) else x


def their_verdict(answer: Any, expected: Any) -> bool:
    """Whether GradBench's tolerance takes the answer, of the same structure, for the expected one."""
    pairs = zip(numbers(answer), numbers(expected), strict=True)
    return not any(abs(x - y) / max(abs(x) + abs(y), 1.0) > THEIRS for x, y in pairs)


@dataclass(frozen=True)
class Sample:
    """Input of a function of GradBench, and the right output, which the engine has no part in."""

    eval: str
    function: str
    given: Any
    expected: Any


def of_workload(name: str, size: int = 0) -> tuple[tuple, dict[str, Any]]:
    """The data of a workload; what is expected is its derivative written by hand."""
    return copy.deepcopy(WORKLOADS[name].sizes[size].arguments())


def hello_sample() -> Sample:
    return Sample("hello", "double", 3.0, hello.square_gradient(3.0)[0])


def lse_sample() -> Sample:
    """Long enough that every entry is below what GradBench can see."""
    x = rng().random(20_000)
    return Sample("lse", "gradient", {"x": x.tolist()}, lse.gradient(x)[0].tolist())


def llsq_sample() -> Sample:
    (x,), constants = of_workload("llsq")
    return Sample("llsq", "gradient", {"x": x.tolist(), **constants}, llsq.gradient(x, **constants)[0].tolist())


def det_sample() -> Sample:
    (a,), constants = of_workload("det")
    return Sample("det", "gradient", {"A": a.tolist(), **constants}, det.gradient(a, **constants)[0].tolist())


def ode_sample(n: int = 20, s: int = 10) -> Sample:
    """By complex steps through the program, which lose nothing to rounding, however small the slope."""
    x, step = 0.5 + rng().random(n), 1e-100
    slopes = [float(ode.last(x + step * 1j * axis, s).imag / step) for axis in np.eye(n)]
    return Sample("ode", "gradient", {"x": x.tolist(), "s": s}, slopes)


def kmeans_sample() -> Sample:
    (centroids,), constants = of_workload("kmeans")
    given = {"points": constants["points"].tolist(), "centroids": centroids.tolist()}
    return Sample("kmeans", "dir", given, kmeans.direction_by_hand(centroids, **constants)[0].tolist())


def gmm_sample() -> Sample:
    parameters, constants = of_workload("gmm")
    x, (k, d) = constants["x"], parameters[1].shape
    names = ("alpha", "mu", "q", "l")
    given = {name: p.tolist() for name, p in zip(names, parameters, strict=True)}
    by_hand = gmm.objective_gradient(*parameters, **constants)
    expected = {name: g.tolist() for name, g in zip(names, by_hand, strict=True)}
    sizes = {"d": d, "k": k, "n": len(x), "m": constants["m"], "gamma": constants["gamma"]}
    return Sample("gmm", "jacobian", {**given, **sizes, "x": x.tolist()}, expected)


def lstm_sample() -> Sample:
    (main, extra), constants = of_workload("lstm")
    given = {"main_params": main, "extra_params": extra, **constants}
    by_hand = np.concatenate([g.ravel() for g in lstm.gradient(main, extra, **constants)])
    return Sample("lstm", "jacobian", {name: x.tolist() for name, x in given.items()}, by_hand.tolist())


def ba_sample(n: int = 3, m: int = 5, p: int = 15) -> Sample:
    (cams, points, w), constants = of_workload("ba")
    given = {"n": n, "m": m, "p": p, "cam": cams[0].tolist(), "x": points[0].tolist(), "w": float(w[0])}
    given["feat"] = constants["feats"][0].tolist()
    args, repeated = tool.ba_input(given)
    by_hand = zip(("rows", "cols", "vals"), ba.jacobian_by_hand(*args, **repeated), strict=True)
    return Sample("ba", "jacobian", given, {name: [*x[:30].tolist(), x[-1].item()] for name, x in by_hand})


def ht_sample() -> Sample:
    (theta, us), constants = of_workload("ht")
    model = {name: np.array(x).tolist() for name, x in vars(constants["model"]).items()}
    data = {name: constants[name].tolist() for name in ("correspondences", "points")}
    given = {"theta": theta.tolist(), "us": us.tolist(), "data": {**data, "model": model}}
    return Sample("ht", "jacobian", given, ht.jacobian_by_hand(theta, us, **constants).tolist())


def particle_sample(outer: str, inner: str) -> Sample:
    return Sample("particle", outer + inner, {"w": 0.0}, particle.by_hand(0.0, outer, inner))


def saddle_sample(outer: str, inner: str) -> Sample:
    start = (1.0, 1.0)
    return Sample("saddle", outer + inner, {"start": list(start)}, list(saddle.by_hand(start, outer, inner)))


SIMPLE: tuple[Callable[[], Sample], ...] = (
    hello_sample,
    lse_sample,
    llsq_sample,
    det_sample,
    ode_sample,
    kmeans_sample,
    gmm_sample,
    lstm_sample,
    ba_sample,
    ht_sample,
)


def samples() -> Iterator[Sample]:
    """Of every derivative that GradBench asks for."""
    for sample in SIMPLE:
        yield sample()
    for nested in (particle_sample, saddle_sample):
        for modes in ("rr", "rf", "fr", "ff"):
            yield nested(*modes)


@dataclass(frozen=True)
class Row:
    """`zeros` and `nans`: whether GradBench's tolerance would let an answer of nothing else pass."""

    name: str
    problem: str | None
    zeros: bool
    nans: bool


def run() -> list[Row]:
    rows = []
    for sample in samples():
        answer, _ = tool.evaluate(sample.eval, sample.function, sample.given)
        zeros, nans = (their_verdict(replaced(sample.expected, x), sample.expected) for x in (0.0, math.nan))
        rows.append(Row(f"{sample.eval} {sample.function}", problem(answer, sample.expected), zeros, nans))
    return rows


def report(rows: list[Row]) -> Iterator[str]:
    yield f"{'derivative':<16}{'GradBench passes zeros':<24}{'and NaN':<10}here"
    for row in rows:
        passes = ("yes" if row.zeros else "no", "yes" if row.nans else "no")
        yield f"{row.name:<16}{passes[0]:<24}{passes[1]:<10}{row.problem or 'right'}"
