"""A saddle point by descent inside descent: the outer slope is that of a program that runs the inner one."""

from __future__ import annotations

import math

from benchmarks.workloads.descent import MODES, argmax, argmin
from benchmarks.workloads.workload import Size, Workload


def objective(p, q):
    return (p[0] * p[0] + p[1] * p[1]) - (q[0] * q[0] + q[1] * q[1])


def saddle_point(start, outer, inner, most=math.inf):
    """(x1, x2, y1, y2), where the first two minimise what the last two maximise."""

    def response(p):
        return argmax(lambda q: objective(p, q), inner(lambda q: objective(p, q)), start, most)

    def best(p):
        return objective(p, response(p))

    p = argmin(best, outer(best), start, most)
    return (*p, *response(p))


def by_engine(start, outer, inner, most=math.inf):
    """`outer` and `inner` are "r" for reverse mode and "f" for forward mode."""
    return saddle_point(start, MODES[outer], MODES[inner], most)


def by_hand(start, outer, inner, most=math.inf):
    """The slope of the best response is that at the response: what moves the response itself counts for nothing."""

    def response(p):
        return argmax(lambda q: objective(p, q), lambda q: (-2 * q[0], -2 * q[1]), start, most)

    def slope(p):
        response(p)
        return 2 * p[0], 2 * p[1]

    p = argmin(lambda p: objective(p, response(p)), slope, start, most)
    return (*p, *response(p))


def arguments(outer, inner, most=math.inf):
    return ((1.0, 1.0),), {"outer": outer, "inner": inner, "most": most}


GAP = (
    "The descent inside is differentiated, in forward mode once for each number; by hand it is not: at its end what "
    "moves the response counts for nothing, which an engine cannot know."
)

WORKLOAD = Workload(
    "saddle",
    None,
    by_hand,
    (
        Size("rr,10 steps", lambda: arguments("r", "r", 10)),
        Size("rf,10 steps", lambda: arguments("r", "f", 10)),
        Size("fr,10 steps", lambda: arguments("f", "r", 10)),
        Size("ff,10 steps", lambda: arguments("f", "f", 10)),
        Size("rr", lambda: arguments("r", "r")),
        Size("rf", lambda: arguments("r", "f")),
        Size("fr", lambda: arguments("f", "r")),
        Size("ff", lambda: arguments("f", "f")),
    ),
    derivative=by_engine,
    gap=GAP,
)
