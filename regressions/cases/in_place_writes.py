"""Arrays filled and changed in place: elements, rows and blocks stored into a buffer that the loss then reads."""

from __future__ import annotations

import numpy as np

from engine.errors import MutationError
from engine.rules import METHODS
from engine.traced import primitives

from ..case import Raises, case
from ..defects import declared_constant, on_traced_tier, raising
from ..defects.state import (
    additions_through_a_view_are_lost,
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
