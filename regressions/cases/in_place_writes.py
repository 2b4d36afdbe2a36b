"""Arrays filled and changed in place: elements, rows and blocks stored into a buffer that the loss then reads."""

from __future__ import annotations

import math
import operator

import numpy as np

from engine.errors import MutationError
from engine.rules import METHODS
from engine.traced import arrays, items, primitives, storage

from ..case import Raises, case
from ..defects import declared_constant, on_traced_tier, raising, with_rule
from ..defects.state import (
    additions_through_a_view_are_lost,
    cotangents_are_dropped_in,
    traced,
    writes_object,
    writes_refused,
)

NOT_SUPPORTED = "Mutating arrays is not supported"


def numbers_only(array, index, value):
    if primitives.is_active(value):
        raise TypeError("float() argument must be a string or a real number, not 'FloatNode'")


@case(
    "autograd-13",
    "https://github.com/HIPS/autograd/issues/13",
    title="a table of partial sums, filled cell by cell in a loop, raises a TypeError",
    month="2015-04",
    symptom="raises",
    cause="A store into an array turns the stored value into a plain float, which a value that carries a derivative "
    "does not allow.",
    needs=("mutation",),
    at=(np.array([0.5, -1.0, 2.0]),),
    right=(np.array([6.5, -13.0, 5.0]),),
    oracle="closed form: 2y (c1 + c2) for the first two, 2y c1 for the last, with c1 = 1.25 and c2 = 5.25",
    reported=Raises("crash", r"TypeError: float\(\) argument"),
    defect=writes_object(numbers_only),
)
def table_filled_from_its_own_cells(y):
    chart = np.zeros(3)
    for i in range(3):
        chart[i] = y[i] * y[i] + (chart[i - 1] if i else 0.0)
    return chart[2] * chart[1]


@case(
    "autograd-58",
    "https://github.com/HIPS/autograd/issues/58",
    title="storing a block into an array of zeros raises a TypeError",
    month="2015-11",
    symptom="raises",
    cause="The array is a plain one, and its store can only take the numbers of a block, not what carries their "
    "derivative.",
    needs=("mutation",),
    at=(np.array([[1.0, 2.0], [3.0, -1.0]]),),
    right=(np.array([[3.0, 5.0], [7.0, -1.0]]),),
    oracle="closed form: 1 + 2a",
    reported=Raises("crash", r"TypeError: float\(\) argument"),
    defect=writes_object(numbers_only),
)
def block_stored_into_zeros(block):
    padded = np.zeros((3, 4))
    padded[1:, 2:] = block
    return np.sum(padded) + np.sum(padded**2)


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


COLUMNS = np.array([[1.0, 2.0], [3.0, 5.0]])
SUMS = COLUMNS.sum(0)


@case(
    "zygote-683",
    "https://github.com/FluxML/Zygote.jl/issues/683",
    title="applying a function along slices raises 'mutating arrays is not supported'",
    month="2020-06",
    symptom="raises",
    cause="The routine that applies the function fills its result in place, and that was followed as if it were part "
    "of the loss.",
    at=(COLUMNS,),
    right=(2 * (COLUMNS / SUMS - np.sum((COLUMNS / SUMS) ** 2, axis=0)) / SUMS,),
    oracle="closed form: 2 (p - Σ p²) / s for the shares p of a column with sum s",
    reported=Raises("mutation", NOT_SUPPORTED),
    defect=on_traced_tier(raising(np.apply_along_axis, MutationError, NOT_SUPPORTED)),
)
def function_applied_along_columns(x):
    shares = np.apply_along_axis(lambda column: column / np.sum(column), 0, x)
    return np.sum(shares**2)


INPUT, ENCODER = np.array([1.0, -2.0]), np.array([[0.3, 0.1], [-0.2, 0.5]])
CODE = np.tanh(ENCODER @ INPUT)
MISFIT = 2 * (ENCODER.T @ CODE - INPUT)


@case(
    "flux-1592",
    "https://github.com/FluxML/Flux.jl/issues/1592",
    title="tying a decoder to its encoder by copying the weights on every call raises",
    month="2021-05",
    symptom="raises",
    cause="Storing into the whole of an array had no rule, though all it does is to copy.",
    needs=("mutation",),
    at=(ENCODER,),
    right=(np.outer(CODE, MISFIT) + np.outer((1 - CODE**2) * (ENCODER @ MISFIT), INPUT),),
    oracle="closed form: of |Wᵀ tanh(Wx) - x|²",
    reported=Raises("mutation", NOT_SUPPORTED),
    defect=writes_refused(NOT_SUPPORTED),
)
def weights_tied_by_copying(W):
    decoder = np.zeros((2, 2))
    decoder[:, :] = W.T
    return np.sum((decoder @ np.tanh(W @ INPUT) - INPUT) ** 2)


def zero_of_the_whole(array, index, value):
    if isinstance(value, int) and value == 0:
        array[index] = np.zeros(array.shape)


@case(
    "jax-1901",
    "https://github.com/jax-ml/jax/issues/1901",
    title="setting the diagonal of an array to constants raises a shape error",
    month="2019-12",
    symptom="raises",
    cause="The derivative of what is stored is zero, and that zero was made in the shape of the whole array instead of "
    "the shape of the part.",
    needs=("mutation",),
    at=(np.array([[1.0, 2.0], [3.0, 4.0]]),),
    right=(np.array([[0.0, 4.0], [6.0, 0.0]]),),
    oracle="closed form: 2x off the diagonal, 0 on it",
    reported=Raises("crash", "ValueError: shape mismatch"),
    defect=writes_object(zero_of_the_whole, in_sweep=True),
)
def diagonal_set_to_constants(x):
    y = x.copy()
    along = np.arange(len(x))
    y[along, along] = along
    return np.sum(y**2)


JOINTS, TIP = np.array([0.1, -0.2, 0.3]), np.array([1.0, 0.5])


def rotation(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def turned(angle):
    return np.sum(np.array([[-np.sin(angle), -np.cos(angle)], [np.cos(angle), -np.sin(angle)]]) @ TIP)


PER_LINK = np.array([turned(angle) for angle in np.cumsum(JOINTS)])


@case(
    "adbench-112",
    "https://github.com/microsoft/ADBench/issues/112",
    title="in a chain of links kept in a copied table only the last angle has a derivative",
    month="2019-10",
    symptom="missing-gradient",
    cause="The table of positions was copied for each link, and the copy took the values without what they depend on, "
    "so that all links before became constants.",
    needs=("mutation",),
    at=(JOINTS,),
    right=(np.array([PER_LINK.sum(), PER_LINK[1:].sum(), PER_LINK[2]]),),
    oracle="closed form: an angle turns its own link and all behind it",
    reported=(np.array([0.0, 0.0, PER_LINK[2]]),),
    defect=on_traced_tier(declared_constant(METHODS["copy"])),
)
def chain_of_links_in_a_copied_table(angles):
    links = np.zeros((4, 2, 2))
    links[-1] = np.eye(2)
    for i in range(3):
        links = links.copy()
        links[i] = links[i - 1] @ rotation(angles[i])
    return np.sum(links[:3] @ TIP)


@case(
    "pytorch-136662",
    "https://github.com/pytorch/pytorch/issues/136662",
    title="of two additions to the same column only one is counted",
    month="2024-09",
    symptom="wrong-value",
    cause="The second reading and writing of the column was taken to be independent of the first, and what it had read "
    "got no cotangent.",
    needs=("mutation",),
    at=(np.array([[1.0, 2.0, -3.0], [0.5, -1.0, 4.0]]),),
    right=(np.array([[0.0, 0.0, -2.0], [0.0, 0.0, 2.0]]),),
    oracle="closed form: twice the sign of the last column",
    reported=(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]),),
    defect=additions_through_a_view_are_lost,
)
def column_added_to_twice(x):
    y = np.zeros_like(x)
    y[:, 0] += np.abs(x[:, 2])
    y[:, 0] += np.abs(x[:, 2])
    return np.sum(y)


@case(
    "pytorch-24853",
    "https://github.com/pytorch/pytorch/issues/24853",
    title="a masked assignment that reads the same array is refused",
    month="2019-08",
    symptom="raises",
    cause="The minimum keeps its operands for the reverse pass, and the write was taken to change one of them, though "
    "a mask selects a copy.",
    needs=("mutation",),
    at=(np.zeros(3), np.full(3, 0.5)),
    right=(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0])),
    oracle="closed form: 1 for whichever is smaller, b + 1 where nothing is assigned",
    reported=Raises("mutation", "modified by an inplace operation"),
    defect=writes_refused("a variable needed for the gradient has been modified by an inplace operation"),
)
def masked_minimum_stored_back(b, c):
    mask = np.array([1.0, 0.0, 0.0]) == 0
    shifted = b + 1
    shifted[mask] = np.minimum(shifted[mask], c[mask])
    return np.sum(shifted)


HISTORY = np.zeros(4)


@case(
    "zygote-571",
    "https://github.com/FluxML/Zygote.jl/issues/571",
    title="keeping a value for the record, which the loss never reads, raises a mutation error",
    month="2020-04",
    symptom="raises",
    cause="The reverse pass goes through every statement, also through those that the result does not depend on, and "
    "the write among them was refused.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0]),),
    right=(np.array([2.0, 4.0]),),
    oracle="closed form: 2x",
    reported=Raises("mutation", NOT_SUPPORTED),
    defect=writes_refused(NOT_SUPPORTED),
)
def value_kept_for_the_record(x):
    HISTORY[0] = np.sum(x)
    return np.sum(x**2)
