"""Along which axis: reductions and sorts by their keywords, from the end, over several axes at once, or over none."""

from __future__ import annotations

import numpy as np

from ..case import Raises, case
from ..defects import with_rule, without_rule
from ..defects.orders import with_new_rule
from ..defects.state import with_procedure

BLOCK = np.arange(12.0).reshape(2, 3, 2) / 10


@case(
    "autograd-61",
    "https://github.com/HIPS/autograd/pull/61",
    title="a sum over two axes cannot be differentiated",
    month="2015-11",
    symptom="raises",
    cause="The rule looked the length of the axis up in the shape, and two axes are no index.",
    at=(BLOCK,),
    right=(2 * np.broadcast_to(np.sum(BLOCK, axis=(0, 2), keepdims=True), BLOCK.shape),),
    oracle="closed form: twice the sum, for each entry in it",
    reported=Raises("crash", "TypeError: tuple indices must be integers"),
    defect=with_rule(np.sum, a=lambda d, out, a, axis=None: d * np.ones(np.shape(a)[axis])),
)
def square_of_sums_over_two_axes(x):
    return np.sum(np.sum(x, axis=(0, 2)) ** 2)


@case(
    "autograd-789",
    "https://github.com/HIPS/autograd/pull/789",
    title="a product with its defaults spelled out, dtype=None and out=None, raises",
    month="2026-06",
    symptom="raises",
    cause="The rules listed the keywords that they knew; layers above pass others on, with the values that they have "
    "anyway.",
    at=(np.array([2.0, 3.0]),),
    right=(np.array([3.0, 3.0]),),
    oracle="closed form: the other factor, and 1 for the larger one",
    reported=Raises("foreign-call", "prod"),
    defect=with_rule(np.prod, a=lambda d, out, a, axis=None: d * out / a),
)
def product_and_maximum_with_all_keywords(x):
    return np.prod(x, axis=None, dtype=None, out=None) + np.max(x, axis=None, out=None)


@case(
    "flux-674",
    "https://github.com/FluxML/Flux.jl/issues/674",
    title="a product along an axis, given by its position, has the gradient of the product of all",
    month="2019-03",
    symptom="wrong-value",
    cause="A positional axis was not seen, and the rule for whole arrays took the call.",
    at=(np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]),),
    right=(np.array([[4.0, 1.0], [5.0, 2.0], [6.0, 3.0]]),),
    oracle="closed form: the other factor of the row",
    reported=(np.array([[720.0, 180.0], [360.0, 144.0], [240.0, 120.0]]),),
    defect=with_rule(np.prod, a=lambda d, out, a, axis=None: d[0] * np.prod(a) / a),
)
def sum_of_the_products_of_pairs(w):
    return np.sum(np.prod(w, 1))


def transposed_by_the_axis(d, out, a, axis):
    order = (axis, *[i for i in range(a.ndim) if i != axis])
    return np.transpose(a, order) * d


@case(
    "tensorflow-10835",
    "https://github.com/tensorflow/tensorflow/issues/10835",
    title="a product along the last axis, called -1, cannot be differentiated",
    month="2017-06",
    symptom="raises",
    cause="The rule puts the axis first in a list of all axes, and does not count it from the end before.",
    at=(np.array([[1.0, 2.0], [3.0, 4.0]]),),
    right=(np.array([[2.0, 1.0], [4.0, 3.0]]),),
    oracle="closed form: the other factor of the row",
    reported=Raises("crash", "ValueError: axes don't match array"),
    defect=with_rule(np.prod, a=transposed_by_the_axis),
)
def sum_of_products_along_the_last_axis(x):
    return np.sum(np.prod(x, axis=-1))


@case(
    "chainrules-530",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/530",
    title="a sum along an axis of a row uses the axes of the column that it was",
    month="2021-09",
    symptom="wrong-value",
    cause="The rule unwraps a transpose to get at the array below, and keeps the number of the axis.",
    at=(np.array([1.0, 2.0, 3.0]),),
    right=(np.array([1.0, 0.0, 0.0]),),
    oracle="closed form: an axis of length 1 is summed, and the first entry of three is read",
    reported=(np.array([1.0, 1 / 2, 1 / 3]),),
    defect=with_rule(np.sum, a=lambda d, out, a, axis=None: np.full(np.shape(a), np.sum(d))),
)
def first_logarithm_in_a_row(x):
    return np.sum(np.log(x).reshape(1, 3), axis=0)[0]


def summed(f, x, axis=None):
    return np.sum(f(x), axis=axis)


@case(
    "zygote-681",
    "https://github.com/FluxML/Zygote.jl/issues/681",
    title="the sum of a function over an axis raises",
    month="2020-06",
    symptom="raises",
    cause="The rule for sums of a function of the entries took no keywords.",
    at=(np.array([[1.0, 2.0], [3.0, -1.0]]),),
    right=(np.array([[40.0, 40.0], [120.0, -20.0]]),),
    oracle="closed form: 4x times the sum of squares of the column",
    reported=Raises("foreign-call", "summed"),
    defect=with_new_rule(summed, x=lambda d, out, f, x: d * np.ones_like(x)),
)
def squares_of_sums_of_squares(x):
    return np.sum(summed(lambda v: v**2, x, axis=0) ** 2)


@case(
    "jax-303",
    "https://github.com/jax-ml/jax/pull/303",
    title="amax and amin have no derivative",
    month="2019-02",
    symptom="raises",
    cause="They were reductions by an order of their own, for complex numbers, and a reduction's rule was found by "
    "its function.",
    at=(np.array([[1.0, 5.0, 2.0], [4.0, 3.0, 7.0]]),),
    right=(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]),),
    oracle="closed form: 1 for the largest of each column, 1 for the smallest of each row",
    reported=Raises("foreign-call", "amax"),
    defect=without_rule(np.amax, np.amin),
)
def largest_of_columns_and_smallest_of_rows(x):
    return np.sum(np.amax(x, axis=0)) + np.sum(np.amin(x, axis=1))


# -- sorts -------------------------------------------------------------------------------------------------------------


@case(
    "zygote-586",
    "https://github.com/FluxML/Zygote.jl/pull/586",
    title="sorting by a key cannot be differentiated",
    month="2020-04",
    symptom="raises",
    cause="The rule for sorting knew no keywords, and refused a call with one.",
    at=(np.array([2.0, 5.0, 3.0]),),
    right=(np.array([100.0, 1.0, 10.0]),),
    oracle="closed form: the weight of the place that the entry comes to",
    reported=Raises("crash", "unexpected keyword argument 'key'"),
    defect=with_procedure(sorted, lambda iterable: list(iterable)),
)
def sorted_from_the_largest_on(x):
    return np.dot(np.array(sorted(x, key=lambda v: -v)), np.array([1.0, 10.0, 100.0]))


@case(
    "zygote-1499",
    "https://github.com/FluxML/Zygote.jl/issues/1499",
    title="sorting the columns of a matrix cannot be differentiated",
    month="2024-02",
    symptom="raises",
    cause="The rule was for vectors; with an axis, the algorithm itself was followed and failed.",
    at=(np.array([[0.3, 2.0], [0.1, 1.0], [0.2, 3.0]]),),
    right=(np.array([[5.0, 4.0], [1.0, 2.0], [3.0, 6.0]]),),
    oracle="closed form: the weight of the place that the entry comes to",
    reported=Raises("foreign-call", "sort"),
    defect=with_rule(np.sort, a=lambda d, out, a: d[np.argsort(np.argsort(a))]),
)
def weighted_sorted_columns(x):
    return np.sum(np.sort(x, axis=0) * np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))


# -- softmax along an axis ---------------------------------------------------------------------------------------------


def log_softmax(x, axis):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def shares(x, axis):
    return np.exp(log_softmax(x, axis))


LOGITS = np.array([[0.5, -1.0, 2.0], [1.0, 0.3, -0.2]])
COSTS = np.array([[1.0, 2.0, -1.0], [0.0, 3.0, 0.5]])
ROW_SUMS = np.sum(COSTS, axis=1, keepdims=True)


@case(
    "nnlib-148",
    "https://github.com/FluxML/NNlib.jl/pull/148",
    title="the gradient of log-softmax along the second axis takes shares along the first",
    month="2019-12",
    symptom="wrong-value",
    cause="The axis reached the sum in the pullback and not the softmax beside it.",
    at=(LOGITS,),
    right=(COSTS - ROW_SUMS * shares(LOGITS, 1),),
    oracle="closed form: the weights less their sum times the shares, along the rows",
    reported=(COSTS - ROW_SUMS * shares(LOGITS, 0),),
    defect=with_new_rule(log_softmax, x=lambda d, out, x, axis: d - np.sum(d, axis=axis, keepdims=True) * shares(x, 0)),
)
def cost_of_log_shares_along_rows(x):
    return np.sum(COSTS * log_softmax(x, 1))


def by_a_clamped_quotient(d, out, x, axis):
    share = np.exp(out)
    quotient = d / np.maximum(1e-300, share)
    return share * (quotient - np.sum(quotient * share, axis=axis, keepdims=True))


@case(
    "nnlib-126",
    "https://github.com/FluxML/NNlib.jl/pull/126",
    title="the sum of log-softmax has almost no gradient",
    month="2019-06",
    symptom="missing-gradient",
    cause="The pullback divides by the share, clamped away from zero, and multiplies by it again; a share that has "
    "underflowed takes the entry with it.",
    at=(np.array([[1.0, 2.0, 3.0], [1000.0, 2000.0, 3000.0]]),),
    right=(np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]),),
    oracle="closed form: 1 - 2s, where the shares are 0 and 1 to rounding",
    reported=(np.zeros((2, 3)),),
    defect=with_new_rule(log_softmax, x=by_a_clamped_quotient),
)
def sum_of_log_shares(x):
    return np.sum(log_softmax(x, 0))
