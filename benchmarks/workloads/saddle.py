"""A saddle point by descent inside descent: the outer slope is that of a program that runs the inner one."""

from __future__ import annotations

from benchmarks.workloads.descent import MODES, argmax, argmin
from benchmarks.workloads.workload import Size, Workload


def objective(p, q):
    return (p[0] * p[0] + p[1] * p[1]) - (q[0] * q[0] + q[1] * q[1])


def saddle_point(start, outer, inner):
    """(x1, x2, y1, y2), where the first two minimise what the last two maximise."""

    def response(p):
        return argmax(lambda q: objective(p, q), inner(lambda q: objective(p, q)), start)

    def best(p):
        return objective(p, response(p))

    p = argmin(best, outer(best), start)
    return (*p, *response(p))


def by_engine(start, outer, inner):
    """`outer` and `inner` are "r" for reverse mode and "f" for forward mode."""
    return saddle_point(start, MODES[outer], MODES[inner])


def by_hand(start, outer, inner):
    """The slope of the best response is that at the response: what moves the response itself counts for nothing."""

    def response(p):
        return argmax(lambda q: objective(p, q), lambda q: (-2 * q[0], -2 * q[1]), start)

    def slope(p):
        response(p)
        return 2 * p[0], 2 * p[1]

    p = argmin(lambda p: objective(p, response(p)), slope, start)
    return (*p, *response(p))


def arguments(outer, inner):
    return ((1.0, 1.0),), {"outer": outer, "inner": inner}


WORKLOAD = Workload(
    "saddle",
    None,
    by_hand,
    (
        Size("rr", lambda: arguments("r", "r")),
        Size("rf", lambda: arguments("r", "f")),
        Size("fr", lambda: arguments("f", "r")),
        Size("ff", lambda: arguments("f", "f")),
    ),
    derivative=by_engine,
)
