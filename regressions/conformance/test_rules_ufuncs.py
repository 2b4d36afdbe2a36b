"""Ufuncs with their keywords (out, where, dtype, casting, signature, order) and their methods, as programs."""

import numpy as np
import pytest

from engine import gradient
from engine.errors import ForeignCallError

from . import oracle
from .oracle import Program, check_gradient, check_second_order, on_every_tier

X = np.array([0.5, 1.5, 2.5])
Y = np.array([1.2, 0.4, 3.0])
M = np.array([[0.7, 1.9, 0.3], [1.1, 0.6, 2.3]])
MASK = np.array([True, False, True])
FOLDED = (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp,
    np.logaddexp2, np.hypot, np.arctan2, np.fmod, np.remainder, np.copysign, np.heaviside, np.nextafter,
)  # fmt: skip
"""Every binary ufunc of the namespace with a derivative."""


def program(function, *args, name="", **options):
    """A program with a name of its own, whose result is weighed so that no two elements look alike."""

    def run(*active):
        result = function(*active)
        return np.sum(result * np.reshape(np.arange(1.0, np.size(result) + 1), np.shape(result)))

    run.__name__ = name
    return Program(run, args, **options)


def in_a_buffer(write):
    """The function of two arrays that writes into a copy of the first."""

    def run(x, y):
        buffer = x * 1.0
        write(buffer, y)
        return buffer

    return run


KEYWORDS = {
    "out": lambda x, y: np.multiply(x, y, out=np.empty(3)),
    "out in its place": lambda x, y: np.multiply(x, y, np.empty(3)),
    "out in a tuple": lambda x, y: np.multiply(x, y, out=(np.empty(3),)),
    "out of a larger shape": lambda x, y: np.multiply(x, y, out=np.empty((2, 3))),
    "where": lambda x, y: np.multiply(x, y, out=np.ones(3), where=MASK),
    "where over an active array": lambda x, y: np.divide(x, y, out=x * y, where=MASK),
    "where broadcasts": lambda x, y: np.add(np.log(x), y, out=np.zeros((2, 3)), where=[[True], [False]]),
    "where all": lambda x, y: np.multiply(x, y, where=True),
    "where of numbers": lambda x, y: np.multiply(x[0], y[1], out=np.zeros(3), where=MASK),
    "where and several results": lambda x, y: np.modf(x * y, out=(np.zeros(3), np.zeros(3)), where=MASK)[0],
    "several results, out": lambda x, y: np.divmod(x, y, out=(np.empty(3), np.empty(3)))[1],
    "several results, one out": lambda x, y: np.divmod(x, y, out=(None, np.empty(3)))[1],
    "several results, out in their places": lambda x, y: np.modf(x * y, np.empty(3), np.empty(3))[0],
    "casting": lambda x, y: np.multiply(x, y, casting="no"),
    "order and subok": lambda x, y: np.multiply(x, y, order="F", subok=False),
    "signature": lambda x, y: np.multiply(x, y, signature="dd->d"),
    "dtype of whole numbers": lambda x, y: np.multiply(x, y) * np.add([1, 2, 3], 1, dtype=float),
}
METHODS = {
    "outer": lambda x, y: np.multiply.outer(x, y),
    "outer with out": lambda x, y: np.subtract.outer(x, y, out=np.empty((3, 3))),
    "reduceat": lambda x, y: np.add.reduceat(x * y, [0, 2, 1]),
    "reduceat along an axis": lambda x, y: np.multiply.reduceat(np.outer(x, y), [0, 1], axis=1),
    "reduce with out": lambda x, y: np.subtract.reduce(np.outer(x, y), out=np.empty(3)),
    "reduce with initial": lambda x, y: np.subtract.reduce(np.outer(x, y), axis=1, initial=1.5, keepdims=True),
    "reduce with where": lambda x, y: np.subtract.reduce(np.outer(x, y), axis=1, initial=1.5, where=MASK),
    "add.at": in_a_buffer(lambda a, y: np.add.at(a, [0, 0, 2], y)),
    "multiply.at": in_a_buffer(lambda a, y: np.multiply.at(a, [0, 0, 2], y)),
    "divide.at": in_a_buffer(lambda a, y: np.divide.at(a, slice(0, 2), y[1:])),
    "maximum.at": in_a_buffer(lambda a, y: np.maximum.at(a, [0, -1, 2], y)),
    "power.at with a number": in_a_buffer(lambda a, y: np.power.at(a, MASK, y[0])),
    "negative.at": in_a_buffer(lambda a, y: np.negative.at(a, [0, 0, 2])),
    "exp.at": in_a_buffer(lambda a, y: np.exp.at(a, [0, 0, 2])),
    "floor.at": in_a_buffer(lambda a, y: np.floor.at(a, [0])),
}
PROGRAMS = [program(f, X, Y, name=name) for name, f in (KEYWORDS | METHODS).items()]
FOLDS = [
    program(f, M, name=f"{ufunc.__name__} {name}", oblivious=ufunc is np.heaviside)
    for ufunc in FOLDED
    for name, f in (
        ("reduce", lambda x, ufunc=ufunc: ufunc.reduce(x)),
        ("accumulate", lambda x, ufunc=ufunc: ufunc.accumulate(x, 1)),
        ("reduceat", lambda x, ufunc=ufunc: ufunc.reduceat(x, [0, 2, 1], axis=1)),
        ("outer", lambda x, ufunc=ufunc: ufunc.outer(x[0], x)),
    )
]

test_gradient = on_every_tier(check_gradient, [*PROGRAMS, *FOLDS])
test_second_order = on_every_tier(check_second_order, PROGRAMS)


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
@pytest.mark.parametrize("tier_name", oracle.TIERS)
def test_what_where_leaves_out_is_not_looked_at(tier_name):
    """Neither the value, nor the derivative, nor a warning comes from what the mask covers (convention 4)."""
    x = np.array([0.0, 4.0, -1.0])

    def loss(x):
        return np.sum(np.sqrt(x, out=np.zeros(3), where=x > 0)) + np.sum(np.log(x * 1.0, where=x > 0))

    with oracle.tier(tier_name), np.errstate(all="raise"):
        (got,) = gradient(loss, x)
    np.testing.assert_array_equal(got, [0.0, 0.5, 0.0])


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize(
    "call, error",
    [
        (lambda x: np.add(x, 1.0, dtype=np.float32, casting="safe"), TypeError),
        (lambda x: np.add(x, 1.0, out=np.zeros(3, np.int64)), TypeError),
        (lambda x: np.add(x, 1.0, out=np.zeros(2)), ValueError),
        (lambda x: np.subtract.reduce(np.outer(x, x), axis=None), ValueError),
        (lambda x: np.add.reduceat(x, [0, 7]), IndexError),
        (lambda x: np.sin(x, where=[True, False], out=np.zeros(3)), ValueError),
        (lambda x: np.sin(x, nonsense=1), TypeError),
        (lambda x: np.sin(x, np.zeros(3), out=np.zeros(3)), TypeError),
        (lambda x: np.sin(x, np.zeros(3), np.zeros(3)), TypeError),
    ],
)
def test_what_numpy_refuses_is_refused_by_numpy(call, error, tier_name):
    with pytest.raises(error) as native:
        call(X)
    with oracle.tier(tier_name), pytest.raises(error) as traced:
        gradient(lambda x: np.sum(call(x * 1.0)), X)
    assert type(traced.value) is type(native.value)


@pytest.mark.parametrize("tier_name", oracle.TIERS)
def test_a_dtype_is_the_precision_of_the_loop_and_the_cotangent_comes_back_in_that_of_the_operand(tier_name):
    with oracle.tier(tier_name):
        (got,) = gradient(lambda x: np.sum(np.multiply(x, Y, dtype=np.float32)), X)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, Y.astype(np.float32).astype(float))


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("call", [np.less.outer, np.greater_equal.outer, np.floor_divide.outer, np.logical_and.outer])
def test_methods_of_what_has_no_derivative_have_none(call, tier_name):
    with oracle.tier(tier_name):
        (got,) = gradient(lambda x: np.sum(call(x, Y) * 1.0) + x[0], X)
    np.testing.assert_array_equal(got, [1.0, 0.0, 0.0])


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("reduction", [np.sum, np.prod, np.max, np.min])
def test_an_initial_value_that_carries_a_derivative_is_refused_by_name(reduction, tier_name):
    with oracle.tier(tier_name), pytest.raises(ForeignCallError, match="initial"):
        gradient(lambda c: reduction(X, initial=c), 2.0)


def test_every_ufunc_of_numpy_is_in_the_table():
    from engine.rules import is_constant, lookup

    ufuncs = {f for f in vars(np).values() if isinstance(f, np.ufunc)}
    assert not [f.__name__ for f in ufuncs if lookup(f) is None and not is_constant(f)]
    binary = {f for f in ufuncs if f.nin == 2 and f.nout == 1 and f.signature is None and lookup(f) is not None}
    assert binary <= {*FOLDED, np.ldexp, np.float_power}, "a binary ufunc whose methods are not tested"
