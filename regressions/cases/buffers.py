"""Buffers made before they are filled: rows, slices and cells stored into an array of zeros, then read."""

from __future__ import annotations

import math
import operator

import numpy as np

from engine.traced import arrays, items, primitives, storage

from ..case import Raises, case
from ..defects import with_rule
from ..defects.state import (
    cotangents_are_dropped_in,
    traced,
    writes_object,
)


@case(
    "casadi-102",
    "https://github.com/casadi/casadi/issues/102",
    title="the gradient through a stored block and its outer product lands in one entry, doubled",
    month="2011-04",
    symptom="wrong-value",
    cause="Both operands of the product are the same matrix, one of them transposed; the adjoint of the transposed one "
    "was added without transposing it back.",
    needs=("mutation",),
    at=(np.array([0.375, 0.95, 0.73]),),
    right=(np.array([0.95, 0.375, 0.0]),),
    oracle="closed form: of x1 x0",
    reported=(np.array([1.9, 0.0, 0.0]),),
    defect=with_rule(operator.matmul, a=lambda d, out, a, b: d.T @ b.T, b=lambda d, out, a, b: a.T @ d),
)
def outer_product_of_a_stored_block(x):
    column = np.zeros((7, 1))
    column[1:4, 0] = x
    return (column @ column.T)[2, 1]


def nowhere(array):
    return None


@case(
    "zygote-177",
    "https://github.com/FluxML/Zygote.jl/issues/177",
    title="an array filled in place has no gradient unless it is copied before it is returned",
    month="2019-05",
    symptom="missing-gradient",
    cause="The cotangent of a buffer was kept in a table on the side, and only the operation that copies the buffer "
    "looked there.",
    needs=("mutation",),
    at=(np.array([1.0, 4.0]),),
    right=(np.array([1.0, 1.0]),),
    oracle="closed form: a sum of the entries",
    reported=(None,),
    defect=traced(primitives, "view_of", nowhere),
)
def buffer_used_without_a_copy(x):
    y = np.empty_like(x)
    y[:] = x[:]
    return np.sum(y)


SEQUENCES = np.array([[0.5, -0.2, 0.8], [0.1, 0.4, -0.6]])


class Recurrence:
    def __init__(self):
        self.state = 0.0

    def __call__(self, w, x):
        state = np.tanh(w * self.state + x)
        self.state = state
        return state


def slopes(w, sequence, through_the_state):
    state = slope = total = 0.0
    for x in sequence:
        before, state = state, math.tanh(w * state + x)
        slope = (1 - state**2) * (before + w * slope * through_the_state)
        total += slope
    return float(total)


@case(
    "zygote-563",
    "https://github.com/FluxML/Zygote.jl/issues/563",
    title="filling the rows of a buffer from a cell that keeps a state gives a wrong gradient",
    month="2020-03",
    symptom="wrong-value",
    cause="The pullbacks of the elements ran first to last, so that what a later element has to say about the state "
    "came after the element that made it.",
    needs=("mutation", "objects"),
    at=(0.7,),
    right=(slopes(0.7, SEQUENCES[0], 1) + slopes(0.7, SEQUENCES[1][::-1], 1),),
    oracle="closed form: the derivative carried along with the recurrence h = tanh(w h + x)",
    reported=(slopes(0.7, SEQUENCES[0], 0) + slopes(0.7, SEQUENCES[1][::-1], 0),),
    defect=cotangents_are_dropped_in(storage.Load),
)
def rows_filled_by_a_cell_with_a_state(w):
    out = np.zeros((2, 3))
    forward, backward = Recurrence(), Recurrence()
    for t in range(3):
        out[0, t] = forward(w, SEQUENCES[0, t])
    for t in reversed(range(3)):
        out[1, t] = backward(w, SEQUENCES[1, t])
    return np.sum(out)


def plain_sums_only(view, sweep, d):
    if primitives.is_active(d):
        raise TypeError("cannot convert a dual number to a float")
    _add(view, sweep, d)


_add = arrays.View.add


@case(
    "zygote-1349",
    "https://github.com/FluxML/Zygote.jl/issues/1349",
    title="the second derivative through a preallocated buffer raises a conversion error",
    month="2023-01",
    symptom="raises",
    cause="The store for the cotangent of a buffer was made for the numbers in the buffer, and could not hold what the "
    "outer derivative carries along.",
    needs=("mutation", "nested"),
    at=(1.0,),
    right=(6.0,),
    oracle="closed form: the second derivative of 3a²",
    reported=Raises("crash", "TypeError: cannot convert"),
    defect=traced(arrays.View, "add", plain_sums_only),
)
def second_derivative_through_a_buffer(a, *, ad):
    def loss(a):
        buffer = np.zeros(2)
        buffer[:] = [a, 2.0 * a]
        return np.sum(a * buffer)

    return ad.gradient(loss, a)[0]


def scalar_shadow(sweep, base):
    return sweep.shadows.setdefault(id(base), np.zeros(()))


@case(
    "zygote-1352",
    "https://github.com/FluxML/Zygote.jl/issues/1352",
    title="summing a slice of a buffer raises in the reverse pass",
    month="2023-01",
    symptom="raises",
    cause="The store for the cotangent of a buffer took its type from the first cotangent that came, a number, and "
    "could then not hold the cotangent of a slice.",
    needs=("mutation",),
    at=(np.array([0.0, 0.0, 0.0]),),
    right=(np.array([1.0, 1.0, 0.0]),),
    oracle="closed form: a sum of the first two",
    reported=Raises("crash", "ValueError: strides"),
    defect=traced(arrays, "shadow", scalar_shadow),
)
def slice_of_a_buffer(x):
    buffer = np.zeros(x.shape)
    buffer[:] = x
    return np.sum(buffer[0:2].copy())


def reset_by_assigning_into_the_element(array, index, value):
    array[index][...] = value


@case(
    "zygote-1364",
    "https://github.com/FluxML/Zygote.jl/issues/1364",
    title="a buffer written through multidimensional indices raises in the reverse pass",
    month="2023-01",
    symptom="raises",
    cause="After a store its cotangent is reset to zero, which was written as an assignment into the element; an index "
    "of all dimensions leads to a number, which cannot be assigned into.",
    needs=("mutation",),
    at=(np.array([[0.0, 0.5], [1.0, 1.5]]),),
    right=(np.array([[1.0, 2.0], [3.0, 4.0]]),),
    oracle="closed form: the weights",
    reported=Raises("crash", "does not support item assignment"),
    defect=writes_object(reset_by_assigning_into_the_element, in_sweep=True),
)
def buffer_written_through_indices_of_all_axes(x):
    out = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        out[index] = x[index]
    return np.sum(out * np.array([[1.0, 2.0], [3.0, 4.0]]))


def arrays_only(array, index, value):
    if not isinstance(arrays.plain(value), np.ndarray):
        raise TypeError(f"no rule for the assignment of a {type(arrays.plain(value)).__name__} to a buffer")


def lists_refused(value):
    if isinstance(value, list):
        raise TypeError("no rule for the assignment of a list to a buffer")
    return value


@case(
    "zygote-1488",
    "https://github.com/FluxML/Zygote.jl/pull/1488",
    title="a buffer cannot be filled from a comprehension",
    month="2024-01",
    symptom="raises",
    cause="Assigning all elements of a buffer had a rule for arrays as the source, and none for other sequences.",
    needs=("mutation", "containers"),
    at=(1.1,),
    right=(20.0,),
    oracle="closed form: 2 + 2 · 3 + 3 · 4",
    reported=Raises("crash", "TypeError"),
    defect=traced(items, "array_like", lists_refused),
)
def buffer_filled_from_a_comprehension(p):
    buffer = np.zeros(3)
    buffer[:] = [p * i for i in range(1, 4)]
    return np.sum(buffer * np.array([2.0, 3.0, 4.0]))


@case(
    "zygote-1488",
    "https://github.com/FluxML/Zygote.jl/pull/1488",
    title="a buffer cannot be filled with one number",
    month="2024-01",
    symptom="raises",
    cause="Assigning all elements of a buffer had a rule for arrays as the source, and none for a number.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([0.0, 0.0]),),
    oracle="closed form: nothing of x is left when the sum is taken",
    reported=Raises("crash", "TypeError"),
    defect=writes_object(arrays_only),
)
def buffer_overwritten_with_one_number(x):
    buffer = np.array(x)
    buffer[:] = 2.0
    return np.sum(buffer)
