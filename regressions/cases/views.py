"""Views of arrays: a write through one is a write to the array that owns the memory, and to every other view of it."""

from __future__ import annotations

import numpy as np

from engine.traced import items
from engine.traced.calls import call
from engine.traced.levels import plain

from ..case import case
from ..defects.state import traced, written_values_get_zero

read = items.apply


def copied(function, rule, args, kwargs):
    return call(np.copy, read(function, rule, args, kwargs))


def views_of_views_copied(function, rule, args, kwargs):
    return (read if plain(args[0]).base is None else copied)(function, rule, args, kwargs)


@case(
    "mygrad-296",
    "https://github.com/rsokl/MyGrad/issues/296",
    title="writes through a view reach neither the array nor its gradient",
    month="2020-08",
    symptom="wrong-value",
    cause="Views were not tracked as such: each was an array of its own, and an update of it acted on a copy.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([36.0, 36.0, 36.0]),),
    oracle="closed form: of (x0 x2)² + (x1 x2)² + (x0 x2)²",
    reported=(np.array([2.0, 4.0, 6.0]),),
    defect=traced(items, "apply", copied),
)
def writes_through_a_slice_and_a_reversed_view(x):
    y = x * 1.0
    front = y[:2]
    front *= x[2]
    backwards = y.reshape(3)[::-1]
    backwards[0] = x[0] * x[2]
    return np.sum(y**2)


GRID = np.arange(9.0).reshape(3, 3)


@case(
    "pytorch-49824",
    "https://github.com/pytorch/pytorch/issues/49824",
    title="a write through a view of an unpacked row is accepted and has the gradient of no write",
    month="2020-12",
    symptom="wrong-value",
    cause="What a view of an unpacked row is allowed to do was not passed on to a view of that view, so that a write "
    "through it went unnoticed.",
    needs=("mutation", "containers"),
    at=(GRID,),
    right=(np.array([[0.0, 2.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]),),
    oracle="closed form: the weights, doubled where the values are doubled",
    reported=(GRID,),
    defect=traced(items, "apply", views_of_views_copied),
)
def part_of_an_unpacked_row_doubled(x):
    y = x.copy()
    rows = list(y)
    part = rows[0][0:2]
    part *= 2.0
    return np.sum(y * GRID)


MATRIX, VECTOR = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])


@case(
    "reversediff-171",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/171",
    title="a product written into a column of a buffer has a gradient of zeros",
    month="2021-03",
    symptom="missing-gradient",
    cause="The result is given to the product to write to, as a view of the buffer, and writing there loses the "
    "tracking without an error.",
    needs=("mutation",),
    at=(VECTOR,),
    right=(2 * MATRIX.T @ MATRIX @ VECTOR,),
    oracle="closed form: 2AᵀAx",
    reported=(np.zeros(2),),
    defect=written_values_get_zero,
)
def product_written_into_a_column(x):
    buffer = np.zeros((2, 2))
    column = buffer[:, 0]
    np.matmul(MATRIX, x, out=column)
    return np.sum(buffer**2)
