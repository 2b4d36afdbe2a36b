"""The square of a number: nothing but what it costs to ask."""

from __future__ import annotations

from benchmarks.workloads.workload import Size, Workload


def square(x):
    return x * x


def square_gradient(x):
    return (2 * x,)


WORKLOAD = Workload("hello", square, square_gradient, (Size("1", lambda: ((3.0,), {})),))
