"""Values that are overwritten: each use sees the value of its own time, and only the last writer is answerable."""

from __future__ import annotations

import math

import numpy as np

from engine.traced import arrays, run, runtime

from ..case import Tolerance, case
from ..defects.state import (
    every_writer_wins,
    in_runtime,
    nothing_is_rolled_back,
    overwritten_values_are_looked_at,
    traced,
    writers_numbered_in_their_dtype,
)

ROWS, WEIGHTS = np.arange(6.0).reshape(3, 2), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@case(
    "pytorch-473",
    "https://github.com/pytorch/pytorch/issues/473",
    "https://github.com/tensorflow/tensorflow/issues/56961",
    title="rows that are overwritten by a later row of the same assignment still get a gradient",
    month="2017-01",
    symptom="wrong-value",
    cause="The rule reads the cotangent at every index that is written to, and does not know which of several writes "
    "to one row has survived.",
    needs=("mutation",),
    at=(ROWS,),
    right=(np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]]),),
    oracle="definition: NumPy's last write to an element wins, and only that row is in the sum",
    reported=(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]),),
    defect=every_writer_wins,
)
def rows_assigned_to_one_index(rows):
    table = np.zeros((3, 2))
    table[np.array([0, 0, 0])] = rows
    return np.sum(table * WEIGHTS)


@case(
    "pytorch-57006",
    "https://github.com/pytorch/pytorch/issues/57006",
    title="filling a row that is named twice counts the fill value twice",
    month="2021-04",
    symptom="wrong-value",
    cause="The rule sums the cotangent over the list of indices, repetitions included, while the row is there once.",
    needs=("mutation",),
    at=(np.float64(-2.5),),
    right=(np.float64(5.0),),
    oracle="definition: the number of elements that hold the value",
    reported=(np.float64(10.0),),
    defect=every_writer_wins,
)
def row_named_twice_and_filled(value):
    table = np.arange(25.0).reshape(5, 5)
    table[np.array([2, 2])] = value
    return np.sum(table)


MANY, LAST = 2050, np.zeros(2050, dtype=np.float16)
LAST[-1] = 1.0
LAST_TWO = LAST.copy()
LAST_TWO[-2] = 1.0


@case(
    "jax-4578",
    "https://github.com/jax-ml/jax/pull/4578",
    title="of many half-precision writes to one element two get the cotangent",
    month="2020-10",
    symptom="wrong-value",
    cause="The last writer was found by numbering the writes in the dtype of the values, and half precision has no two "
    "numbers for the last two of more than 2048.",
    needs=("mutation",),
    at=(np.zeros(MANY, dtype=np.float16),),
    right=(LAST,),
    oracle="definition: NumPy's last write to an element wins",
    reported=(LAST_TWO,),
    tolerance=Tolerance(rtol=0.0, why="zeros and ones are exact, and half precision leaves no room"),
    defect=writers_numbered_in_their_dtype,
)
def many_writes_to_one_element(updates):
    cells = np.zeros(2, dtype=np.float16)
    cells[np.zeros(MANY, dtype=int)] = updates
    return float(np.sum(cells))


@case(
    "jax-28262",
    "https://github.com/jax-ml/jax/issues/28262",
    title="a value that is overwritten before anybody reads it turns the gradient into NaN",
    month="2025-04",
    symptom="nan-inf",
    cause="Overwriting an element clears its cotangent to the number 0, which the infinite slope of the root that was "
    "there before makes NaN.",
    needs=("mutation",),
    at=(0.0,),
    right=(1.0,),
    oracle="closed form: of x - 1, which is all that is left",
    reported=(float("nan"),),
    defect=overwritten_values_are_looked_at,
)
def root_overwritten_before_it_is_read(x):
    y = np.zeros(1)
    y[0] = np.sqrt(np.abs(x))
    y[0] = x - 1.0
    return y[0]


@case(
    "mygrad-98",
    "https://github.com/rsokl/MyGrad/pull/98",
    title="uses of an array before an element of it was set are taken for uses of what was set",
    month="2018-11",
    symptom="wrong-value",
    cause="A write makes a new version of the array; of the operands that were the old version only the first was "
    "pointed to it, the others went on as the new one.",
    needs=("mutation",),
    at=(np.array([2.0]),),
    right=(np.array([30.0]),),
    oracle="closed form: 5 (2x + 2)",
    reported=(np.array([60.0]),),
    defect=nothing_is_rolled_back,
)
def array_used_three_times_then_written(x):
    y = x * 1.0
    before = y * y + 2.0 * y
    y[0] = 5.0
    return np.sum(before * y)


@case(
    "taichi-2505",
    "https://github.com/taichi-dev/taichi/issues/2505",
    title="x = cos(θ) x in place uses the new x in the reverse pass",
    month="2021-07",
    symptom="wrong-value",
    cause="What is stored in a field is read again in the reverse pass instead of being remembered, and by then the "
    "update has overwritten it.",
    needs=("mutation",),
    at=(0.5,),
    right=(-2 * math.sin(0.5),),
    oracle="closed form: -2 sin θ",
    reported=(-2 * math.sin(0.5) * math.cos(0.5),),
    defect=nothing_is_rolled_back,
)
def position_turned_in_place(theta):
    x = np.array([2.0])
    x[:] = np.cos(theta) * x
    return x[0]


@case(
    "warp-1294",
    "https://github.com/NVIDIA/warp/issues/1294",
    title="squaring the rows of an array in place differentiates at the squares",
    month="2026-03",
    symptom="wrong-value",
    cause="The loop reads and writes the same array, and the backward pass evaluates the rule at what the array holds "
    "when all is done.",
    needs=("mutation",),
    at=(np.array([[1.0], [2.0], [3.0]]),),
    right=(np.array([[2.0], [4.0], [6.0]]),),
    oracle="closed form: 2x",
    reported=(np.array([[2.0], [8.0], [18.0]]),),
    defect=nothing_is_rolled_back,
)
def rows_squared_in_place(source):
    rows = source.copy()
    for i in range(len(rows)):
        rows[i] = rows[i] * rows[i]
    return np.sum(rows)


@case(
    "mygrad-303",
    "https://github.com/rsokl/MyGrad/pull/303",
    title="a factor that is changed after its use changes the gradient",
    month="2020-09",
    symptom="wrong-value",
    cause="The product keeps a reference to its factor, a plain array, for the reverse pass, and nothing notices that "
    "the factor is written to in between.",
    needs=("mutation",),
    at=(np.array([3.0, 4.0]),),
    right=(np.array([1.0, 2.0]),),
    oracle="closed form: the factor at the time of the product",
    reported=(np.array([100.0, 2.0]),),
    defect=nothing_is_rolled_back,
)
def factor_changed_after_its_use(x):
    factor = np.array([1.0, 2.0])
    product = x * factor
    factor[0] = 100.0
    return np.sum(product)


def forgotten(level):
    return []


@case(
    "warp-1350",
    "https://github.com/NVIDIA/warp/issues/1350",
    title="an input that is changed between the forward and the backward pass changes the gradient",
    month="2026-04",
    symptom="wrong-value",
    cause="The backward pass reads the arrays as they are when it runs; nothing was kept of what they held when they "
    "were used, and nothing says that they have changed.",
    needs=("mutation", "nested"),
    at=(3.0,),
    right=(np.array([6.0]),),
    oracle="closed form: 2x at the x of the forward pass",
    no_differences="they call the function again for the pullback, and find the changed input",
    reported=(np.array([200.0]),),
    asks="value",
    defect=traced(run, "_kept_arrays", forgotten),
)
def input_changed_before_the_pullback(start, *, ad):
    x = np.array([start])
    _, back = ad.pullback(lambda x: np.sum(x**2), x)
    x[...] = 100.0
    return back(1.0)[0]


def rebound(array, result, native):
    return result


@case(
    "mygrad-280",
    "https://github.com/rsokl/MyGrad/issues/280",
    title="after y += 2x another name of y still has the old values, and the gradient of those",
    month="2020-12",
    symptom="wrong-value",
    cause="Augmented assignment was turned into y = y + 2x, which binds the name to a new array instead of updating "
    "the one that both names share.",
    needs=("mutation",),
    at=(np.array([1.0, 2.0, -1.0]),),
    right=(np.array([6.0, 12.0, -6.0]),),
    oracle="closed form: of 3x²",
    reported=(np.array([1.0, 1.0, 1.0]),),
    defect=traced(arrays, "in_place", rebound),
)
def two_names_for_an_updated_array(x):
    y = x * 1.0
    same = y
    y += 2.0 * x
    y *= x
    return np.sum(same)


add_in_place = runtime.RUNTIME["iadd"]


def increment_alone(a, b):
    return add_in_place(runtime.plain(a), b)


@case(
    "tangent-64",
    "https://github.com/google/tangent/issues/64",
    title="augmented assignments of a scalar give a wrong derivative",
    month="2018-03",
    symptom="wrong-value",
    cause="x += e was expanded with one and the same node for the x that is read and the x that is bound; a pass that "
    "renamed the one renamed the other, and what had been in x was lost.",
    at=(3.0,),
    right=(11.55,),
    oracle="closed form: 2 (5.4 + 0.5 · 0.75)",
    reported=(0.25,),
    defect=in_runtime("iadd", increment_alone),
)
def scalars_updated_one_after_the_other(w):
    q = w / 2.0
    p = 0.9 * w * 6.0
    q += 0.25 * w
    p += 0.5 * q
    p *= 2.0
    return p
