"""Random draws: constants without active parameters, reparametrised with them, refused by name where that is wrong."""

import random

import numpy as np
import pytest

from engine import checkpoint, grad, gradient, jvp
from engine.errors import DifferentiationError

from .oracle import TIERS, Program, Table, checks_of, tier

X = np.array([0.4, 0.9, 2.2])
WEIGHTS = np.cos(np.arange(40.0))


def seeded(kind):
    """A generator at the start of its stream, of each kind that NumPy has."""
    if kind == "Generator":
        return np.random.default_rng(3)
    if kind == "RandomState":
        return np.random.RandomState(3)
    np.random.seed(3)
    return np.random


def loss(draw):
    return np.sum(np.ravel(draw * draw + draw) * WEIGHTS[: np.size(draw)])


DRAWS = {
    "normal": lambda r, x: r.normal(x[0], x[1], 4),
    "normal_by_keyword": lambda r, x: r.normal(scale=x, loc=1.0),
    "normal_broadcast": lambda r, x: r.normal(x, x * 2, (2, 3)),
    "normal_of_a_list": lambda r, x: r.normal([x[0], x[1]], 1.0),
    "normal_one_number": lambda r, x: r.normal(x[0], x[1]),
    "uniform": lambda r, x: r.uniform(x, x * 3),
    "uniform_sized": lambda r, x: r.uniform(x[0], x[1] + 3, 4),
    "exponential": lambda r, x: r.exponential(x),
    "rayleigh": lambda r, x: r.rayleigh(x),
    "laplace": lambda r, x: r.laplace(x, x * 2),
    "logistic": lambda r, x: r.logistic(x, x * 2),
    "gumbel": lambda r, x: r.gumbel(x, x * 2),
    "lognormal": lambda r, x: r.lognormal(x, x / 2),
    "weibull": lambda r, x: r.weibull(x + 1),
    "pareto": lambda r, x: r.pareto(x + 3),
    "power": lambda r, x: r.power(x),
    "gamma_by_its_scale": lambda r, x: r.gamma(2.0, x),
    "multivariate_normal_by_its_mean": lambda r, x: r.multivariate_normal(x, np.eye(3), 2),
    "noise_without_parameters": lambda r, x: r.standard_normal(3) * x + r.uniform(0, 1, 3),
    "constants_of_every_kind": lambda r, x: r.gamma(2.0, 1.0, 3) * x + r.poisson(4, 3) + r.binomial(3, 0.5, 3),
    "choice": lambda r, x: r.choice(x, 4),
    "choice_without_replacement": lambda r, x: r.choice(x, 2, replace=False),
    "choice_with_probabilities": lambda r, x: r.choice(x, 4, p=[0.2, 0.3, 0.5]),
    "choice_of_numbers": lambda r, x: x[r.choice(3, 2)],
    "permutation": lambda r, x: r.permutation(x),
    "permutation_of_rows": lambda r, x: r.permutation(np.outer(x, x)),
    "permutation_of_numbers": lambda r, x: x[r.permutation(3)],
}
ONLY_GENERATOR = {
    "permuted_along_an_axis": lambda r, x: r.permuted(np.outer(x, x), axis=1),
    "permuted": lambda r, x: r.permuted(np.outer(x, x)),
    "permutation_of_columns": lambda r, x: r.permutation(np.outer(x, x), axis=1),
    "choice_of_columns": lambda r, x: r.choice(np.outer(x, x), 2, axis=1, shuffle=False),
    "multivariate_normal_by_its_covariance": lambda r, x: r.multivariate_normal(
        x, np.diag(x) + x[0] * x[1] * 0.1, 3, method="cholesky"),
}  # fmt: skip


def program_of(name, draw, kind):
    def program(x):
        return loss(draw(seeded(kind), x))

    program.__name__ = f"{name}_{kind}"
    return Program(program, (X,))


PROGRAMS = Table()
for kind in ("Generator", "RandomState", "global"):
    given = DRAWS | ONLY_GENERATOR if kind == "Generator" else DRAWS
    PROGRAMS.extend(program_of(name, draw, kind) for name, draw in given.items())


@PROGRAMS.at(X)
def rows_shuffled_in_place(x):
    square = np.outer(x, x)
    np.random.default_rng(3).shuffle(square)
    return loss(square)


@PROGRAMS.at(X)
def columns_shuffled_in_place(x):
    square = np.outer(x, x)
    np.random.default_rng(3).shuffle(square, axis=1)
    return loss(square)


@PROGRAMS.at(X)
def a_list_shuffled_by_a_generator(x):
    items = [x[0], x[1], x[2], x[0] * x[1]]
    np.random.RandomState(3).shuffle(items)
    return items[0] ** 2 + items[1] * items[2] - items[3]


@PROGRAMS.at(X)
def draws_of_the_standard_library(x):
    random.seed(5)
    total = random.uniform(x[0], x[1]) ** 2 + random.gauss(x[0], x[1]) ** 2 + random.gauss(x[1], x[2])
    total = total + random.expovariate(x[0]) + random.triangular(x[0], x[1] + 4, x[2])
    total = total + random.lognormvariate(x[0], x[1])
    return total + random.choice([x[0], x[1]]) ** 2 + sum([v * v for v in random.sample([x[0], x[1], x[2]], 2)])


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(PROGRAMS)

REFUSED = {
    "gamma by its shape": lambda r, x: r.gamma(x),
    "beta": lambda r, x: r.beta(x, x),
    "standard_t": lambda r, x: r.standard_t(x),
    "vonmises": lambda r, x: r.vonmises(x, x),
    "dirichlet": lambda r, x: r.dirichlet(x),
    "poisson": lambda r, x: r.poisson(x) * x,
    "binomial": lambda r, x: r.binomial(3, x / 3) * x,
    "geometric": lambda r, x: r.geometric(x / 3) * x,
    "triangular": lambda r, x: r.triangular(x, x + 1, x + 2),
    "multivariate_normal by its covariance": lambda r, x: r.multivariate_normal(x, np.diag(x)),
    "choice by its probabilities": lambda r, x: r.choice(x, p=x / x.sum()),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", ["Generator", "RandomState"])
def test_a_draw_without_a_derivative_is_refused_by_name(name, kind):
    with pytest.raises(DifferentiationError, match=name) as caught:
        gradient(lambda x: loss(REFUSED[name](seeded(kind), x)), X)
    assert __file__ in str(caught.value) and "Way out" in str(caught.value)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("kind", ["Generator", "RandomState", "global"])
def test_the_stream_is_what_it_is_without_a_derivative(kind, tier_name):
    def program(x, r, seen):
        first = r.normal(x[0], x[1], 3)
        second = r.choice(x, 2)
        third = r.permutation(x)
        seen.append(np.concatenate([first, second, third, [r.uniform(0.0, 1.0)]]))
        return np.sum(first) + np.sum(second * third[:2])

    plain, differentiated, twice, forward = [], [], [], []
    r = seeded(kind)
    program(X, r, plain)
    after = r.uniform(0.0, 1.0)
    with tier(tier_name):
        for seen, run in (
            (differentiated, lambda f: gradient(f, X)),
            (twice, lambda f: gradient(lambda x: np.sum(grad(f)(x)), X)),
            (forward, lambda f: jvp(f, (X,), (X,))),
        ):
            r = seeded(kind)
            run(lambda x, r=r, seen=seen: program(x, r, seen))
            assert r.uniform(0.0, 1.0) == after
            np.testing.assert_array_equal(seen[0], plain[0])


def test_noise_that_a_scale_of_zero_wiped_out_has_no_derivative():
    def draw(scale):
        return np.random.default_rng(3).normal(1.0, scale)

    assert np.isnan(gradient(draw, 0.0)[0])
    assert gradient(lambda loc: np.random.default_rng(3).normal(loc, 0.0), 1.0) == (1.0,)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("kind", ["Generator", "RandomState", "global", "standard library"])
def test_a_checkpoint_keeps_the_noise_of_its_first_run(kind, tier_name):
    def gradient_of(wrapped):
        if kind == "standard library":
            r = random.Random(3)
            noise = lambda x: np.array([r.gauss(0.0, 1.0), r.random(), r.uniform(0.0, 1.0)])  # noqa: E731
        else:
            r = seeded(kind)
            noise = lambda x: r.standard_normal(3) + r.normal(x, 0.5)  # noqa: E731
        block = wrapped(lambda x: np.sum(np.sin(x) * noise(x)))
        return gradient(lambda x: block(x) + r.uniform(0.0, 1.0), X)[0]

    with tier(tier_name):
        np.testing.assert_array_equal(gradient_of(checkpoint), gradient_of(lambda f: f))


def test_noise_drawn_into_an_array_is_a_store():
    def total(x):
        r = np.random.default_rng(3)
        noise = r.random(3)
        first = np.sum(x * x * noise)
        r.random(out=noise)
        return first + np.sum(x * noise)

    r = np.random.default_rng(3)
    first, second = r.random(3), r.random(3)
    np.testing.assert_allclose(gradient(total, X)[0], 2 * X * first + second, rtol=1e-15)
