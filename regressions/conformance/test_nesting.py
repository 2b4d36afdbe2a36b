"""Derivatives of derivatives: levels that must not be confused, every mode inside every other, training loops."""

import math

import numpy as np
import pytest

from engine import (
    checkpoint,
    constant,
    grad,
    gradient,
    hessian,
    hvp,
    jacobian,
    jvp,
    pullback,
    rule,
    stop_gradient,
    value_and_grad,
    value_and_gradient,
    vjp,
)

from .oracle import STEP, TIERS, difference, tier


@pytest.fixture(params=TIERS, autouse=True)
def every_tier(request):
    with tier(request.param):
        yield


def close(got, expected, tolerance=1e-12):
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def forward(f):
    """The derivative of a scalar function by one pushforward."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def reverse(f):
    """The derivative of a scalar function by one pullback."""
    return lambda x: gradient(f, x)[0]


def by_pullback(f):
    """The derivative through the pair form."""

    def df(x):
        _, back = pullback(f, x)
        return back(1.0)[0]

    return df


MODES = {"forward": forward, "reverse": reverse, "pullback": by_pullback, "grad": grad}
both_modes = pytest.mark.parametrize("outer", MODES)
two_modes = pytest.mark.parametrize("inner", MODES)


# -- perturbation confusion --------------------------------------------------------------------------------------------


@both_modes
@two_modes
def test_inner_derivative_with_respect_to_another_variable(outer, inner):
    """d/dx [x * d/dy (x + y)] = 1; confusing the levels gives 2."""
    outer, inner = MODES[outer], MODES[inner]
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0


@both_modes
@two_modes
def test_inner_derivative_at_the_outer_variable(outer, inner):
    """d/dx [x * d/dy (x y) at y = x] = d/dx x^2 = 2x."""
    outer, inner = MODES[outer], MODES[inner]
    assert outer(lambda x: x * inner(lambda y: x * y)(x))(3.0) == 6.0


@both_modes
@two_modes
def test_inner_derivative_of_a_product_of_levels(outer, inner):
    """d/dx [d/dy (x^2 y^3) at y = x] = d/dx 3 x^4 = 12 x^3."""
    outer, inner = MODES[outer], MODES[inner]
    close(outer(lambda x: inner(lambda y: x * x * y**3)(x))(2.0), 96.0)


@both_modes
@two_modes
def test_second_derivative_in_every_pair_of_modes(outer, inner):
    def f(x):
        y = x
        for _ in range(3):
            y = math.sin(y) * x
        return y

    df = MODES[inner](f)
    expected = difference(lambda t: difference(lambda s: f(0.7 + t + s)), STEP)
    close(MODES[outer](df)(0.7), expected, 1e-7)


def test_closure_returned_by_a_derivative_is_of_its_level():
    """The curried form: the inner function escapes the inner derivative and is applied outside it."""

    def shift(offset):
        return lambda g: lambda z: g(z + offset)

    def f(x):
        return reverse(lambda y: shift(x)(lambda z: z * z * y)(1.0))(2.0)

    close(reverse(f)(3.0), 8.0)


def test_same_function_at_two_levels():
    def f(x):
        return x * x * x

    assert reverse(lambda x: f(x) * reverse(f)(x))(1.0) == 3.0 * 3.0 + 6.0


def test_stored_value_of_the_outer_level_is_constant_inside():
    def outer(x):
        held = {"x": x}
        (g,) = gradient(lambda y: held["x"] * y * y, 5.0)
        return g * x

    assert gradient(outer, 3.0) == (60.0,)


def test_inner_writes_an_outer_cell():
    def outer(x):
        seen = []

        def inner(y):
            seen.append(y * x)
            return y * y * x

        (g,) = gradient(inner, x)
        return g + seen[0]

    # g = 2 x^2, seen = x^2
    assert gradient(outer, 3.0) == (18.0,)


def test_inner_rebinds_an_outer_variable():
    def outer(x):
        total = 0.0

        def inner(y):
            nonlocal total
            total = total + y * x
            return total * y

        (g,) = gradient(inner, x)
        return g * total

    # inner: (0 + y x) y, d/dy at y = x: 2 x^2; total = x^2: the product 2 x^4
    assert gradient(outer, 2.0) == (64.0,)


def test_inner_writes_an_outer_array():
    def outer(x):
        buffer = x * 1.0

        def inner(y):
            buffer[0] = y[1] * y[1]
            return (buffer * y).sum()

        (g,) = gradient(inner, x)
        return (g * buffer).sum()

    def by_hand(x):
        y0, y1 = x
        # buffer after: [y1^2, x1]; inner = y1^2 y0 + x1 y1 with x1 constant
        g = [y1 * y1, 2 * y1 * y0 + y1]
        return g[0] * y1 * y1 + g[1] * y1

    x = np.array([0.5, 2.0])
    expected = [difference(lambda t, e=e: by_hand(x + t * e)) for e in np.eye(2)]
    close(gradient(outer, x)[0], expected, 1e-9)


def test_old_values_are_saved_for_every_level_before_the_write():
    """exp(x) is overwritten: the second derivative needs its old value at both levels (8.155 at 1, not e)."""

    def f(x):
        y = np.exp(x)
        z = y * x
        y[:] = 0
        return z.sum() + y.sum()

    x = np.array([1.0])
    (h,) = gradient(lambda x: gradient(f, x)[0].sum(), x)
    close(h, 3 * np.e)


# -- higher orders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("mode", ["reverse", "forward", "grad"])
def test_order(order, mode):
    def f(x):
        return x**5

    df = f
    for _ in range(order):
        df = MODES[mode](df)
    close(df(1.5), math.perm(5, order) * 1.5 ** (5 - order), 1e-10)


def test_third_order_of_a_loop_with_mutation():
    def f(x):
        values = [x]
        for i in range(3):
            values.append(values[-1] * x + i)
            values[0] = values[0] * 1.0
        return values[-1]

    # x^4 + 0 x^2 + x + 2
    close(grad(grad(grad(f)))(1.5), 24 * 1.5)


def test_hessian_of_a_training_step():
    """The gradient with respect to the learning rate, through updates in place."""
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])
    y = np.array([1.0, 0.0, -1.0])

    def loss(w):
        return ((x @ w - y) ** 2).mean()

    def trained(rate):
        w = np.array([0.1, -0.2])
        for _ in range(4):
            (g,) = gradient(loss, w)
            w -= rate * g
        return loss(w)

    def plain(rate):
        w = np.array([0.1, -0.2])
        for _ in range(4):
            w = w - rate * (2 / 3) * x.T @ (x @ w - y)
        return ((x @ w - y) ** 2).mean()

    close(gradient(trained, 0.05)[0], difference(lambda t: plain(0.05 + t)), 1e-8)
    close(trained(0.05), plain(0.05))
    close(grad(grad(trained))(0.05), difference(lambda t: difference(lambda s: plain(0.05 + t + s))), 1e-6)


def test_training_loop_over_a_dict_of_parameters_and_a_list_of_losses():
    def model(p, x):
        return math.tanh(p["w"] * x + p["b"])

    def train(start):
        p, losses = {"w": start, "b": 0.0}, []
        for x, y in [(0.5, 1.0), (1.0, -0.5), (-0.3, 0.2)]:
            value, (g,) = value_and_gradient(lambda p, x=x, y=y: (model(p, x) - y) ** 2, p)
            losses.append(value)
            for name in p:
                p[name] = p[name] - 0.1 * g[name]
        return sum(losses) + p["w"] * p["b"]

    def plain(start):
        w, b, total = start, 0.0, 0.0
        for x, y in [(0.5, 1.0), (1.0, -0.5), (-0.3, 0.2)]:
            t = math.tanh(w * x + b)
            total += (t - y) ** 2
            slope = 2 * (t - y) * (1 - t * t)
            w, b = w - 0.1 * slope * x, b - 0.1 * slope
        return total + w * b

    assert train(0.7) == pytest.approx(plain(0.7), rel=1e-14)
    close(gradient(train, 0.7)[0], difference(lambda t: plain(0.7 + t)), 1e-9)


def test_momentum_with_state_in_an_object():
    class Optimizer:
        def __init__(self, rate):
            self.rate, self.velocity = rate, 0.0

        def step(self, w, g):
            self.velocity = 0.9 * self.velocity - self.rate * g
            return w + self.velocity

    def trained(rate):
        optimizer, w = Optimizer(rate), 1.0
        for _ in range(5):
            (g,) = gradient(lambda w: w**4 * 0.25, w)
            w = optimizer.step(w, g)
        return w

    def plain(rate):
        v, w = 0.0, 1.0
        for _ in range(5):
            v = 0.9 * v - rate * w**3
            w = w + v
        return w

    close(gradient(trained, 0.1)[0], difference(lambda t: plain(0.1 + t)), 1e-9)


def test_newton_with_inner_derivatives_in_a_while_loop():
    def root(a):
        x = 1.0
        while True:
            value, slope = value_and_grad(lambda x: x**3 - a)(x)
            if abs(value) < 1e-13:
                return x
            x = x - value / slope

    close(gradient(root, 2.0)[0], 2.0 ** (-2 / 3) / 3, 1e-10)


# -- across modes and operators ----------------------------------------------------------------------------------------


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def rosenbrock_hessian(x):
    h = np.zeros((3, 3))
    for i in range(2):
        h[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        h[i, i + 1] = h[i + 1, i] = -400 * x[i]
        h[i + 1, i + 1] += 200
    return h


X = np.array([0.5, -0.3, 1.2])


def test_hessian_in_every_way():
    expected = rosenbrock_hessian(X)
    close(hessian(rosenbrock)(X), expected, 1e-10)
    close(jacobian(grad(rosenbrock))(X), expected, 1e-10)
    for i, e in enumerate(np.eye(3)):
        close(hvp(rosenbrock, X, e), expected[i], 1e-10)
        close(jvp(grad(rosenbrock), (X,), (e,))[1], expected[i], 1e-10)
        close(grad(lambda x, e=e: jvp(rosenbrock, (x,), (e,))[1])(X), expected[i], 1e-10)
        close(grad(lambda x, e=e: (grad(rosenbrock)(x) * e).sum())(X), expected[i], 1e-10)
        close(vjp(grad(rosenbrock), X)[1](e)[0], expected[i], 1e-10)


def test_gradient_of_a_jacobian_and_of_a_hessian():
    def f(x):
        return np.array([x[0] * x[1] ** 2, np.sin(x[1])])

    def loss(x):
        return (jacobian(f)(x) ** 2).sum()

    x = np.array([0.5, 1.2])
    # J = [[b^2, 2ab], [0, cos b]]: b^4 + 4 a^2 b^2 + cos^2 b
    a, b = x
    close(gradient(loss, x)[0], [8 * a * b * b, 4 * b**3 + 8 * a * a * b - math.sin(2 * b)], 1e-10)
    (g,) = gradient(lambda x: np.trace(hessian(lambda x: (x**4).sum())(x)), x)
    close(g, 24 * x, 1e-10)


def test_jacobian_of_a_pullback():
    def f(x):
        _, back = pullback(lambda x: x * x * x, x)
        (g,) = back(np.array([1.0, 2.0]))
        return g

    x = np.array([0.5, 2.0])
    close(jacobian(f)(x), np.diag(6 * x * np.array([1.0, 2.0])))


def test_derivative_with_respect_to_the_seed():
    def f(s, x):
        _, back = pullback(lambda x: x * x, x)
        return back(s)[0]

    g, h = gradient(f, 5.0, 3.0)
    assert (g, h) == (6.0, 10.0)


def test_pullback_made_inside_and_called_outside():
    """A pullback may leave the level that made it."""

    def f(x):
        _, back = pullback(lambda y: y * y * x, x)
        kept.append(back)
        return back(1.0)[0] + back(2.0)[0]

    kept = []
    # (1 + 2) * 2 x^2
    assert gradient(f, 3.0) == (36.0,)
    assert kept[0](1.0) == (18.0,)


def test_two_pullbacks_in_any_order():
    def f(x):
        u, first = pullback(math.sin, x)
        v, second = pullback(lambda u: u * u, u)
        (d,) = second(1.0)
        return first(d)[0]

    # d/dx sin(x)^2 = sin 2x; its derivative is 2 cos 2x
    close(gradient(f, 0.7)[0], 2 * math.cos(1.4))


def test_physics_informed_residual():
    """Second derivative in time inside, gradient in the parameters outside."""

    def u(p, t):
        return p[0] * math.sin(p[1] * t)

    def residual(p):
        total = 0.0
        for t in (0.3, 0.9):
            acceleration = grad(grad(lambda t: u(p, t)))(t)
            total += (acceleration + u(p, t)) ** 2
        return total

    def plain(a, w):
        return sum((a * (1 - w * w) * math.sin(w * t)) ** 2 for t in (0.3, 0.9))

    g = gradient(residual, [1.5, 0.7])[0]
    close(g[0], difference(lambda s: plain(1.5 + s, 0.7)), 1e-9)
    close(g[1], difference(lambda s: plain(1.5, 0.7 + s)), 1e-9)


def test_stop_gradient_at_one_level():
    """A value stopped is stopped for every level that is open."""

    def f(x):
        inner = grad(lambda y: y * y * stop_gradient(x))(x)
        return inner * x

    # inner = 2 x s, s stopped: d (2 x^2 s) = 4 x s
    assert grad(f)(3.0) == 36.0


def test_rules_and_checkpoints_inside_nested_derivatives():
    def softplus(x):
        return math.log1p(math.exp(x))

    rule(softplus, x=lambda d, out, x: d / (1 + math.exp(-x)))

    @checkpoint
    def block(x):
        return softplus(x) * x

    def sign(x):
        return 1.0 if x > 0 else -1.0

    constant(sign)

    def f(x):
        return block(x) * sign(x)

    def plain(x):
        return math.log1p(math.exp(x)) * x

    close(grad(f)(0.7), difference(lambda t: plain(0.7 + t)), 1e-9)
    close(grad(grad(f))(0.7), difference(lambda t: difference(lambda s: plain(0.7 + t + s))), 1e-7)


def test_exception_leaves_no_level_open():
    """A derivative that fails inside another, caught there, disturbs nothing."""

    def f(x):
        try:
            gradient(lambda y: y * x * {}["missing"], x)
        except KeyError:
            x = x * x
        try:
            jvp(lambda y: [y][5], (x,), (1.0,))
        except IndexError:
            x = x * 2.0
        return x * gradient(lambda y: y * x, 1.0)[0]

    # (2 x^2)^2
    assert gradient(f, 1.5) == (16 * 1.5**3,)
    assert gradient(lambda x: x * x, 3.0) == (6.0,)


def test_gradient_of_a_function_of_gradients_of_several_functions():
    def f(x):
        fs = [math.sin, math.exp, lambda v: v**3, np.tanh]
        return sum(gradient(g, x)[0] * (i + 1) for i, g in enumerate(fs))

    x = 0.7
    expected = -math.sin(x) + 2 * math.exp(x) + 18 * x - 8 * math.tanh(x) * (1 - math.tanh(x) ** 2)
    close(gradient(f, x)[0], expected)


def test_value_and_gradient_used_together():
    def f(x):
        value, (g,) = value_and_gradient(lambda y: y**3, x)
        return value * g

    # x^3 * 3 x^2 -> 15 x^4
    close(gradient(f, 1.5)[0], 15 * 1.5**4)


def test_tangent_objects_and_structures_are_data_of_the_outer_level():
    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

    def energy(p):
        return p.x**3 * p.y

    def f(a):
        (g,) = gradient(energy, Point(a, 2.0 * a))
        return g.x + g.y

    # 3 a^2 2a + a^3 = 7 a^3
    close(gradient(f, 1.5)[0], 21 * 1.5**2)


def test_none_of_an_inner_gradient_is_data():
    def f(x):
        g, h = gradient(lambda a, b: a * a, x, x)
        return g * x if h is None else 0.0

    assert gradient(f, 3.0) == (12.0,)


# -- ties at second order: minimum and maximum together are a sort, as smooth as what is done with its results ---------

TIED = np.array([1.0, 1.0])


def lowest_and_highest(low, high):
    return low**2 * high + high**2 * low + np.exp(low * high)


SORTED = {
    "elementwise": lambda u: lowest_and_highest(np.minimum(u[0], u[1]), np.maximum(u[0], u[1])),
    "fmin and fmax": lambda u: lowest_and_highest(np.fmin(u[0], u[1]), np.fmax(u[0], u[1])),
    "reductions": lambda u: lowest_and_highest(np.min(u), np.max(u)),
    "over an axis": lambda u: np.sum(lowest_and_highest(np.min(u[:, None], axis=0), np.max(u[:, None], axis=0))),
    "sort": lambda u: lowest_and_highest(np.sort(u)[0], np.sort(u)[1]),
}


@pytest.mark.parametrize("f", SORTED.values(), ids=SORTED)
def test_symmetric_function_of_what_ties_is_smooth_at_every_order(f):
    def smooth(u):
        return lowest_and_highest(u[0], u[1])

    slope, curvature = grad(smooth)(TIED), hessian(smooth)(TIED)
    v = np.array([1.0, -3.0])
    assert np.allclose(grad(f)(TIED), slope)
    assert np.allclose(hessian(f)(TIED), curvature)
    assert np.allclose(hvp(f, TIED, v), curvature @ v)
    assert np.allclose(grad(lambda u: jvp(f, (u,), (v,))[1])(TIED), curvature @ v)
    assert np.allclose(jvp(lambda u: jvp(f, (u,), (v,))[1], (TIED,), (v,))[1], v @ curvature @ v)
    assert np.allclose(gradient(lambda u: np.sum(gradient(f, u)[0] * v), TIED)[0], curvature @ v)
    third = grad(lambda u: v @ hvp(smooth, u, v))(TIED)
    assert np.allclose(grad(lambda u: v @ hvp(f, u, v))(TIED), third)


def test_value_of_a_derivative_at_a_kink_is_the_same_where_it_is_differentiated():
    def slope(x):
        return gradient(lambda y: np.maximum(y, 0.0), x)[0]

    assert slope(0.0) == 0.5
    assert value_and_gradient(lambda x: slope(x) + x, 0.0) == (0.5, (1.0,))
    assert value_and_gradient(lambda x: jacobian(np.max)(x)[1] * x[0], TIED)[0] == 0.5


def imaginary_part_of_what_was_written(x):
    z = x * 1j
    z[0] = 2.0
    return np.sum(z.imag**2)


def parts_written_apart(x):
    z = np.zeros(3, complex)
    z.real[1:] = x[:-1]
    z.imag[:-1] = x[1:] * x[1:]
    return np.sum(np.abs(z) ** 2 * x)


@pytest.mark.parametrize("f", [imaginary_part_of_what_was_written, parts_written_apart])
def test_parts_of_a_written_complex_array_move(f):
    x, v = np.array([0.3, -0.7, 0.5]), np.array([1.0, 0.5, -0.3])
    slope = difference(lambda t: f(x + t * v), 1e-3)
    curvature = difference(lambda t: v @ grad(f)(x + t * v), 1e-3)
    assert np.allclose(jvp(f, (x,), (v,))[1], slope)
    assert np.allclose(v @ hvp(f, x, v), curvature)
    assert np.allclose(v @ hessian(f)(x) @ v, curvature)
