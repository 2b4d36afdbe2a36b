"""Inputs of GradBench's functions, seeded, at any size, each with the right output, which the engine has no part in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gradbench import tool
from benchmarks.workloads import ba, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode, particle, saddle
from benchmarks.workloads.workload import rng

__all__ = ["Sample", "samples"]


@dataclass(frozen=True)
class Sample:
    """Input of a derivative, what it should give, and the function of the same input that it is the derivative of."""

    eval: str
    function: str
    given: Any
    expected: Any
    primal: str | None = "primal"


def hello_sample() -> Sample:
    return Sample("hello", "double", 3.0, hello.square_gradient(3.0)[0], "square")


def lse_sample(n: int = 20_000) -> Sample:
    """By default long enough that every entry is below what GradBench can see."""
    (x,), _ = lse.arguments(n)
    return Sample("lse", "gradient", {"x": x.tolist()}, lse.gradient(x)[0].tolist())


def llsq_sample(n: int = 16, m: int = 4) -> Sample:
    (x,), constants = llsq.arguments(n, m)
    return Sample("llsq", "gradient", {"x": x.tolist(), **constants}, llsq.gradient(x, **constants)[0].tolist())


def det_sample(ell: int = 4) -> Sample:
    (a,), constants = det.arguments(ell)
    return Sample("det", "gradient", {"A": a.tolist(), **constants}, det.gradient(a, **constants)[0].tolist())


def ode_sample(n: int = 20, s: int = 10) -> Sample:
    x = 0.5 + rng().random(n)
    return Sample("ode", "gradient", {"x": x.tolist(), "s": s}, ode.last_gradient(x, s)[0].tolist())


def kmeans_sample(k: int = 3, n: int = 30, d: int = 2) -> Sample:
    (centroids,), constants = kmeans.arguments(k, n, d)
    given = {"points": constants["points"].tolist(), "centroids": centroids.tolist()}
    return Sample("kmeans", "dir", given, kmeans.direction_by_hand(centroids, **constants)[0].tolist(), "cost")


def gmm_sample(d: int = 2, k: int = 3, n: int = 10) -> Sample:
    parameters, constants = gmm.arguments(d, k, n)
    names = ("alpha", "mu", "q", "l")
    given = {name: p.tolist() for name, p in zip(names, parameters, strict=True)}
    by_hand = gmm.objective_gradient(*parameters, **constants)
    expected = {name: g.tolist() for name, g in zip(names, by_hand, strict=True)}
    sizes = {"d": d, "k": k, "n": n, "m": constants["m"], "gamma": constants["gamma"]}
    given |= {**sizes, "x": constants["x"].tolist()}
    return Sample("gmm", "jacobian", given, expected, "objective")


def lstm_sample(layers: int = 2, characters: int = 8) -> Sample:
    (main, extra), constants = lstm.arguments(layers, characters)
    given = {"main_params": main, "extra_params": extra, **constants}
    by_hand = np.concatenate([g.ravel() for g in lstm.gradient(main, extra, **constants)])
    return Sample("lstm", "jacobian", {name: x.tolist() for name, x in given.items()}, by_hand.tolist(), "objective")


def ba_sample(n: int = 3, m: int = 5, p: int = 15) -> Sample:
    (cams, points, w), constants = ba.arguments(1, 1, 1)
    given = {"n": n, "m": m, "p": p, "cam": cams[0].tolist(), "x": points[0].tolist(), "w": float(w[0])}
    given["feat"] = constants["feats"][0].tolist()
    args, repeated = tool.ba_input(given)
    by_hand = zip(("rows", "cols", "vals"), ba.jacobian_by_hand(*args, **repeated), strict=True)
    expected = {name: [*x[: tool.SHOWN].tolist(), x[-1].item()] for name, x in by_hand}
    return Sample("ba", "jacobian", given, expected, "objective")


def ht_sample(points: int = 5, vertices: int = 20) -> Sample:
    (theta, us), constants = ht.arguments(points, vertices)
    model = {name: np.array(x).tolist() for name, x in vars(constants["model"]).items()}
    model |= {"bone_count": ht.BONES, "bone_names": [f"bone {i}" for i in range(ht.BONES)]}
    data = {name: constants[name].tolist() for name in ("correspondences", "points")}
    given = {"theta": theta.tolist(), "us": us.tolist(), "data": {**data, "model": model}}
    return Sample("ht", "jacobian", given, ht.jacobian_by_hand(theta, us, **constants).tolist(), "objective")


def particle_sample(outer: str, inner: str) -> Sample:
    return Sample("particle", outer + inner, {"w": 0.0}, particle.by_hand(0.0, outer, inner), None)


def saddle_sample(outer: str, inner: str) -> Sample:
    start = (1.0, 1.0)
    return Sample("saddle", outer + inner, {"start": list(start)}, list(saddle.by_hand(start, outer, inner)), None)


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
MODES = ("rr", "rf", "fr", "ff")


def samples() -> Iterator[Sample]:
    """Of every derivative that GradBench asks for, small."""
    for sample in SIMPLE:
        yield sample()
    for nested in (particle_sample, saddle_sample):
        for modes in MODES:
            yield nested(*modes)
