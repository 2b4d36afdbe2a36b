"""The square of a number: nothing but what it costs to ask."""

from __future__ import annotations

from benchmarks.workloads.workload import Size, Workload


def square(x):
    return x * x


def square_gradient(x):
    return (2 * x,)


GAP = (
    "A call looks up the instance by the code of the function, checks the types of its arguments and "
    "builds a tuple: 0.4 us around a product of 0.08. It would take a call without checks, which could be "
    "wrong."
)

WORKLOAD = Workload("hello", square, square_gradient, (Size("1", lambda: ((3.0,), {})),), gap=GAP)
