"""The shortest way to an instance, and the quick test of its gradient: neither may pass what the slow way would not."""

import math
import threading

import numpy as np
import pytest

import engine
from engine import rules
from engine.rules.registry import scope
from engine.tangents import has_nan
from engine.typed.core import Const, Pack, Var
from engine.typed.doubts import Doubt, has_zeros
from engine.typed.types import FLOAT, Array, Seq

VECTOR, MATRIX, FLOATS = Array(np.dtype(float), ("n",)), Array(np.dtype(float), ("n", "n")), Seq(FLOAT)
GRADIENTS = [
    (FLOAT, [1.0, -2.0, 0.0, -0.0, math.nan, math.inf, 1e-320]),
    (VECTOR, [np.ones(3), np.zeros(3), np.array([0.0, 1.0]), np.array([np.inf, 1.0, np.nan]), np.full(2, 1e-200)]),
    (VECTOR, [np.array([]), np.array([-np.inf, np.inf]), np.array([1e300, 1e300]), np.arange(6.0)[::2]]),
    (MATRIX, [np.ones((2, 3)).T, np.full((2, 2), np.nan), np.eye(2)[:, 1:], np.zeros((0, 2))]),
    (FLOATS, [[1.0, 2.0], [], [1.0, 0.0], [math.inf, -math.inf], [math.nan, 1.0], [1.0, -1.0]]),
    (Array(np.dtype(complex), ("n",)), [np.array([1j, -1j]), np.array([1, 1j]), np.array([complex(0, math.nan)])]),
]


@pytest.mark.parametrize(("type_", "value"), [(type_, value) for type_, values in GRADIENTS for value in values])
def test_what_is_in_doubt_is_suspected(type_, value):
    gradients = Pack(tuple, (Pack(tuple, (Var(FLOAT), Var(type_))), Const(None)))
    given = ((1.0, value), None)
    with np.errstate(all="ignore"):
        assert Doubt(gradients, True, False).suspects(given) >= has_nan(given)
        assert Doubt(gradients, True, True).suspects(given) >= (has_nan(given) or has_zeros(given))
    assert Doubt(gradients, False, True).suspects(given) >= has_zeros(given)
    assert not Doubt(gradients, False, False).suspects(given)


@pytest.mark.parametrize("value", [1.0, np.array([0.0, 1.0]), [3.0, 2.0]])
def test_what_is_usual_is_not_suspected(value):
    type_ = {float: FLOAT, np.ndarray: VECTOR, list: FLOATS}[type(value)]
    assert not Doubt(Pack(tuple, (Var(type_),)), True, True).suspects((value,))


def rectified(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))


@pytest.mark.parametrize("how", [{"divide": "warn"}, {"all": "ignore"}])
def test_the_user_s_handling_of_floating_point_errors_is_left_as_it_was(how):
    with np.errstate(**how):
        before = np.geterr()
        for x in (np.array([1.0, 4.0]), np.array([1.0, 0.0])):  # the other tier answers the second
            engine.gradient(rectified, x)
            assert np.geterr() == before
            engine.pullback(rectified, x)[1](1.0)
            assert np.geterr() == before


def steep(x):
    return np.sum(np.where(x > 0, 1e200 * x, 0.0))


def test_a_gradient_whose_square_overflows_is_no_warning():
    x = np.array([1.0, 4.0])
    for _ in range(2):
        assert np.array_equal(engine.gradient(steep, x)[0], [1e200, 1e200])
        assert np.array_equal(engine.pullback(steep, x)[1](1.0)[0], [1e200, 1e200])


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def scale(self, x=3.0):
        return self.factor * x


def test_a_method_is_not_taken_for_its_function():
    scaled = Scaled(2.0)
    for _ in range(3):
        assert engine.gradient(Scaled.scale, scaled, 5.0)[1] == 2.0
        assert engine.gradient(scaled.scale, 5.0) == (2.0,)
        assert engine.gradient(scaled.scale, x=5.0) == ()


def product(x, y=2.0, *, z=1.0):
    return x * y * z


def test_each_way_to_call_a_function_has_its_own_gradient():
    for _ in range(3):
        assert engine.gradient(product, 3.0) == (2.0,)
        assert engine.gradient(product, 3.0, 5.0) == (5.0, 3.0)
        assert engine.gradient(product, 3.0, y=5.0) == (5.0,)
        assert engine.gradient(product, 3.0, z=5.0) == (10.0,)
        assert engine.gradient(product, 3.0, z=np.float64(5.0)) == (10.0,)
        with pytest.raises(engine.ArgumentError, match=r"write 3\.0"):
            engine.gradient(product, 3)
        with pytest.raises(TypeError, match="unexpected keyword"):
            engine.gradient(product, 3.0, w=5.0)


def through_gradient(x):
    return engine.gradient(product, x, x)[0] * x


def test_an_instance_that_is_there_is_not_used_where_the_argument_is_traced():
    engine.gradient(product, 3.0, 5.0)
    engine.gradient(product, 3.0, 5.0)
    with engine.switches.off("typed"):
        assert engine.gradient(through_gradient, 3.0) == (6.0,)
    assert engine.gradient(through_gradient, 3.0) == (6.0,)


def cubed(x):
    return x**3


def of_cubed(x):
    return cubed(x)


def test_a_rule_that_comes_or_goes_is_seen_by_an_instance_that_is_there():
    for _ in range(2):
        assert engine.gradient(of_cubed, 2.0) == (12.0,)
    with scope():
        engine.rule(cubed, x=lambda d, out, x: d * 7.0)
        for _ in range(2):
            assert engine.gradient(of_cubed, 2.0) == (7.0,)
    assert engine.gradient(of_cubed, 2.0) == (12.0,)


def test_another_thread_may_change_the_rules_meanwhile():
    wrong = []

    def ask():
        for _ in range(200):
            if engine.gradient(of_cubed, 2.0) != (12.0,):
                wrong.append(1)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        rules.generation.bump()
    for thread in threads:
        thread.join()
    assert not wrong
