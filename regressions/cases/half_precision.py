"""Float16: counts and sums beyond what it can hold, and rules that fall back to it, or out of it."""

from __future__ import annotations

import mpmath
import numpy as np

from ..case import case
from ..defects import on_traced_tier, with_rule
from ..defects.numbers import cotangents_fitted_by, cotangents_keep_their_dtype
from ..defects.orders import with_new_rule

half = np.float16
MANY = 35000


def counted_in_half(d, out, a, axis=None, *, keepdims=False, initial=None, where=True):
    winners = a == out
    return d * winners / np.sum(winners, dtype=half)


@case(
    "tinygrad-12296",
    "https://github.com/tinygrad/tinygrad/issues/12296",
    title="the maximum over 70000 equal halves has the gradient 0",
    month="2025-09",
    symptom="missing-gradient",
    cause="Those that tie are counted in their own dtype, which ends at 65504: the count is infinite, and each one's "
    "share is 1 over it.",
    at=(np.ones(2, half),),
    right=(np.full(2, half(0.5)),),
    oracle="definition: convention 2, those that tie share equally; either slope is 0 on one side and 1 on the other",
    reported=(np.zeros(2, half),),
    defect=with_rule(np.max, a=counted_in_half),
)
def largest_of_many_equal_entries(x):
    with np.errstate(over="ignore"):
        return np.max(np.repeat(x, MANY))


KEYS, VALUES = np.array([[8.0, 4.0], [2.0, -8.0]], half), np.array([1.0, 2.0], np.float32)


def softmax(scores):
    powers = np.exp(scores - np.max(scores))
    return powers / np.sum(powers)


def softmax_slope_in_half(d, out, scores):
    d, shares = d.astype(half), out.astype(half)
    return shares * (d - np.sum(d * shares))


def attended_exactly(q):
    first, second = (mpmath.exp(mpmath.fdot(q, key.tolist())) for key in KEYS)
    return (first + 2 * second) / (first + second)


@case(
    "jax-24047",
    "https://github.com/jax-ml/jax/issues/24047",
    title="attention computes its softmax in single precision forwards and in half on the way back",
    month="2024-10",
    symptom="wrong-value",
    cause="The scores are widened before the softmax, and the rule for the whole is not told: nearly all the weight is "
    "on one key, and in half precision 1 less that weight is another number.",
    at=(np.array([1.0, 0.125], half),),
    right=(np.array([-0.003315, -0.00663], half),),
    oracle="mpmath: of the weighted mean",
    exact=attended_exactly,
    reported=(np.array([-0.006706, -0.00832], half),),
    defect=on_traced_tier(with_new_rule(softmax, scores=softmax_slope_in_half)),
)
def attention_with_a_sharp_softmax(q):
    scores = q.astype(np.float32) @ KEYS.astype(np.float32).T
    return np.sum(softmax(scores) * VALUES)


@case(
    "jax-7157",
    "https://github.com/jax-ml/jax/issues/7157",
    title="the blocks of a Jacobian by a half and a float32 all have one dtype",
    month="2021-07",
    symptom="wrong-dtype",
    cause="The arguments are joined to one vector, of the dtype that holds both, and what is found for it is split "
    "again.",
    needs=("nested",),
    at=(np.array([2.0], half), np.array([3.0], np.float32)),
    right=((np.array([[1.0]], half), np.array([[1.0]], np.float32)),),
    oracle="definition: the identity; in reverse mode a block has the dtype of the argument",
    reported=((np.array([[1.0]], np.float32), np.array([[1.0]], np.float32)),),
    asks="value",
    defect=cotangents_keep_their_dtype,
)
def jacobian_of_a_sum_of_two_dtypes(x, y, *, ad):
    return ad.jacobian(lambda x, y: x + y, argnums=(0, 1))(x, y)


def doubled(x):
    return 2.0 * x.astype(np.float32)


def nothing_of_another_dtype(d, primal):
    return d if np.asarray(d).dtype == np.asarray(primal).dtype else 0 * d


@case(
    "jax-23779",
    "https://github.com/jax-ml/jax/pull/23779",
    title="what a rule of one's own returns in another dtype than the argument's is dropped",
    month="2024-09",
    symptom="missing-gradient",
    cause="Nothing has a type of its own among cotangents, and one that is not of the argument's dtype was taken for "
    "it.",
    needs=("rules",),
    rules=[(doubled, {"x": lambda d, out, x: (2.0 * d).astype(np.float32)})],
    at=(np.ones(2, half),),
    right=(np.full(2, half(2.0)),),
    oracle="closed form: 2, in the dtype of the argument",
    reported=(np.zeros(2, half),),
    defect=cotangents_fitted_by(nothing_of_another_dtype),
)
def rule_that_answers_in_single_precision(x):
    return np.sum(doubled(x))
