"""python -m benchmarks gradbench: this project as a tool of GradBench, https://github.com/gradbench/gradbench.

A message is a line of JSON on standard input, its answer a line of JSON on standard output with the same id. What is
evaluated are the workloads of the same names: arrays are made of the input before the clock starts, and lists of the
answer after it has stopped.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, TextIO

import numpy as np

import engine
from benchmarks.workloads import ba, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode, particle, saddle

__all__ = ["EVALS", "Function", "evaluate", "private_output", "serve"]

SHOWN = 30  # of bundle adjustment's Jacobian: two rows, after which it repeats itself

Prepare = Callable[[Any], tuple[tuple, dict[str, Any]]]


def plain(x: Any) -> Any:
    """Python's own numbers and lists.

    >>> plain((np.float64(1.5), np.arange(2)))
    [1.5, [0, 1]]
    """
    if isinstance(x, np.ndarray | np.generic):
        return x.tolist()
    return [plain(item) for item in x] if isinstance(x, tuple | list) else x


def first(x: Any) -> Any:
    return plain(x[0])


@dataclass(frozen=True)
class Function:
    """With `args, constants = prepare(input)`, `ask(*args, **constants)` is timed; `present` makes its output."""

    prepare: Prepare
    ask: Callable
    present: Callable[[Any], Any] = plain


def floats(x: Any) -> np.ndarray:
    return np.array(x, dtype=float)


def of_x(*constants: str) -> Prepare:
    return lambda given: ((floats(given["x"]),), {name: given[name] for name in constants})


def hello_input(x):
    return (float(x),), {}


def det_input(given):
    return (floats(given["A"]),), {"ell": given["ell"]}


def kmeans_input(given):
    return (floats(given["centroids"]),), {"points": floats(given["points"])}


def gmm_input(given):
    d, k = given["d"], given["k"]
    lower = floats(given["l"]).reshape(k, d * (d - 1) // 2)
    parameters = floats(given["alpha"]), floats(given["mu"]), floats(given["q"]), lower
    return parameters, {"x": floats(given["x"]), "m": given["m"], "gamma": given["gamma"]}


def gmm_output(gradients):
    return dict(zip(("alpha", "mu", "q", "l"), plain(gradients), strict=True))


def lstm_input(given):
    parameters = floats(given["main_params"]), floats(given["extra_params"])
    return parameters, {"state": floats(given["state"]), "sequence": floats(given["sequence"])}


def lstm_output(gradients):
    return plain(np.concatenate([g.ravel() for g in gradients]))


def ba_input(given):
    """One camera, point, weight and feature, repeated."""
    n, m, p = given["n"], given["m"], given["p"]
    cams, points = np.tile(floats(given["cam"]), (n, 1)), np.tile(floats(given["x"]), (m, 1))
    feats, observation = np.tile(floats(given["feat"]), (p, 1)), np.arange(p)
    constants = {"feats": feats, "camera": observation % n, "point": observation % m}
    return (cams, points, np.full(p, float(given["w"]))), constants


def ba_objective_output(errors):
    reprojection, weight = errors
    return {
        "reproj_error": {"elements": plain(reprojection[0]), "repeated": len(reprojection)},
        "w_err": {"element": plain(weight[0]), "repeated": len(weight)},
    }


def ba_jacobian_output(jacobian):
    return {
        name: plain(np.append(x[:SHOWN], x[-1])) for name, x in zip(("rows", "cols", "vals"), jacobian, strict=True)
    }


def ht_input(given):
    """Without coordinates inside triangles, the correspondences are vertices."""
    data, model = given["data"], given["data"]["model"]
    arrays = ("base_relatives", "inverse_base_absolutes", "base_positions", "weights")
    constants = {
        "correspondences": np.array(data["correspondences"], dtype=int),
        "points": floats(data["points"]),
        "model": SimpleNamespace(
            parents=[int(parent) for parent in model["parents"]],
            triangles=np.array(model["triangles"], dtype=int),
            is_mirrored=model["is_mirrored"],
            **{name: floats(model[name]) for name in arrays},
        ),
    }
    us = (floats(given["us"]),) if given["us"] else ()
    return (floats(given["theta"]), *us), constants


def ht_objective(theta, *us, **constants):
    return ht.objective(theta, *us, **constants) if us else ht.simple_objective(theta, **constants)


def ht_jacobian(theta, *us, **constants):
    return ht.jacobian(theta, *us, **constants) if us else ht.simple_jacobian(theta, **constants)


def in_modes(by_engine: Callable, start: Callable[[Any], Any]) -> dict[str, Function]:
    """Derivatives inside derivatives: the outer mode, then the inner."""
    return {
        outer + inner: Function(lambda given: ((start(given),), {}), partial(by_engine, outer=outer, inner=inner))
        for outer in "rf"
        for inner in "rf"
    }


def gradient_of(primal: Callable) -> Callable:
    return partial(engine.gradient, primal)


EVALS: dict[str, dict[str, Function]] = {
    "hello": {
        "square": Function(hello_input, hello.square),
        "double": Function(hello_input, gradient_of(hello.square), first),
    },
    "lse": {
        "primal": Function(of_x(), lse.primal),
        "gradient": Function(of_x(), gradient_of(lse.primal), first),
    },
    "llsq": {
        "primal": Function(of_x("n"), llsq.primal),
        "gradient": Function(of_x("n"), gradient_of(llsq.primal), first),
    },
    "det": {
        "primal": Function(det_input, det.primal),
        "gradient": Function(det_input, gradient_of(det.primal), first),
    },
    "ode": {
        "primal": Function(of_x("s"), ode.primal),
        "gradient": Function(of_x("s"), gradient_of(ode.last), first),
    },
    "kmeans": {
        "cost": Function(kmeans_input, kmeans.cost),
        "dir": Function(kmeans_input, kmeans.direction, first),
    },
    "gmm": {
        "objective": Function(gmm_input, gmm.objective),
        "jacobian": Function(gmm_input, gradient_of(gmm.objective), gmm_output),
    },
    "lstm": {
        "objective": Function(lstm_input, lstm.objective),
        "jacobian": Function(lstm_input, gradient_of(lstm.objective), lstm_output),
    },
    "ba": {
        "objective": Function(ba_input, ba.objective, ba_objective_output),
        "jacobian": Function(ba_input, ba.jacobian, ba_jacobian_output),
    },
    "ht": {
        "objective": Function(ht_input, ht_objective),
        "jacobian": Function(ht_input, ht_jacobian),
    },
    "particle": in_modes(particle.by_engine, lambda given: float(given["w"])),
    "saddle": in_modes(saddle.by_engine, lambda given: tuple(map(float, given["start"]))),
}


def evaluate(module: str, name: str, given: Any) -> tuple[Any, list[int]]:
    """The output, and the nanoseconds of each run: at least `min_runs`, and together at least `min_seconds`.

    Raises:
        LookupError: there is no such module or function.
    """
    if name not in EVALS.get(module, {}):
        raise LookupError(f"there is no function {name!r} in a module {module!r}")
    function = EVALS[module][name]
    limits = given if isinstance(given, dict) else {}  # hello's input is a number
    least_runs, least_time = max(1, limits.get("min_runs", 1)), 1e9 * limits.get("min_seconds", 0)
    args, constants = function.prepare(given)
    runs: list[int] = []
    elapsed = 0
    while len(runs) < least_runs or elapsed < least_time:
        start = time.perf_counter_ns()
        answer = function.ask(*args, **constants)
        runs.append(time.perf_counter_ns() - start)
        elapsed += runs[-1]
    return function.present(answer), runs


def reply(message: dict[str, Any]) -> dict[str, Any]:
    """All of the answer but the id."""
    match message.get("kind"):
        case "start":
            return {"tool": "gradpin"}
        case "define":
            known = message["module"] in EVALS
            return {"success": True} if known else failure(f"there is no module {message['module']!r}")
        case "evaluate":
            output, runs = evaluate(message["module"], message["function"], message["input"])
            timings = [{"name": "evaluate", "nanoseconds": run} for run in runs]
            return {"success": True, "output": output, "timings": timings}
    return {}


def failure(error: str) -> dict[str, Any]:
    return {"success": False, "error": error}


def answer(line: str) -> str:
    """One line for one line, whatever goes wrong; JSON has no NaN and no infinity, and neither has an answer."""
    number = None
    try:
        message = json.loads(line)
        number = message["id"]
        return json.dumps({"id": number, **reply(message)}, allow_nan=False)
    except Exception as error:  # the session goes on: what comes next may be answered
        return json.dumps({"id": number, **failure(f"{type(error).__name__}: {error}")})


def serve(lines: Iterable[str], output: TextIO) -> None:
    """Until the lines end."""
    for line in lines:
        print(answer(line), file=output, flush=True)


@contextmanager
def private_output() -> Iterator[TextIO]:
    """Standard output for the protocol alone: what else prints, in Python or beneath it, prints to the errors."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(saved), "w") as output:
            yield output
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
