"""Functions of numbers applied to each element of an array, or to each array of a list, and their results together."""

from __future__ import annotations

import operator

import numpy as np

from engine.traced import run

from ..case import Raises, case
from ..defects.shapes import pullback_fails
from ..defects.state import traced


def relu(v):
    return v if v > 0 else 0.0 * v


@case(
    "zygote-317",
    "https://github.com/FluxML/Zygote.jl/issues/317",
    title="a function of elements that returns zero times its argument in one branch raises",
    month="2019-08",
    symptom="raises",
    cause="Where the branch was taken the pullback of an element returned None, and the array of these was multiplied "
    "by the slope of what came before.",
    at=(np.array([-1.0, 2.0]),),
    right=(np.array([0.0, 10.0]),),
    oracle="closed form: 10 where x is positive",
    reported=Raises("crash", "TypeError: unsupported operand"),
    defect=pullback_fails(
        TypeError("unsupported operand type(s) for *: 'NoneType' and 'int'"),
        lambda made: made.rule.primal is operator.mul and type(made.args[1]) is int,
    ),
)
def rectified_elements(x):
    return np.sum(np.array([relu(v) for v in x * 10]))


def square_or_one(v):
    return v**2 if v > 1 else 1


@case(
    "zygote-1439",
    "https://github.com/FluxML/Zygote.jl/issues/1439",
    title="a function of elements with whole and real results raises a conversion error",
    month="2023-07",
    symptom="raises",
    cause="The derivatives are taken with dual numbers, which are unwrapped where all the results are dual numbers; "
    "where some are not, the others leak out, and do not fit into an array.",
    at=(np.array([0.5, 0.75, 1.25, 1.5]),),
    right=(np.array([1.0, 1.0, 4.6875, 6.75]),),
    oracle="closed form: 1 where the result is 1, else 3x²",
    reported=Raises("crash", r"TypeError: float\(\) argument must be .* not 'Dual'"),
    defect=pullback_fails(
        TypeError("float() argument must be a string or a real number, not 'Dual'"),
        lambda made: made.rule.primal is np.array and any(type(item) is int for item in made.args[0]),
    ),
)
def squares_or_ones_as_weights(x):
    return np.sum(np.array([square_or_one(v) for v in x]) * x)


PARTS = [np.array([0.1, 0.2]), np.array([0.5, -0.3]), np.array([1.0, 0.7])]


@case(
    "zygote-1184",
    "https://github.com/FluxML/Zygote.jl/issues/1184",
    title="the sum of a function over each array of a list raises",
    month="2022-03",
    symptom="raises",
    cause="The function was kept from being broadcast by a tuple around it; a tuple of a function has no cotangent, "
    "and two methods claimed to undo its broadcasting.",
    needs=("containers",),
    at=(PARTS,),
    right=([2 * np.sum(np.sin(x)) * np.cos(x) for x in PARTS],),
    oracle="closed form: 2 s cos x, with the sum s of its own array",
    reported=Raises("crash", "TypeError: unbroadcast is ambiguous"),
    defect=pullback_fails(TypeError("unbroadcast is ambiguous"), lambda made: made.rule.primal is np.array),
)
def squared_sums_of_arrays(xs):
    return np.sum(np.array([np.sum(np.sin(x)) for x in xs]) ** 2)


def nothing_for_zero(gradient, seen=None):
    return np.where(gradient == 0, None, gradient) if isinstance(gradient, np.ndarray) else gradient


@case(
    "zygote-1524",
    "https://github.com/FluxML/Zygote.jl/pull/1524",
    title="the gradient of an array of which some elements are left out is no array of numbers",
    month="2024-09",
    symptom="wrong-value",
    cause="Elements that nothing depends on had a symbolic zero for their cotangent, and kept it in the array with "
    "those of the others.",
    needs=("nested",),
    at=(np.array([1.0, -2.0, 3.0]),),
    right=((True, 2.0, 6.0),),
    oracle="closed form: 2x where x is positive; a gradient has the dtype of its array",
    reported=((False, 2.0, 6.0),),
    asks="value",
    defect=traced(run, "owned", nothing_for_zero),
)
def gradient_of_a_filtered_sum(x, *, ad):
    (found,) = ad.gradient(lambda x: sum([v**2 for v in x if v > 0]), x)
    return found.dtype == x.dtype, float(found[0]), float(found[2])
