"""Random draws: the derivative by the parameters of a distribution, at the noise that was really drawn (convention 10).

A draw is made once, by NumPy's generator, so the stream of random numbers is what it is without a derivative. Where the
draw is a smooth function of its parameters and of noise that does not depend on them, the noise is read off the draw:
(out - loc) / scale for a normal one. Where NumPy rejects candidates, or a draw is a whole number, there is no such
function: those draws are refused when a parameter carries a derivative, each with its reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .decompositions import cholesky_pullback
from .registry import rule


# ---- a location and a scale
def normal(generator: Any, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.normal(loc, scale, size)."""
    return generator.normal(loc, scale, size)


def laplace(generator: Any, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.laplace(loc, scale, size)."""
    return generator.laplace(loc, scale, size)


def logistic(generator: Any, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.logistic(loc, scale, size)."""
    return generator.logistic(loc, scale, size)


def gumbel(generator: Any, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.gumbel(loc, scale, size)."""
    return generator.gumbel(loc, scale, size)


def uniform(generator: Any, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    """generator.uniform(low, high, size)."""
    return generator.uniform(low, high, size)


def lognormal(generator: Any, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
    """generator.lognormal(mean, sigma, size)."""
    return generator.lognormal(mean, sigma, size)


def noise(out: Any, loc: Any, scale: Any) -> Any:
    """What was drawn before location and scale; a scale of zero has wiped it out: NaN."""
    return np.divide(out - loc, scale)


rule(
    (normal, laplace, logistic, gumbel),
    loc=lambda d, out, generator, loc=0.0, scale=1.0, size=None: d,
    scale=lambda d, out, generator, loc=0.0, scale=1.0, size=None: d * noise(out, loc, scale),
)
rule(
    uniform,
    low=lambda d, out, generator, low=0.0, high=1.0, size=None: d * (1 - noise(out, low, high - low)),
    high=lambda d, out, generator, low=0.0, high=1.0, size=None: d * noise(out, low, high - low),
)
rule(
    lognormal,
    mean=lambda d, out, generator, mean=0.0, sigma=1.0, size=None: d * out,
    sigma=lambda d, out, generator, mean=0.0, sigma=1.0, size=None: d * out * noise(np.log(out), mean, sigma),
)


# ---- a scale
def exponential(generator: Any, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.exponential(scale, size)."""
    return generator.exponential(scale, size)


def rayleigh(generator: Any, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.rayleigh(scale, size)."""
    return generator.rayleigh(scale, size)


def gamma(generator: Any, shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    """generator.gamma(shape, scale, size), differentiable in the scale only."""
    return generator.gamma(shape, scale, size)


rule(
    (exponential, rayleigh),
    scale=lambda d, out, generator, scale=1.0, size=None: d * np.divide(out, scale),
)
rule(gamma, scale=lambda d, out, generator, shape, scale=1.0, size=None: d * np.divide(out, scale))


# ---- an exponent: a function of an exponential draw e
def weibull(generator: Any, a: Any, size: Any = None) -> Any:
    """generator.weibull(a, size): e^(1/a)."""
    return generator.weibull(a, size)


def power(generator: Any, a: Any, size: Any = None) -> Any:
    """generator.power(a, size): (1 - exp(-e))^(1/a)."""
    return generator.power(a, size)


def pareto(generator: Any, a: Any, size: Any = None) -> Any:
    """generator.pareto(a, size): exp(e / a) - 1."""
    return generator.pareto(a, size)


rule((weibull, power), a=lambda d, out, generator, a, size=None: -d * out * np.log(out) / a)
rule(pareto, a=lambda d, out, generator, a, size=None: -d * (1 + out) * np.log1p(out) / a)


# ---- normal vectors
def multivariate_normal(generator: Any, mean: Any, cov: Any, size: Any = None, options: Any = ()) -> Any:
    """generator.multivariate_normal(mean, cov, size, **options)."""
    return generator.multivariate_normal(mean, cov, size, **dict(options))


rule(
    multivariate_normal,
    mean=lambda d, out, generator, mean, cov, size=None, options=(): d,
    cov=lambda d, out, generator, mean, cov, size=None, options=(): by_covariance(d, out, mean, cov),
)


def by_covariance(d: Any, out: Any, mean: Any, cov: Any) -> Any:
    """The cotangent of cov, whose Cholesky factor L made mean + L z of the noise z."""
    factor, n = np.linalg.cholesky(cov), np.shape(cov)[0]
    z = np.linalg.solve(factor, np.reshape(out - mean, (-1, n)).T)
    return cholesky_pullback(np.matmul(np.reshape(d, (-1, n)).T, z.T), factor)


LOCATED = (normal, laplace, logistic, gumbel, uniform, lognormal)
SCALED = (exponential, rayleigh)
SHAPED = (weibull, power, pareto)

JUMPS = (
    "a draw is a whole number, which jumps or stays as the parameter moves; the derivative of its mean is another one"
)
REJECTS = "NumPy draws it by trial and rejection, so that no smooth function of the parameter makes the draw"
REFUSED = {
    **dict.fromkeys(
        ("binomial", "geometric", "hypergeometric", "integers", "logseries", "multinomial",
         "multivariate_hypergeometric", "negative_binomial", "poisson", "randint", "random_integers", "zipf"), JUMPS),
    **dict.fromkeys(
        ("beta", "chisquare", "dirichlet", "f", "noncentral_chisquare", "noncentral_f", "standard_gamma", "standard_t",
         "vonmises", "wald"), REJECTS),
    "triangular": "its draw changes from one formula to another where the parameter says",
}  # fmt: skip
