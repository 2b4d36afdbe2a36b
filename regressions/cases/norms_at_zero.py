"""Lengths of nothing: norms and distances of zero, which have no slope of their own, within functions that have one."""

from __future__ import annotations

import numpy as np

from engine.rules.vocabulary import expand

from ..case import Between, case
from ..defects import with_rule
from ..defects.orders import with_new_rule
from ..defects.state import overwritten_values_are_looked_at

# The direction of a vector is the vector over its length, and 0 over 0 for the zero vector.
norm_divides_by_itself = with_rule(
    np.linalg.norm,
    x=lambda d, out, x, ord=None, axis=None, keepdims=False: (
        expand(d, axis, keepdims) * x / expand(out, axis, keepdims)
    ),
)


@case(
    "pytorch-2421",
    "https://github.com/pytorch/pytorch/issues/2421",
    "https://github.com/JuliaDiff/ChainRules.jl/issues/538",
    "https://github.com/jax-ml/jax/pull/39792",
    title="the gradient of a norm is NaN at the zero vector",
    month="2017-08",
    symptom="nan-inf",
    cause="The rule divides the vector by its norm, 0 over 0. Any vector no longer than 1 is a subgradient; the one of "
    "least norm is 0, and the function is even.",
    at=(np.zeros(3),),
    right=(np.zeros(3),),
    admissible=((Between(-np.ones(3), np.ones(3)),),),
    oracle="definition: the subgradient of least norm, by convention 2",
    reported=(np.full(3, np.nan),),
    defect=norm_divides_by_itself,
)
def norm_of_the_zero_vector(x):
    return np.linalg.norm(x)


@case(
    "autograd-151",
    "https://github.com/HIPS/autograd/issues/151",
    "https://github.com/jax-ml/jax/issues/4177",
    "https://github.com/taichi-dev/taichi/issues/4332",
    title="the square of a norm, which is smooth, has a NaN gradient at the zero vector",
    month="2016-09",
    symptom="nan-inf",
    cause="The square passes twice the norm on, which is 0, and the norm's own rule makes it 0 times 0 over 0.",
    at=(np.zeros(3),),
    right=(np.ones(3),),
    oracle="closed form: 2x + 1",
    reported=(np.full(3, np.nan),),
    defect=norm_divides_by_itself,
)
def squared_norm_and_a_sum(x):
    return np.linalg.norm(x) ** 2 + np.sum(x)


@case(
    "theano-3223",
    "https://github.com/Theano/Theano/issues/3223",
    title="half the squared norm of a layer is NaN when all its units are off",
    month="2015-07",
    symptom="nan-inf",
    cause="The norm of the output is zero, and its rule makes that 0 over 0; a rewrite saved only the spelling with a "
    "root of a sum of squares.",
    at=(np.array([[0.5]]),),
    right=(np.array([[0.0]]),),
    oracle="closed form: the output is 0 all around",
    reported=(np.array([[np.nan]]),),
    defect=norm_divides_by_itself,
)
def energy_of_a_layer_that_is_off(w):
    potential = w * np.array([[-1.0]])
    return 0.5 * np.linalg.norm(potential * (potential > 0)) ** 2


@case(
    "forwarddiff-243",
    "https://github.com/JuliaDiff/ForwardDiff.jl/issues/243",
    title="a radial function that is smooth has a NaN gradient at its centre",
    month="2017-07",
    symptom="nan-inf",
    cause="The norm was scaled by its largest entry, 0 over 0 at the origin; depending on the kind of array its "
    "gradient there is NaN or some unit vector.",
    at=(np.zeros(2),),
    right=(np.zeros(2),),
    oracle="closed form: -x (1 + |x|²) to the power -3/2",
    reported=(np.full(2, np.nan),),
    defect=norm_divides_by_itself,
)
def potential_of_a_blurred_charge(x):
    return (1.0 + np.linalg.norm(x) ** 2) ** -0.5


INPUT = np.array([1.0, 2.0])


@case(
    "flux-1254",
    "https://github.com/FluxML/Flux.jl/issues/1254",
    title="a norm penalty on a bias that starts at zero makes everything NaN in the first epoch",
    month="2020-06",
    symptom="nan-inf",
    cause="The gradient of the norm of the bias is 0 over 0, and one step later so are all parameters.",
    at=(np.array([[3.0, 4.0]]), np.zeros(1)),
    right=(np.array([[22.6, 44.8]]), np.array([22.0])),
    admissible=((np.array([[22.6, 44.8]]), Between(np.array([21.0]), np.array([23.0]))),),
    oracle="closed form: 2 (Wx + b) xᵀ + W / |W|, and 2 (Wx + b) with nothing of the norm by convention 2",
    reported=(np.array([[22.6, 44.8]]), np.array([np.nan])),
    defect=norm_divides_by_itself,
)
def loss_with_a_penalty_on_each_norm(W, b):
    return np.sum((W @ INPUT + b) ** 2) + np.linalg.norm(W) + np.linalg.norm(b)


@case(
    "jax-26248",
    "https://github.com/jax-ml/jax/issues/26248",
    title="the norm of a zero vector times a number is NaN as a function of the number",
    month="2025-01",
    symptom="nan-inf",
    cause="The cotangent of the norm is 0 over 0 before it is multiplied by the vector, which is zero.",
    at=(1.3,),
    right=(0.0,),
    oracle="closed form: the function is 0",
    reported=(float("nan"),),
    defect=norm_divides_by_itself,
)
def norm_of_nothing_scaled(a):
    return np.linalg.norm(a * np.zeros(2))


@case(
    "tensorflow-12071",
    "https://github.com/tensorflow/tensorflow/issues/12071",
    "https://github.com/rsokl/MyGrad/pull/379",
    title="the norms of rows: NaN for a row of zeros",
    month="2017-08",
    symptom="nan-inf",
    cause="A norm was the root of a sum of squares, whose infinite slope meets a slope of zero.",
    at=(np.array([[1.0], [0.0], [1e-16]]),),
    right=(np.array([[1.0], [0.0], [1.0]]),),
    admissible=((Between(np.array([[1.0], [-1.0], [1.0]]), np.array([[1.0], [1.0], [1.0]])),),),
    oracle="definition: the direction of each row, and 0 for that of zeros by convention 2",
    reported=(np.array([[1.0], [np.nan], [1.0]]),),
    defect=norm_divides_by_itself,
)
def sum_of_the_norms_of_rows(x):
    return np.sum(np.linalg.norm(x, axis=1))


@case(
    "pytorch-3264",
    "https://github.com/pytorch/pytorch/issues/3264",
    title="the 1-norm has a NaN gradient at entries that are zero",
    month="2017-10",
    symptom="nan-inf",
    cause="The formula for every p, x |x| to the power p - 2, was used for p = 1, where the power of 0 is infinite.",
    at=(np.array([0.0, 0.0, 0.0, 0.0, 0.1996]),),
    right=(np.array([0.0, 0.0, 0.0, 0.0, 1.0]),),
    admissible=((Between(np.array([-1.0, -1.0, -1.0, -1.0, 1.0]), np.ones(5)),),),
    oracle="definition: the sign, and 0 at 0 by convention 2",
    reported=(np.array([np.nan, np.nan, np.nan, np.nan, 1.0]),),
    defect=with_rule(np.linalg.norm, x=lambda d, out, x, ord: d * x * np.abs(x) ** (ord - 2.0) / out ** (ord - 1.0)),
)
def one_norm_of_a_sparse_vector(x):
    return np.linalg.norm(x, 1)


@case(
    "flax-1671",
    "https://github.com/google/flax/issues/1671",
    title="a row of zero weights, normalised with a floor for its length, has a NaN gradient",
    month="2021-11",
    symptom="nan-inf",
    cause="The floor is taken in the place of the length; but the root in the length is differentiated too, and zero "
    "times its infinite slope is NaN.",
    at=(np.array([[0.0, 0.0], [3.0, 4.0]]),),
    right=(np.array([[10.0, -10.0], [0.2 * 1.04, -0.2 * 0.78]]),),
    oracle="closed form: the weights over the floor; (c - u (u · c)) over the length where that is taken, u = v / |v|",
    reported=(np.array([[np.nan, np.nan], [0.2 * 1.04, -0.2 * 0.78]]),),
    defect=overwritten_values_are_looked_at,
)
def normalised_weights(v):
    length = np.sqrt(np.sum(v**2, axis=1, keepdims=True))
    return np.sum(v / np.maximum(length, 0.1) * np.array([[1.0, -1.0], [2.0, 0.5]]))


@case(
    "optax-1189",
    "https://github.com/google-deepmind/optax/issues/1189",
    title="steps of descent that are cut to length 1 have a NaN derivative at the minimum",
    month="2025-02",
    symptom="nan-inf",
    cause="The cap min(1, 1 / length) takes the 1 there, but the division by a length of zero is differentiated beside "
    "it.",
    at=(np.array([1.0]),),
    right=(np.array([0.8**3]),),
    oracle="closed form: each step keeps 0.8 of the distance",
    reported=(np.array([np.nan]),),
    defect=overwritten_values_are_looked_at,
)
def three_capped_steps(p):
    with np.errstate(divide="ignore"):
        for _ in range(3):
            slope = 2.0 * (p - 1.0)
            p = p - 0.1 * np.minimum(1.0, 1.0 / np.abs(slope)) * slope
    return p[0]


# -- distances ---------------------------------------------------------------------------------------------------------


def distance(x, y):
    return np.linalg.norm(x - y)


@case(
    "zygote-787",
    "https://github.com/FluxML/Zygote.jl/pull/787",
    title="the distance between identical points has a NaN gradient",
    month="2020-09",
    symptom="nan-inf",
    cause="The pullback divides the cotangent by the distance before it multiplies by the difference.",
    at=(np.array([1.0, 2.0]), np.array([1.0, 2.0])),
    right=(np.zeros(2), np.zeros(2)),
    admissible=((Between(-np.ones(2), np.ones(2)), Between(-np.ones(2), np.ones(2))),),
    oracle="definition: the difference over the distance, and 0 where they coincide by convention 2",
    reported=(np.full(2, np.nan), np.full(2, np.nan)),
    defect=with_new_rule(
        distance,
        x=lambda d, out, x, y: d / out * (x - y),
        y=lambda d, out, x, y: d / out * (y - x),
    ),
)
def distance_of_two_points(x, y):
    return distance(x, y)


TO_THE_THIRD = np.array([[-1.2, -1.6], [2.4, 3.2], [-1.2, -1.6]])
TWO_AT_THE_ORIGIN = np.array([[2.0, 2.0], [0.0, 0.0], [2.0, 2.0]])


@case(
    "pytorch-37154",
    "https://github.com/pytorch/pytorch/issues/37154",
    title="distances of all pairs: NaN for every point, since each is at distance zero from itself",
    month="2020-04",
    symptom="nan-inf",
    cause="The pullback divides by the distance, also on the diagonal and where two points coincide.",
    at=(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]]),),
    right=(TO_THE_THIRD,),
    admissible=((Between(TO_THE_THIRD - TWO_AT_THE_ORIGIN, TO_THE_THIRD + TWO_AT_THE_ORIGIN),),),
    oracle="closed form: twice the sum of the unit vectors to others; convention 2: nothing of those at distance 0",
    reported=(np.full((3, 2), np.nan),),
    defect=norm_divides_by_itself,
)
def distances_of_all_pairs(x):
    return np.sum(np.linalg.norm(x[:, None, :] - x[None, :, :], axis=-1))


BONDS = np.sqrt(np.arange(16.0)).reshape(4, 4)
BOTH_WAYS = (BONDS + BONDS.T) * (1 - np.eye(4))
COLUMNS = np.array([[100.1, 100.1, 100.1, 700.1], [300.3, 300.3, 300.3, -399.7]])
UNIT = (COLUMNS[:, :1] - COLUMNS[:, 3:]) / np.hypot(600.0, 700.0)
TO_THE_LAST = UNIT * np.append(BOTH_WAYS[:3, 3], -np.sum(BOTH_WAYS[:3, 3]))
AMONG_THOSE_THAT_COINCIDE = np.append(np.sum(BOTH_WAYS[:3, :3], axis=0), 0.0)


def pairwise(X):
    return np.linalg.norm(X[:, :, None] - X[:, None, :], axis=0)


def pulled_back_by_products(d, out, X):
    share = d / np.maximum(out, 1e-16)
    share = share + share.T
    return X * np.sum(share, axis=0) - X @ share


@case(
    "zygote-1307",
    "https://github.com/FluxML/Zygote.jl/pull/1307",
    title="distances of pairs with two points that coincide: a huge gradient out of nothing",
    month="2022-09",
    symptom="wrong-value",
    cause="The pullback multiplied out the differences and divided by the distance or a small number, so that rounding "
    "of a difference that is zero was divided by it.",
    at=(COLUMNS,),
    right=(TO_THE_LAST,),
    admissible=((Between(TO_THE_LAST - AMONG_THOSE_THAT_COINCIDE, TO_THE_LAST + AMONG_THOSE_THAT_COINCIDE),),),
    oracle="closed form: the weights times the unit vectors, nothing of pairs at distance 0 by convention 2",
    reported=(pulled_back_by_products(BONDS, pairwise(COLUMNS), COLUMNS),),
    defect=with_new_rule(pairwise, X=pulled_back_by_products),
)
def weighted_distances_of_columns(X):
    return np.sum(BONDS * pairwise(X))


@case(
    "jax-15798",
    "https://github.com/jax-ml/jax/issues/15798",
    title="the angle between two distributions is NaN where they coincide, guarded or not",
    month="2023-04",
    symptom="nan-inf",
    cause="At overlap 1 the arc cosine has an infinite slope, and the overlap, at its maximum, the slope zero; the "
    "selection beside it does not keep the two apart.",
    at=(np.zeros(4),),
    right=(np.zeros(4),),
    admissible=((Between(np.full(4, -np.sqrt(3) / 8), np.full(4, np.sqrt(3) / 8)),),),
    oracle="definition: 0 is selected, and by convention 4 nothing else is looked at; √3/8 to either side",
    reported=(np.full(4, np.nan),),
    defect=overwritten_values_are_looked_at,
)
def angle_between_distributions(q):
    shares = np.exp(q) / np.sum(np.exp(q))
    overlap = np.sum(np.sqrt(np.full(4, 0.25)) * np.sqrt(shares))
    return np.where(overlap < 1.0, np.arccos(np.minimum(overlap, 1.0)), 0.0)
