"""What is computed and then not taken: the other branch of a `where`, what a filter, slice or maximum leaves out."""

from __future__ import annotations

import numpy as np

from engine.traced import run
from engine.traced.tape import Sweep

from ..case import case
from ..defects import patched

# A cotangent of zero is taken for a number, whatever it stands for.
zeros_are_numbers = patched(run, "Careful", lambda level, masks: Sweep(level))

ONE_SIDED = "the root is real on one side of zero only"


@case(
    "jax-347",
    "https://github.com/jax-ml/jax/issues/347",
    title="where after a root: one zero row makes the gradient NaN",
    month="2019-02",
    symptom="nan-inf",
    cause="The branch that is not taken gets the cotangent zero, and the rule of the root multiplies it by an infinite "
    "slope. Taking 0 times infinity for 0 was tried and rolled back, since it hides real errors.",
    at=(np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]),),
    right=(np.array([[1 / np.sqrt(5), 2 / np.sqrt(5)], [0.6, 0.8], [0.0, 0.0]]),),
    oracle="closed form: a row over its length where the length is taken, else nothing",
    reported=(np.array([[1 / np.sqrt(5), 2 / np.sqrt(5)], [0.6, 0.8], [np.nan, np.nan]]),),
    defect=zeros_are_numbers,
)
def length_of_rows_that_are_long_enough(x):
    n = np.sqrt(np.sum(x**2, axis=1))
    return np.sum(np.where(n > 0.5, n, np.ones_like(n)))


@case(
    "jax-5798",
    "https://github.com/jax-ml/jax/issues/5798",
    title="where(x < 1, x, sqrt|x|) has slope NaN at zero",
    month="2021-02",
    symptom="nan-inf",
    cause="All around zero the identity is taken; the root beside it is differentiated too, and zero times its "
    "infinite slope is NaN.",
    at=(0.0,),
    right=(1.0,),
    oracle="closed form: the identity is taken on both sides",
    reported=(float("nan"),),
    defect=zeros_are_numbers,
)
def identity_beside_a_root(x):
    return np.where(x < 1.0, x, np.sqrt(np.abs(x)))


@case(
    "jax-20601",
    "https://github.com/jax-ml/jax/issues/20601",
    title="a branch that is never taken holds a NaN, and the gradient is NaN",
    month="2024-04",
    symptom="nan-inf",
    cause="The cotangent zero of the branch that is not taken is multiplied by the NaN that the branch multiplies by.",
    at=(np.array([2.3, -1.0]),),
    right=(np.array([0.0, -2.0]),),
    oracle="closed form: only the second entry is read, squared",
    reported=(np.array([np.nan, -2.0]),),
    defect=zeros_are_numbers,
)
def missing_weight_of_an_entry_that_is_left_out(b):
    weight = np.array([np.nan, 1.0])
    return np.sum(np.where([False, True], weight * b * b, 1.0))


@case(
    "jax-1538",
    "https://github.com/jax-ml/jax/pull/1538",
    "https://github.com/FluxML/NNlib.jl/pull/722",
    "https://github.com/pytorch/pytorch/issues/68425",
    title="elu: NaN for large inputs, where the exponential beside it overflows",
    month="2019-10",
    symptom="nan-inf",
    cause="The exponential of the branch for negative inputs is infinite at large ones; its slope, infinite too, meets "
    "the cotangent zero.",
    at=(np.array([1000.0, -1.0]),),
    right=(np.array([1.0, np.exp(-1.0)]),),
    oracle="closed form: 1 above zero, exp below",
    reported=(np.array([np.nan, np.exp(-1.0)]),),
    defect=zeros_are_numbers,
)
def exponential_linear_unit(x):
    with np.errstate(over="ignore"):
        return np.sum(np.where(x > 0, x, np.expm1(x)))


@case(
    "pytorch-10729",
    "https://github.com/pytorch/pytorch/issues/10729",
    title="clipping an exponential that has overflowed gives NaN",
    month="2018-08",
    symptom="nan-inf",
    cause="Above the bound the clip passes on the cotangent zero, and the rule of exp multiplies it by exp(x), which "
    "is infinite.",
    at=(np.array([-10.0, -5.0, 5.0, 100.0, 800.0]),),
    right=(np.array([np.exp(-10.0), np.exp(-5.0), 0.0, 0.0, 0.0]),),
    oracle="closed form: exp(x) below the bound, 0 above it",
    reported=(np.array([np.exp(-10.0), np.exp(-5.0), 0.0, 0.0, np.nan]),),
    defect=zeros_are_numbers,
)
def exponential_with_a_cap(x):
    with np.errstate(over="ignore"):
        return np.sum(np.clip(np.exp(x), None, 1.0))


@case(
    "jax-6780",
    "https://github.com/jax-ml/jax/issues/6780",
    title="weights over their total: a row whose total is zero makes the gradient NaN",
    month="2021-05",
    symptom="nan-inf",
    cause="Rows without weight are replaced after the division by their total; the division is differentiated all the "
    "same, at 0/0.",
    at=(1.25,),
    right=(0.6 / 1.75**2,),
    oracle="closed form: 0.6 / (1 + 0.6 s)², the second row has no weight",
    reported=(float("nan"),),
    defect=zeros_are_numbers,
)
def weights_of_the_rows_that_have_any(s):
    weights = np.array([[1.0, 0.6], [0.0, 0.0]]) * np.array([s, s * s])
    total = np.sum(weights, axis=1)
    with np.errstate(invalid="ignore"):
        shares = weights / total[:, np.newaxis]
    return np.sum(np.where((total > 1e-4)[:, np.newaxis], shares, 0.0) * np.array([[1.0, 2.0], [3.0, 4.0]]))


@case(
    "chainrules-576",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/576",
    title="the larger of a root and a bound: NaN where the root is zero and the bound is taken",
    month="2022-01",
    symptom="nan-inf",
    cause="The maximum takes the bound and passes zero to the root; in the rules of arrays that is a floating zero, "
    "and times the infinite slope it is NaN.",
    at=(np.array([0.0, 0.0, 4.0]),),
    right=(np.array([0.0, 0.0, 0.25]),),
    oracle="closed form: the slope of the root where it is above 1",
    no_differences=ONE_SIDED,
    reported=(np.array([np.nan, np.nan, 0.25]),),
    defect=zeros_are_numbers,
)
def root_or_a_bound(x):
    return np.sum(np.maximum(np.sqrt(x), 1.0))


@case(
    "theano-1996",
    "https://github.com/Theano/Theano/issues/1996",
    title="sqrt(x)[0] is NaN in the entry that is not read, sqrt(x[0]) is fine",
    month="2014-07",
    symptom="nan-inf",
    cause="The cotangent of the entries that the index leaves out is a written zero, which is multiplied by an "
    "infinite slope.",
    at=(np.array([4.0, 0.0]),),
    right=(np.array([0.25, 0.0]),),
    oracle="closed form: the slope of the root at 4; nothing reads the other entry",
    no_differences=ONE_SIDED,
    reported=(np.array([0.25, np.nan]),),
    defect=zeros_are_numbers,
)
def one_entry_of_a_root(x):
    return np.sqrt(x)[0]


@case(
    "jax-19089",
    "https://github.com/jax-ml/jax/issues/19089",
    title="filtering after a power: NaN from the entry that was filtered out",
    month="2023-12",
    symptom="nan-inf",
    cause="The pullback of the filter writes zero for what it left out, and the power has an infinite slope there; "
    "filtering before the power is right.",
    at=(1.0,),
    right=(0.5,),
    oracle="closed form: the slope of the square root of x at 1",
    reported=(float("nan"),),
    defect=zeros_are_numbers,
)
def powers_of_what_is_positive(x):
    d = np.array([0.0, 1.0]) * x
    return np.sum((d**0.5)[d > 0])


@case(
    "jax-26328",
    "https://github.com/jax-ml/jax/issues/26328",
    title="rows looked up out of range and masked later give NaN",
    month="2025-02",
    symptom="nan-inf",
    cause="Look-ups out of range are filled with NaN; the mask comes after arithmetic on them, and the cotangent zero "
    "meets the NaN first.",
    at=(np.array([1.0, 2.0]),),
    right=(np.array([2.0, 4.0]),),
    oracle="closed form: the squares of both rows, the one out of range left out",
    reported=(np.array([2.0, np.nan]),),
    defect=zeros_are_numbers,
)
def rows_looked_up_and_masked_later(table):
    wanted = np.array([0, 5, 1])
    known = wanted < len(table)
    rows = table[np.minimum(wanted, len(table) - 1)] * np.where(known, 1.0, np.nan)
    return np.sum(np.where(known, rows**2, 0.0))
