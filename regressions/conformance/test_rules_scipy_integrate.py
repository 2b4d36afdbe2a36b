"""Rules of scipy.integrate for functions: the limits and the parameters of an integral, by Leibniz' rule."""

import math

import mpmath
import numpy as np
import pytest
from scipy import integrate as si

from engine import ForeignCallError, grad, gradient, hessian, hvp, jvp, value_and_gradient
from engine.errors import DifferentiationError
from engine.rules.scipy import integrals

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import row, row_tests

RNG = np.random.default_rng(83)
SAMPLES, TIMES = RNG.uniform(-1, 1, (2, 5)), np.cumsum(RNG.uniform(0.3, 1, 5))

ROWS = (
    [
        *[row(si.cumulative_simpson, y, x=x, axis=axis) for y, x, axis in (
            (SAMPLES, None, -1), (SAMPLES[:, :4], None, 1), (SAMPLES, None, 0), (SAMPLES, TIMES, -1),
            (SAMPLES[0, :3], TIMES[:3], -1), (SAMPLES, TIMES * np.array([[1.0], [2.0]]), 1),
        )],
        row(si.cumulative_simpson, SAMPLES, dx=0.3, initial=2.0),
        row(si.cumulative_simpson, SAMPLES, dx=np.array([[0.3], [0.7]]), initial=np.array([[2.0], [1.0]])),
    ]
    if hasattr(si, "cumulative_simpson")
    else []
)  # fmt: skip

_, test_composition, _, test_gradient_of_row, test_second_order_of_row = row_tests(ROWS)

PROGRAMS = Table()


@PROGRAMS.at(0.2, 1.3, 0.7)
def limits_and_a_parameter_in_args(a, b, t):
    return si.quad(lambda x, t: math.exp(-t * x * x), a, b, args=(t,))[0]


@PROGRAMS.at(1.3, np.array([0.7, 0.4]))
def a_closure_over_an_array(b, w):
    return si.quad(lambda x: np.sum(np.exp(-w * x) * w), 2 * b, w[0])[0] ** 2


@PROGRAMS.at(0.7)
def a_function_of_a_function(t):
    def density(x):
        return shifted(x) ** 2

    def shifted(x):
        return np.cos(x - t)

    value, error = si.quad(density, 0, t)
    return value


class Gaussian:
    def __init__(self, width):
        self.width = width

    def __call__(self, x):
        return np.exp(-((x / self.width) ** 2))

    def tail(self, x):
        return self(x) * x


@PROGRAMS.at(0.8)
def an_object_and_its_method(width):
    g = Gaussian(width)
    return si.quad(g, 0, 1)[0] * si.quad(g.tail, 0, 2)[0]


@PROGRAMS.at(1.0, 0.8)
def endless_ranges(a, t):
    both = si.quad(lambda x: np.exp(-t * x * x), -np.inf, np.inf)[0]
    upper = si.quad(lambda x: np.exp(-t * x), a, np.inf)[0]
    lower = si.quad(lambda x: np.exp(t * x), -np.inf, a)[0]
    return both * upper + lower + si.quad(lambda x: np.exp(-t * x), np.inf, a)[0]


@PROGRAMS.at(0.9, 0.3)
def limits_turned_round_and_points(b, t):
    return si.quad(lambda x: np.sin(t * x), b, -1.0, points=[0.0, 0.5])[0] * si.quad(np.cos, b, b)[0] + si.quad(
        lambda x: t * np.abs(x), b, -1.0, points=[0.0]
    )[0]  # fmt: skip


@PROGRAMS.at(0.4)
def the_other_results_are_there(t):
    value, error, info = si.quad(lambda x: t * x, 0, 1, full_output=1)
    return value * info["neval"]


@PROGRAMS.at(0.4, 1.1)
def complex_integrand(t, b):
    return np.abs(si.quad(lambda x: np.exp(1j * t * x), 0, b, complex_func=True)[0]) ** 2


@PROGRAMS.at(np.array([0.4, 0.7]), 1.1)
def an_integrand_of_vectors(w, b):
    value, error = si.quad_vec(lambda x, s: np.sin(w * x) * s, 0, b, args=(b,))
    return np.sum(value * np.array([1.0, 3.0]))


@PROGRAMS.at(1.3, 0.3)
def an_area_with_a_curved_border(a, t):
    return si.dblquad(lambda y, x: np.exp(-t * x * y), 0, a, 0.1, lambda x: a + x * t)[0]


@PROGRAMS.at(1.3, 0.3)
def several_variables(a, t):
    return si.nquad(lambda x, y, s: np.cos(s * x) * y, [lambda y, s: (0, y * s), (0, a)], args=(t,))[0]


@PROGRAMS.at(0.2, 1.3, 0.7)
def gauss(a, b, t):
    return si.fixed_quad(lambda x, t: np.exp(-t * x * x), a, b, args=(t,), n=3)[0]


test_program, test_gradient, test_pullback_of_program, test_pushforward, test_second_order = checks_of(PROGRAMS)


def test_the_rule_of_kronrod():
    """R. Piessens and others, QUADPACK, 1983: the first place and weight of QK21, and the weight of the middle."""
    np.testing.assert_allclose(integrals.PLACES[-1], 0.995657163025808080735527280689003, rtol=1e-14)
    np.testing.assert_allclose(integrals.KRONROD[-1], 0.011694638867371874278064396062192, rtol=1e-12)
    np.testing.assert_allclose(integrals.KRONROD[10], 0.149445554002916905664936468389821, rtol=1e-13)
    for degree in range(0, 32, 2):
        powers = np.array(integrals.PLACES) ** degree
        np.testing.assert_allclose(np.dot(integrals.KRONROD, powers), 2 / (degree + 1), rtol=1e-13)
        if degree < 20:
            np.testing.assert_allclose(np.dot(integrals.GAUSS, powers), 2 / (degree + 1), rtol=1e-13)


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_value_is_scipys(tier_name):
    def f(t):
        return si.quad(lambda x: np.sqrt(x) * t, 0, 1)[0]

    with tier(tier_name):
        assert value_and_gradient(f, 0.7)[0] == f(0.7)


@pytest.mark.parametrize("power", [-0.5, -0.8, 0.5])
def test_a_singular_end(power):
    """∫ x^t dx from 0 to 1 is 1/(t + 1)."""
    (slope,) = gradient(lambda t: si.quad(lambda x: x**t, 0, 1)[0], power)
    np.testing.assert_allclose(slope, -1 / (1 + power) ** 2, rtol=1e-10)


def test_jumps_at_places_that_stand_still():
    def up_to(b):
        return si.quad(lambda x: 1.0 if x < 0.3 else 0.0, 0, b, points=[0.3])[0]

    assert gradient(up_to, 0.2) == (1.0,) and gradient(up_to, 0.5) == (0.0,)


ROUGH = {
    "kink": (lambda t: si.quad(lambda x: abs(x - t), 0, 1)[0], 0.3, -0.4),
    "kink where a half would be cut": (lambda t: si.quad(lambda x: abs(x - t), 0, 3)[0], 1.5, 0.0),
    "kink at points": (lambda t: si.quad(lambda x: abs(x - t), 0, 1, points=[t])[0], 0.3, -0.4),
    "cut off": (lambda t: si.quad(lambda x: max(x - t, 0.0), 0, 3)[0], 1.1, -1.9),
    "root": (lambda t: si.quad(lambda x: np.sqrt(abs(x - t)), 0, 3)[0], 0.8, math.sqrt(0.8) - math.sqrt(2.2)),
    "endless": (lambda t: si.quad(lambda x: np.exp(-t * abs(x)), -np.inf, np.inf)[0], 1.3, -2 / 1.69),
}


@pytest.mark.parametrize(("f", "t", "expected"), ROUGH.values(), ids=ROUGH)
def test_kinks_and_roots_that_move(f, t, expected):
    np.testing.assert_allclose(gradient(f, t)[0], expected, atol=1e-7)


JUMPS = {
    "jump": (lambda t: si.quad(lambda x: 1.0 if x < t else 0.0, 0, 3)[0], 1.3),
    "where a half would be cut": (lambda t: si.quad(lambda x: np.where(x < t, x * x, 0.0), 0, 3)[0], 1.5),
    "at zero": (lambda t: si.quad(lambda x: 1.0 if x < t else 0.0, -2, 3)[0], 0.0),
    "at points": (lambda t: si.quad(lambda x: 1.0 if x < t else 0.0, 0, 3, points=[t])[0], 1.3),
    "at a limit": (lambda t: si.quad(lambda x: 1.0 if x < t else 0.0, 0, t)[0], 1.3),
    "endless": (lambda t: si.quad(lambda x: np.exp(-x) if x > t else 0.0, 0, np.inf)[0], 0.5),
    "pole": (lambda t: si.quad(lambda x: np.log(abs(x - t)), 0, 3)[0], 1.1),
    "vectors": (lambda t: np.sum(si.quad_vec(lambda x: np.where(x < t, 1.0, np.array([0.0, 2.0])), 0, 3)[0]), 1.3),
    "area": (lambda t: si.dblquad(lambda y, x: 1.0 if x + y < t else 0.0, 0, 1, 0, 1)[0], 0.7),
}


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")  # SciPy sees that some are hard
@pytest.mark.parametrize(("f", "t"), JUMPS.values(), ids=JUMPS)
def test_jumps_and_poles_that_may_move_are_refused(f, t):
    with pytest.raises(DifferentiationError, match=r"(a jump or a pole near|the integrand jumps).*\n?.*Way out"):
        gradient(f, t)


TWICE = {
    "grad of grad": lambda f, t: grad(grad(f))(t),
    "hessian": lambda f, t: hessian(f)(t),
    "hvp": lambda f, t: hvp(f, t, 1.0),
    "jvp of jvp": lambda f, t: jvp(lambda u: jvp(f, (u,), (1.0,))[1], (t,), (1.0,)),
    "jvp of grad": lambda f, t: jvp(grad(f), (t,), (1.0,)),
}


@pytest.mark.parametrize("twice", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("name", ["kink", "kink at points", "cut off", "root"])
def test_kinks_are_refused_at_second_order(name, twice):
    f, t, _ = ROUGH[name]
    with pytest.raises(DifferentiationError, match="a kink, a jump or a pole near"):
        twice(f, t)


def test_third_derivatives():
    """Of ∫ exp(t x) from 0 to b, by b, b and t, in every order: ∂t f' = (1 + bt) exp(bt)."""

    def f(b, t):
        return si.quad(lambda x: np.exp(t * x), 0, b)[0]

    b, t = 0.8, 0.6
    for order in ((0, 0, 1), (0, 1, 0), (1, 0, 0)):
        g = f
        for argnum in order:
            g = grad(g, argnum)
        np.testing.assert_allclose(g(b, t), (1 + b * t) * math.exp(b * t), rtol=1e-12)
    exact = mpmath.diff(lambda t: mpmath.quad(lambda x: mpmath.exp(t * x), [0, b]), t, 3)
    np.testing.assert_allclose(grad(grad(grad(f, 1), 1), 1)(b, t), float(exact), rtol=1e-10)


def test_the_integral_of_a_derivative():
    """d/dt ∫ ∂g/∂x dx from 0 to 1, for g = sin(t x): cos(t)."""

    def total(t):
        return si.quad(lambda x: grad(lambda x: np.sin(t * x))(x), 0, 1)[0]

    np.testing.assert_allclose(gradient(total, 0.7)[0], math.cos(0.7), rtol=1e-13)


def test_a_volume():
    """∫ t x + y z over x in [0, 1], y in [0, a], z in [0, x + a]: t a (1/3 + a/2) + a² (1/3 + a + a²) / 4."""

    def volume(a, t):
        return si.tplquad(lambda z, y, x: t * x + y * z, 0, 1, 0, lambda x: a, 0, lambda x, y: x + a)[0]

    a, t = 1.3, 0.3
    expected = (t * (1 / 3 + a) + (2 * a / 3 + 3 * a**2 + 4 * a**3) / 4, a * (1 / 3 + a / 2))
    np.testing.assert_allclose(gradient(volume, a, t), expected, rtol=1e-12)


def test_forward_mode_by_a_limit():
    assert np.allclose(jvp(lambda b: si.quad(np.exp, 0, b)[0], (0.5,), (2.0,))[1], 2 * math.exp(0.5), rtol=1e-14)


@pytest.mark.parametrize(
    "program, says",
    [
        (lambda t: si.quad(lambda x: x * t, 0, 1, weight="cos", wvar=3.0)[0], "weight="),
        (lambda t: si.quad(lambda x: np.sin(x * t) / x, 0, np.inf, limit=200)[0], "substitution"),
        (lambda t: si.nquad(lambda x: t * x, [(0, 1)], opts=[{"epsabs": 1.0}])[0], "opts="),
    ],
)
@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
def test_what_the_rule_does_not_cover_is_refused(program, says, tier_name):
    with tier(tier_name), pytest.raises(DifferentiationError, match=says):
        gradient(program, 1.5)


@pytest.mark.parametrize("name", ["qmc_quad", "cubature", "nsum", "tanhsinh"])
def test_others_are_refused_by_name_with_a_way_out(name):
    if not hasattr(si, name):
        pytest.skip("SciPy brought it later")
    function = getattr(si, name)
    with pytest.raises(ForeignCallError, match="scipy.integrate.quad"):
        gradient(lambda t: function(lambda x: x * t, 0.0, 1.0), 1.5)
