"""Products with factors that are zero: the product of the others is not the whole one over the factor."""

from __future__ import annotations

import numpy as np

from ..case import Raises, case
from ..defects import with_rule
from ..defects.orders import rule_fails_when_differentiated, with_new_rule


@case(
    "tensorflow-2641",
    "https://github.com/tensorflow/tensorflow/issues/2641",
    "https://github.com/FluxML/Flux.jl/pull/334",
    "https://github.com/JuliaDiff/ChainRules.jl/pull/385",
    "https://github.com/FluxML/Zygote.jl/pull/988",
    "https://github.com/tinygrad/tinygrad/pull/17404",
    title="the gradient of a product is NaN at a factor that is zero",
    month="2016-06",
    symptom="nan-inf",
    cause="The product of the other factors was the whole one over the factor, 0 over 0; with two zeros it is 0, with "
    "one of them it is not.",
    at=(np.array([[2.0, 0.0, 3.0], [2.0, 0.0, 0.0]]),),
    right=(np.array([[0.0, 6.0, 0.0], [0.0, 0.0, 0.0]]),),
    oracle="closed form: for each factor the product of the others",
    reported=(np.array([[0.0, np.nan, 0.0], [0.0, np.nan, np.nan]]),),
    defect=with_rule(np.prod, a=lambda d, out, a, axis=None: np.expand_dims(d * out, axis) / a),
)
def sum_of_products_of_rows(x):
    return np.sum(np.prod(x, axis=1))


@case(
    "jax-1212",
    "https://github.com/jax-ml/jax/issues/1212",
    title="a running product has one derivative and no second one",
    month="2019-08",
    symptom="raises",
    cause="It was made of a reduction over windows, whose derivative had none; and its cost was that of all the "
    "windows.",
    needs="nested",
    at=(np.array([2.0, 0.0, 3.0, 0.0]),),
    right=(np.array([[0.0, 11.0, 0.0, 0.0], [11.0, 0.0, 6.0, 24.0], [0.0, 6.0, 0.0, 0.0], [0.0, 24.0, 0.0, 0.0]]),),
    oracle="closed form: of a + 2ab + 3abc + 4abcd",
    reported=Raises("crash", "NotImplementedError: differentiation rule for 'reduce_window'"),
    asks="value",
    defect=rule_fails_when_differentiated(
        np.cumprod, NotImplementedError("differentiation rule for 'reduce_window' not implemented")
    ),
)
def hessian_of_weighted_running_products(x, *, ad):
    return ad.hessian(lambda u: np.sum(np.cumprod(u) * np.array([1.0, 2.0, 3.0, 4.0])))(x)


def tails_over_the_factor(d, out, a):
    tails = np.cumsum((d * out)[::-1])[::-1]
    return np.where(a == 0, 0.0, tails / np.where(a == 0, 1.0, a))


@case(
    "tensorflow-119430",
    "https://github.com/tensorflow/tensorflow/issues/119430",
    title="the gradient of a running product is silently 0 at factors that are zero",
    month="2026-05",
    symptom="missing-gradient",
    cause="The sum of the products from a factor on was divided by the factor, and 0 over 0, which had been NaN, was "
    "replaced by 0.",
    at=(np.array([2.0, 0.0, 0.0, 3.0]),),
    right=(np.array([1.0, 2.0, 0.0, 0.0]),),
    oracle="closed form: of a + ab + abc + abcd",
    reported=(np.array([1.0, 0.0, 0.0, 0.0]),),
    defect=with_rule(np.cumprod, a=tails_over_the_factor),
)
def sum_of_running_products(x):
    return np.sum(np.cumprod(x))


GROUPS = np.array([0, 0, 1, 1, 1])
FACTORS = np.array([2.0, 3.0, 0.5, 4.0, 1.5])


def grouped_products(factors):
    products = np.ones(2)
    for group, factor in zip(GROUPS, factors, strict=True):
        products[group] = products[group] * factor
    return products


@case(
    "jax-9296",
    "https://github.com/jax-ml/jax/issues/9296",
    title="products by group have a wrong gradient where a group has more than one factor",
    month="2022-01",
    symptom="wrong-value",
    cause="The rule for multiplying entries at indices took the entry before all products for the others' product, as "
    "if no index came twice.",
    needs="mutation",
    at=(FACTORS,),
    right=(1 / FACTORS,),
    oracle="closed form: the logarithm of a product is the sum of the logarithms",
    reported=(np.array([1 / 6, 1 / 6, 1 / 3, 1 / 3, 1 / 3]),),
    defect=with_new_rule(grouped_products, factors=lambda d, out, factors: d[GROUPS] * np.ones(2)[GROUPS]),
)
def logarithms_of_grouped_products(factors):
    return np.sum(np.log(grouped_products(factors)))


@case(
    "jax-1888",
    "https://github.com/jax-ml/jax/issues/1888",
    title="the gradient of the product of an empty selection crashes",
    month="2019-12",
    symptom="raises",
    cause="The rule folds the factors in half, and reshapes an array of none to a length that cannot be found.",
    at=(np.array([2.0, 3.0]),),
    right=(np.array([1.0, 0.0]),),
    oracle="closed form: a product of nothing is 1, and the first entry stands beside it",
    reported=Raises("crash", "cannot reshape array of size 0"),
    defect=with_rule(np.prod, a=lambda d, out, a: d * np.reshape(a, (np.size(a), -1))),
)
def product_of_an_empty_selection(x):
    return np.prod(np.take(x, np.array([], dtype=int))) + x[0]


@case(
    "jax-3729",
    "https://github.com/jax-ml/jax/pull/3729",
    title="the gradient of products along an axis of length zero crashes",
    month="2020-07",
    symptom="raises",
    cause="The tree of pairwise products takes the axis for one of length 1 when it is done, and drops it.",
    at=(np.zeros((0, 3)),),
    right=(np.zeros((0, 3)),),
    oracle="definition: of the shape of the argument, which has no entries; convention 6",
    reported=Raises("crash", "cannot reshape array of size 0"),
    defect=with_rule(np.prod, a=lambda d, out, a, axis: d * np.reshape(a, (1, 3))),
)
def products_of_columns_without_rows(x):
    return np.sum(np.prod(x, axis=0))
