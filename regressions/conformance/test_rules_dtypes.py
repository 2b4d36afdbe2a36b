"""Dtypes through the rule table (convention 11): the same out as in, in half, single and extended precision.

The rows are those of the elementwise functions and reductions; their values are proven in double precision there. Here
the pullback in another precision is compared with that in double precision at the same, rounded, point.
"""

import numpy as np
import pytest

from engine import gradient, pullback
from engine.tangents import is_differentiable

from . import oracle, test_rules_elementwise, test_rules_reductions
from .rule_rows import (
    KEEPS_SINGLE,
    Row,
    agrees,
    assert_fits,
    cotangent_of,
    differentiable_leaves,
    expected_of,
    got_from,
    is_composed,
    of_active,
    projected,
    pulled_back,
    thinned,
)

ROWS = [
    case
    for case in thinned([*test_rules_elementwise.ROWS, *test_rules_reductions.ROWS])
    if case.single
    and not is_composed(case)
    and any(isinstance(x, np.ndarray) for x in case.args)
    and getattr(case.function, "__module__", "")
    != "numpy.linalg"  # NumPy's matrices know single and double precision only
]
KINDS = {"half": (np.float16, None), "extended": (np.longdouble, np.clongdouble)}
TOLERANCES = {"half": {"rtol": 2e-2, "atol": 2e-2}, "extended": {"rtol": 1e-7, "atol": 1e-8}}


def converted(x, kinds):
    """The argument with its double precision arrays in another one."""
    if isinstance(x, list | tuple):
        return type(x)([converted(v, kinds) for v in x])
    if isinstance(x, np.ndarray | np.generic) and x.dtype in (np.float64, np.complex128):
        return x.astype(kinds[x.dtype.kind == "c"])
    return x


@pytest.mark.parametrize("precision", KINDS)
@pytest.mark.parametrize("case", ROWS, ids=str)
def test_a_rule_works_in_the_precision_of_its_arguments(case, precision):
    kinds = KINDS[precision]
    if precision == "half" and any(np.iscomplexobj(v) for v in differentiable_leaves(case.args)):
        return  # there are no complex numbers in half precision
    if precision == "half" and case.function is np.sinc and not KEEPS_SINGLE:
        pytest.skip("np.sinc of NumPy 1 divides 0 by 0 in half precision: its own value at 0 is NaN")
    other = Row(case.function, converted(case.args, kinds), converted(case.kwargs, kinds))
    out = other(*other.args)
    d = converted(cotangent_of(case), kinds)
    raw = pulled_back(other, d)
    if KEEPS_SINGLE and all(np.result_type(v) in kinds for v in differentiable_leaves(out)):
        for leaf in differentiable_leaves(raw):
            assert not isinstance(leaf, np.ndarray) or leaf.dtype in kinds, f"computed in {leaf.dtype}"
    cotangents = projected(raw, other.args)
    exact = expected_of(case)
    assert agrees(got_from(of_active(case, cotangents), exact), exact, **TOLERANCES[precision])
    for cotangent, primal in zip(cotangents, other.args, strict=True):
        assert_fits(cotangent, primal, "cotangent")


FORMS = {
    "array": lambda dtype: np.array([0.3, 0.7, 0.6], dtype),
    "0-d": lambda dtype: np.array(0.3, dtype),
    "scalar": lambda dtype: np.dtype(dtype).type(0.3),
    "size one": lambda dtype: np.full((1, 1), 0.3, dtype),
    "empty": lambda dtype: np.zeros((0, 2), dtype),
    "reversed": lambda dtype: np.array([0.3, 0.7, 0.6], dtype)[::-1],
    "strided": lambda dtype: np.linspace(0.1, 0.8, 12).astype(dtype).reshape(3, 4)[:, ::2],
    "Fortran": lambda dtype: np.asfortranarray(np.linspace(0.1, 0.8, 6).astype(dtype).reshape(2, 3)),
}
FUNCTIONS = (np.sin, np.tanh, np.sqrt, np.square, np.arcsin, np.absolute, np.sum, np.mean, np.prod, np.cumsum, np.var)


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128])
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:Degrees of freedom", "ignore:invalid value")
def test_a_cotangent_has_the_kind_the_shape_and_the_dtype_of_its_primal(dtype, form, tier_name):
    x = FORMS[form](dtype)
    for function in FUNCTIONS:
        with oracle.tier(tier_name):
            value, back = pullback(function, x)
            (got,) = back(np.ones_like(value) if isinstance(value, np.ndarray) else type(value)(1))
        assert np.result_type(value) == np.result_type(function(x)), function
        assert type(got) is type(x) and got.dtype == x.dtype and got.shape == x.shape, (function, got)


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("other", [np.array([1, 2, 3]), np.array([True, True, True]), 2, True, np.int8(3)], ids=str)
@pytest.mark.parametrize("function", [np.multiply, np.add, np.power, np.hypot, np.maximum, np.divide])
def test_whole_numbers_and_truth_values_leave_the_precision_and_get_no_cotangent(function, other, tier_name):
    x = np.array([0.3, 0.7, 0.6], np.float32)
    expected = function(x, other)
    with oracle.tier(tier_name):
        (got,) = gradient(lambda x, y=other: np.sum(function(x, y)), x)
    assert got.dtype == np.float32 and got.shape == (3,) and is_differentiable(expected)


MANY = np.ones((5000, 2), np.float16)
SUMS = {
    "broadcasting": lambda b: MANY + b,
    "a number": lambda b: MANY[:, 0] * b[0],
    "repeated indices": lambda b: b[np.zeros(5000, int)],
    "broadcast_to": lambda b: np.broadcast_to(b, (5000, 2)),
    "tile": lambda b: np.tile(b, (5000, 1)),
    "take": lambda b: np.take(b, np.zeros(5000, int)),
}


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("spread", SUMS.values(), ids=list(SUMS))
def test_many_cotangents_in_half_precision_are_added_up_beyond_2048(spread, tier_name):
    with oracle.tier(tier_name):
        (got,) = gradient(lambda b: np.sum(spread(b).astype(np.float32)), np.zeros(2, np.float16))
    assert got.dtype == np.float16 and got[0] == 5000
