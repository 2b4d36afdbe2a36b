"""The same elements in another order or shape: transposed, turned, rolled, reshaped. Cotangents have to find back."""

from __future__ import annotations

import numpy as np

import engine
from engine.api import _LevelAware

from ..case import Raises, case
from ..defects import on_traced_tier, patched, with_rule, without_rule
from ..defects.shapes import pullback_fails
from ..defects.state import with_procedure

LEFT, RIGHT = np.array([[1.0, 5.0], [3.0, 2.0]]), np.array([[2.0, 2.0], [2.5, 4.0]])


@case(
    "flux-673",
    "https://github.com/FluxML/Flux.jl/issues/673",
    title="the elementwise minimum of two transposed matrices cannot be differentiated",
    month="2019-03",
    symptom="raises",
    cause="The cotangent came wrapped as a lazy transpose, of another type than the matrix, and the sum of cotangents "
    "refused to convert it.",
    at=(LEFT, RIGHT),
    right=(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[0.0, 4.0], [5.0, 0.0]])),
    oracle="closed form: twice the smaller one, for the one that is smaller",
    reported=Raises("crash", "TypeError: cannot convert"),
    defect=pullback_fails(
        TypeError("cannot convert a transpose of an array to an array"), lambda made: made.rule.primal is np.transpose
    ),
)
def minimum_of_two_transposes(a, b):
    return np.sum(np.minimum(a.T, b.T) ** 2)


@case(
    "reversediff-183",
    "https://github.com/JuliaDiff/ReverseDiff.jl/issues/183",
    title="a column times its own transpose has a wrong gradient",
    month="2021-09",
    symptom="wrong-value",
    cause="A library of scalar rules had got one for the transpose, with slope 1; so its cotangent, a row, was handed "
    "to the column as it was.",
    at=(np.array([[1.0], [2.0], [3.0]]),),
    right=(np.full((3, 1), 12.0),),
    oracle="closed form: twice the sum, everywhere",
    reported=(np.full((3, 1), 24.0),),
    defect=with_rule(np.transpose, a=lambda d, out, a, axes=None: d),
)
def column_times_its_transpose(x):
    return np.sum(x.T * x)


@case(
    "zygote-213",
    "https://github.com/FluxML/Zygote.jl/issues/213",
    title="reading one element of a transposed matrix raises",
    month="2019-06",
    symptom="raises",
    cause="The index goes through the field in which the lazy transpose keeps its matrix, so that the pullback of the "
    "transpose is given a record with that field, not an array.",
    at=(np.array([[0.1, 0.2], [0.3, 0.4]]),),
    right=(np.array([[0.0, 0.0], [1.0, 0.0]]),),
    oracle="closed form: 1 at the element that is read",
    reported=Raises("crash", "AttributeError: 'Tangent' object has no attribute 'T'"),
    defect=pullback_fails(
        AttributeError("'Tangent' object has no attribute 'T'"), lambda made: made.rule.primal is np.transpose
    ),
)
def element_of_a_transpose(x):
    return x.T[0, 1]


WEIGHTS = np.arange(24.0).reshape(4, 3, 2)


@case(
    "autograd-32",
    "https://github.com/HIPS/autograd/issues/32",
    title="swapaxes has no gradient",
    month="2015-05",
    symptom="raises",
    cause="Of the functions that reorder axes this one had been forgotten: there was no rule for it.",
    at=(np.ones((2, 3, 4)),),
    right=(np.swapaxes(WEIGHTS, 0, 2),),
    oracle="closed form: the weights, with the axes swapped back",
    reported=Raises("foreign-call", "swapaxes"),
    defect=without_rule(np.swapaxes),
)
def first_axis_swapped_with_the_last(x):
    return np.sum(np.swapaxes(x, 0, -1) * WEIGHTS)


@case(
    "autograd-725",
    "https://github.com/HIPS/autograd/issues/725",
    title="flip has no gradient, though fliplr and flipud have one",
    month="2025-08",
    symptom="raises",
    cause="Of the functions that turn an array around this one had been forgotten: there was no rule for it.",
    at=(np.array([[1.0, 2.0], [3.0, -1.0]]),),
    right=(np.array([[6.0, 7.0], [2.0, 1.0]]),),
    oracle="closed form: the weights turned around, plus 2x in the first row",
    reported=Raises("foreign-call", "flip"),
    defect=without_rule(np.flip),
)
def flipped_by_all_axes_and_by_one(x):
    return np.sum(np.flip(x) * np.array([[1.0, 2.0], [3.0, 4.0]])) + np.sum(np.flip(x, axis=1)[0] ** 2)


@case(
    "pytorch-94925",
    "https://github.com/pytorch/pytorch/issues/94925",
    title="roll of an array without axes works, and its derivative raises an IndexError",
    month="2023-02",
    symptom="raises",
    cause="The rule rolls back along the first axis, by its length, and an array without axes has none.",
    at=(np.array(0.7),),
    right=(np.array(1.0),),
    oracle="closed form: there is nothing to roll",
    reported=Raises("crash", "IndexError: tuple index out of range"),
    defect=with_rule(np.roll, a=lambda d, out, a, shift, axis=None: np.roll(d, -shift % np.shape(a)[axis or 0], axis)),
)
def array_without_axes_rolled(x):
    return np.roll(x, 1)


@case(
    "jax-453",
    "https://github.com/jax-ml/jax/issues/453",
    title="reshape with the order of Fortran goes back in the order of C",
    month="2019-02",
    symptom="wrong-value",
    cause="The order of Fortran is a reshape between two transposes, and only one of the two was made.",
    at=(np.arange(1.0, 7.0),),
    right=(np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0]),),
    oracle="closed form: the columns of the weights, one after the other",
    reported=(np.array([1.0, 10.0, 2.0, 20.0, 3.0, 30.0]),),
    defect=with_rule(np.reshape, a=lambda d, out, a, shape, order="C": np.reshape(d, np.shape(a))),
)
def folded_by_columns(x):
    return np.sum(np.reshape(x, (3, 2), order="F") * np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]))


def sizes_with_cotangents(*args, **kwargs):
    raise TypeError("unsupported operand type(s) for +: 'NoneType' and 'NoneType'")


@case(
    "zygote-866",
    "https://github.com/FluxML/Zygote.jl/issues/866",
    title="a shape that is computed as an array and spread makes the gradient of reshape raise",
    month="2020-12",
    symptom="raises",
    cause="Sizes have no cotangents, and the rule of the function that filled the array of sizes with one number "
    "wanted to add them up.",
    at=(np.array([1.0, 2.0, 3.0, 4.0]),),
    right=(np.array([2.0, 4.0, 6.0, 8.0]),),
    oracle="closed form: 2x",
    reported=Raises("crash", "TypeError: unsupported operand"),
    defect=with_procedure(np.full, sizes_with_cotangents),
)
def folded_to_a_computed_shape(x):
    return np.sum(np.reshape(x, tuple(np.full(2, 2))) ** 2)


jacobian = engine.jacobian


def side_by_side(f):
    def columns(x):
        found = jacobian(f)(x)
        return np.hstack([found[..., i, j] for i, j in np.ndindex(x.shape)])

    return columns


@case(
    "enzymejl-1332",
    "https://github.com/EnzymeAD/Enzyme.jl/issues/1332",
    title="the Jacobian of a function from matrices to matrices is 2 by 18",
    month="2024-03",
    symptom="wrong-shape",
    cause="The columns of the Jacobian, which here are matrices, were put side by side as they were.",
    needs=("nested",),
    at=(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),),
    right=(np.eye(6).reshape(2, 3, 2, 3),),
    oracle="closed form: the identity",
    reported=(np.hstack(np.eye(6).reshape(6, 2, 3)),),
    asks="value",
    defect=on_traced_tier(patched(engine, "jacobian", _LevelAware(side_by_side))),
)
def jacobian_from_matrices_to_matrices(x, *, ad):
    return ad.jacobian(lambda x: x * 1.0)(x)
