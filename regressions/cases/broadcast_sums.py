"""Broadcasting undone: what an array was stretched to is summed, so that its gradient has the shape it came with."""

from __future__ import annotations

import operator

import numpy as np

from engine.rules import products
from engine.traced import tape

from ..case import Raises, case
from ..defects import on_traced_tier, patched, with_rule
from ..defects.orders import rows_look_at_each_other
from ..defects.shapes import only_new_axes_are_summed, scalars_stay_scalars, stays_broadcast, summed_by
from ..defects.state import together, traced

COLUMN, GRID = np.array([[0.5], [-1.0]]), np.arange(1.0, 7.0).reshape(2, 3)


@case(
    "autograd-34",
    "https://github.com/HIPS/autograd/pull/34",
    "https://github.com/aesara-devs/aesara/issues/1089",
    title="the gradient of a column that was added to a matrix is a matrix",
    month="2015-06",
    symptom="wrong-shape",
    cause="Whether an axis has length one was asked by identity (`is 1`), or decided by the declared type long before "
    "an array came; then the axis is not summed.",
    at=(COLUMN,),
    right=(np.array([[15.0], [24.0]]),),
    oracle="closed form: the sum of 2 (x + y) along each row",
    reported=(2 * (COLUMN + GRID),),
    defect=stays_broadcast,
)
def column_added_to_a_matrix(x):
    return np.sum((x + GRID) ** 2)


@case(
    "pytorch-1787",
    "https://github.com/pytorch/pytorch/issues/1787",
    title="the gradient of a vector of one element has the shape of the matrix it scales",
    month="2017-06",
    symptom="wrong-shape",
    cause="Operands were broadcast below the layer that records operations, so that nothing on the way back knew of "
    "it.",
    at=(np.array([0.5]), np.arange(20.0).reshape(5, 4)),
    right=(np.array([190.0]), np.full((5, 4), 0.5)),
    oracle="closed form: the sum of the matrix; the factor everywhere",
    reported=(np.arange(20.0).reshape(5, 4), np.full((5, 4), 0.5)),
    defect=stays_broadcast,
)
def matrix_scaled_by_a_vector_of_one(a, b):
    return np.sum(a * b)


WEIGHTS = np.arange(24.0).reshape(2, 3, 4)


@case(
    "jax-5276",
    "https://github.com/jax-ml/jax/issues/5276",
    title="broadcast_to: the axes of length one are stretched, and not summed on the way back",
    month="2020-12",
    symptom="wrong-shape",
    cause="The pullback summed the axes that were new; those of length one in the operand, which are stretched as "
    "well, were overlooked.",
    at=(np.ones((1, 3, 1)),),
    right=(np.array([[[60.0], [92.0], [124.0]]]),),
    oracle="closed form: the sum of the weights along the first and the last axis",
    reported=(WEIGHTS,),
    defect=only_new_axes_are_summed,
)
def column_in_the_middle_broadcast(x):
    return np.sum(np.broadcast_to(x, (2, 3, 4)) * WEIGHTS)


@case(
    "thunder-1979",
    "https://github.com/Lightning-AI/lightning-thunder/pull/1979",
    title="a column stored into two columns has a gradient with two columns",
    month="2025-04",
    symptom="wrong-shape",
    cause="The cotangent of a stored value was reduced to as many axes as the value has, which says nothing about "
    "axes of length one.",
    needs=("mutation",),
    at=(np.array([[1.0], [-2.0]]),),
    right=(np.array([[3.0], [9.0]]),),
    oracle="closed form: the sum of the weights of both columns",
    reported=(np.array([[1.0, 2.0], [4.0, 5.0]]),),
    defect=only_new_axes_are_summed,
)
def column_stored_into_two(v):
    a = np.zeros((2, 3))
    a[:, 1:] = v
    return np.sum(a * np.arange(6.0).reshape(2, 3))


summed = products.unbroadcast


def of_as_many_axes(d, shape):
    if np.ndim(d) > len(shape):
        raise AssertionError(f"a cotangent of shape {np.shape(d)} for a value of shape {shape}")
    return summed(d, shape)


@case(
    "theano-1993",
    "https://github.com/Theano/Theano/pull/1993",
    title="storing a row into every row of a matrix: the gradient raises",
    month="2014-07",
    symptom="raises",
    cause="The cotangent of the stored row was read from where it was stored, so that it had the shape of all the "
    "rows, and was not summed.",
    needs=("mutation",),
    at=(np.array([2.0, -1.0]),),
    right=(np.array([6.0, 8.0]),),
    oracle="closed form: the sum of the weights of the last two rows",
    reported=Raises("crash", r"AssertionError: a cotangent of shape \(2, 2\)"),
    defect=summed_by(of_as_many_axes),
)
def row_stored_into_two_rows(r):
    m = np.ones((3, 2))
    m[1:] = r
    return np.sum(m * np.arange(6.0).reshape(3, 2))


def shrinking(d, shape):
    assert all(n > 1 for n in np.shape(d)[: np.ndim(d) - len(shape)]), "the number of broadcast axes must shrink"
    return summed(d, shape)


@case(
    "pytensor-266",
    "https://github.com/pymc-devs/pytensor/issues/266",
    title="storing a vector into a matrix of one row: the gradient raises an AssertionError",
    month="2023-04",
    symptom="raises",
    cause="The helper that sums the cotangent claimed that each sum leaves fewer axes to stretch (< for <=); one row "
    "has none to stretch, and n > 1 rows were fine.",
    needs=("mutation",),
    at=(np.array([0.5, -1.0]),),
    right=(np.array([1.0, 3.0]),),
    oracle="closed form: the weights",
    reported=Raises("crash", "AssertionError"),
    defect=summed_by(shrinking),
)
def vector_stored_into_a_matrix_of_one_row(x):
    b = np.zeros((1, 2))
    b[:] = x
    return np.sum(b * np.array([1.0, 3.0]))


DIVIDENDS = np.array([7.5, -4.25, 9.0])


@case(
    "jax-1350",
    "https://github.com/jax-ml/jax/issues/1350",
    title="the derivative of a remainder by its divisor has the shape of the dividend",
    month="2019-09",
    symptom="wrong-shape",
    cause="Of the two slopes of the remainder, one was broadcast to the shape of the result, and the one for the "
    "divisor was not.",
    at=(np.array([2.0]),),
    right=(np.array([-5.0]),),
    oracle="closed form: minus the sum of the whole quotients 3, -2 and 4",
    reported=(-np.trunc(DIVIDENDS / 2),),
    defect=stays_broadcast,
)
def remainders_by_one_divisor(y):
    return np.sum(np.fmod(DIVIDENDS, y))


@case(
    "jax-6452",
    "https://github.com/jax-ml/jax/issues/6452",
    title="logaddexp of one number and one number a row: the gradient has an entry for each row",
    month="2021-04",
    symptom="wrong-shape",
    cause="The rule broadcasts its operands inside; when it is mapped over rows, the operand that all rows share gets "
    "a cotangent for each row, which nobody sums.",
    at=(np.array(0.1),),
    right=(np.array(3.0),),
    oracle="closed form: the shares of both arguments add up to 1 in each of three rows",
    reported=(np.ones(3),),
    defect=stays_broadcast,
)
def logaddexp_of_one_number_and_three_sums(z):
    return np.sum(np.logaddexp(z, np.sum(np.ones((3, 2)), axis=1) + z))


BATCH, BAR = np.arange(12.0).reshape(3, 2, 2) / 10, np.array([[[1.0, 2.0]], [[0.0, 1.0]], [[3.0, -1.0]]])
BAR = np.broadcast_to(BAR, (3, 2, 2))


@case(
    "nnlib-290",
    "https://github.com/FluxML/NNlib.jl/issues/290",
    title="a matrix shared by a batch of products has a gradient for each member of the batch",
    month="2021-03",
    symptom="wrong-shape",
    cause="The pullback of the batched product multiplies member by member, and forgets to sum for an operand that "
    "has no batch axis.",
    at=(np.array([[1.0, -1.0], [0.5, 2.0]]),),
    right=(np.sum(np.swapaxes(BATCH, 1, 2) @ BAR, axis=0),),
    oracle="closed form: the sum of Aᵀ C over the batch",
    reported=(np.swapaxes(BATCH, 1, 2) @ BAR,),
    defect=together(
        with_rule(
            operator.matmul,
            a=lambda d, out, a, b, /: np.matmul(d, np.swapaxes(b, -1, -2)),
            b=lambda d, out, a, b, /: np.matmul(np.swapaxes(a, -1, -2), d),
        ),
        stays_broadcast,
    ),
)
def matrix_shared_by_a_batch(B):
    return np.sum(BAR * (BATCH @ B))


@case(
    "autograd-376",
    "https://github.com/HIPS/autograd/issues/376",
    title="einsum with a label of length one in one operand: the gradient has that length",
    month="2018-03",
    symptom="wrong-shape",
    cause="The pullback is an einsum of the cotangent and the other operand; where the other one has length one under "
    "a label, so has the result.",
    at=(np.array([2.0, 2.0]),),
    right=(np.array([3.0, 3.0]),),
    oracle="closed form: the factor, for each element",
    reported=(np.array([3.0]),),
    defect=together(patched(products, "unbroadcast", lambda d, shape: d), summed_by(lambda d, shape: d)),
)
def einsum_over_a_label_of_length_one(x):
    return np.einsum("i,i", x, np.array([3.0]))


def last_copy(d, out, array, shape):
    return d[:, -1:]


@case(
    "pytorch-8626",
    "https://github.com/pytorch/pytorch/issues/8626",
    title="the gradient through a view of a stretched column keeps one of the copies",
    month="2018-06",
    symptom="wrong-value",
    cause="The cotangent was written to memory by the strides of the view; the copies of an element are one place in "
    "memory, and the last one to be written remained.",
    at=(np.array([[0.5], [1.0], [2.0]]),),
    right=(np.array([[6.0], [15.0], [0.0]]),),
    oracle="closed form: the sums of the rows of the factor",
    reported=(np.array([[3.0], [6.0], [0.0]]),),
    defect=with_rule(np.broadcast_to, array=last_copy),
)
def rows_of_a_stretched_column(x):
    return np.sum(np.broadcast_to(x, (3, 3))[:2] * np.arange(1.0, 7.0).reshape(2, 3))


def unless_empty(d, shape):
    if np.ndim(d) != len(shape):
        return summed(d, shape)
    stretched = [i for i, (n, m) in enumerate(zip(np.shape(d), shape, strict=True)) if n > 1 and m == 1]
    return np.sum(d, axis=tuple(stretched), keepdims=True)


@case(
    "pytorch-15223",
    "https://github.com/pytorch/pytorch/issues/15223",
    title="a vector broadcast against an axis of length zero: the shapes do not fit on the way back",
    month="2018-12",
    symptom="raises",
    cause="The sum that undoes broadcasting looked for axes that had become longer; one that had become shorter, from "
    "one to none, was left.",
    at=(np.ones(4),),
    right=(np.zeros(4),),
    oracle="closed form: a sum of nothing",
    reported=Raises("crash", r"ValueError: .*\(4,0\)"),
    defect=summed_by(unless_empty),
)
def sum_over_no_columns(b):
    return np.sum(np.zeros((4, 0)) + b[:, None])


@case(
    "tensorflow-60695",
    "https://github.com/tensorflow/tensorflow/issues/60695",
    title="a division by zero in one entry makes the rows of the Jacobian for the others NaN",
    month="2023-05",
    symptom="nan-inf",
    cause="The row of an entry is made from a cotangent that is zero for the others; zero times an infinite slope is "
    "NaN, and the sum that undoes broadcasting spreads it.",
    needs=("nested",),
    at=(np.array([3.0]),),
    right=(np.array([[1 / 2], [1 / 3], [np.inf], [1.0]]),),
    oracle="closed form: one over the divisor",
    reported=(np.array([[np.nan], [np.nan], [np.inf], [np.nan]]),),
    asks="value",
    no_differences="the quotient by zero is infinite",
    defect=rows_look_at_each_other,
)
def jacobian_of_quotients(x, *, ad):
    with np.errstate(divide="ignore"):
        return ad.jacobian(lambda x: np.divide(x, np.array([2.0, 3.0, 0.0, 1.0])))(x)


_project = tape.project


def a_scalar_for_no_axes(d, primal):
    return _project(d, primal)[()] if isinstance(primal, np.ndarray) else _project(d, primal)


@case(
    "mygrad-373",
    "https://github.com/rsokl/MyGrad/pull/373",
    title="an array without axes that was broadcast has a number for its gradient, not an array",
    month="2021-03",
    symptom="wrong-structure",
    cause="A sum over all axes is a NumPy scalar and no longer an array, which cannot be added to in place.",
    at=(np.array(2.0),),
    right=(np.array(6.0),),
    oracle="closed form: the sum of the factors",
    reported=(np.float64(6.0),),
    defect=together(traced(tape, "project", a_scalar_for_no_axes), scalars_stay_scalars),
)
def vector_scaled_by_an_array_without_axes(x):
    return np.sum(x * np.array([1.0, 2.0, 3.0]))


@case(
    "zygote-1491",
    "https://github.com/FluxML/Zygote.jl/pull/1491",
    title="an array without axes that is used twice has a number for its gradient",
    month="2024-01",
    symptom="wrong-structure",
    cause="The sum of two arrays without axes is a number, and the sum of two cotangents was not made an array again.",
    at=(np.array(3.0),),
    right=(np.array(7.0),),
    oracle="closed form: 2x + 1",
    reported=(np.float64(7.0),),
    defect=scalars_stay_scalars,
)
def array_without_axes_used_twice(x):
    return np.sum(x * x) + np.sum(x)


W = np.array([1.0, 2.0, -1.0])


@case(
    "warp-831",
    "https://github.com/NVIDIA/warp/issues/831",
    title="a number divided by a vector: both gradients are wrong",
    month="2025-07",
    symptom="wrong-value",
    cause="The adjoint of the quotient of a vector and a number had been copied for the quotient the other way round, "
    "and there divides by the cotangent.",
    at=(2.0, np.array([1.0, 4.0, -2.0])),
    right=(2.0, np.array([-2.0, -0.25, 0.5])),
    oracle="closed form: the sum of w / v, and -s w / v²",
    reported=(-2.75, np.array([2.0, 1.0, -2.0])),
    defect=on_traced_tier(
        with_rule(operator.truediv, a=lambda d, out, a, b, /: -np.sum(b * d) / a**2, b=lambda d, out, a, b, /: a / d)
    ),
)
def number_over_a_vector(s, v):
    return np.sum(s / v * W)
