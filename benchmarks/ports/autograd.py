"""autograd: NumPy programs with another `np`, which is all its users write, unless arrays are written into."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.ports import Asked, Lazy, functional, plain
from benchmarks.workloads import Workload, ba, descent, hvp, kmeans, particle, saddle
from benchmarks.workloads.gaussian_process import covariance
from regressions.transplant import Namespace, transplanted

__all__ = ["prepare"]

autograd, operators = Lazy("autograd"), Lazy("autograd.differential_operators")
linalg, special = Lazy("autograd.scipy.linalg"), Lazy("autograd.scipy.special")


def prepare(workload: Workload, args: tuple, constants: dict[str, Any]) -> Asked:
    if workload.name == "mlp_objects":
        args = functional.model_of(*args)
    if workload.name in DERIVATIVES:
        derivative = DERIVATIVES[workload.name]
    else:
        derivative = gradient(PROGRAMS.get(workload.name) or workload.primal)
    return Asked(partial(derivative, *args, **constants), partial(plain, lower=np.asarray))


@cache
def over_autograd(program: Callable) -> Callable:
    """The same program where `np` is autograd's."""
    import autograd.numpy

    return transplanted(program, Namespace(autograd.numpy), lambda array: array)


@cache
def gradient(loss: Callable) -> Callable:
    program = over_autograd(loss)

    def asked(*args: Any, **constants: Any) -> tuple:
        return autograd.grad(program, tuple(range(len(args))))(*args, **constants)

    return asked


def gaussian_process(log_length, log_scale, log_noise, x, y):
    """A triangular system is solved as one."""
    noise = np.exp(2 * log_noise) * np.eye(len(y))
    factor = np.linalg.cholesky(covariance(log_length, log_scale, x) + noise)
    half = linalg.solve_triangular(factor, y, lower=True)
    return 0.5 * half @ half + np.sum(np.log(np.diag(factor))) + 0.5 * len(y) * np.log(2 * np.pi)


def lse(x):
    return special.logsumexp(x)


def gmm_gradient(alpha, mu, q, lower, x, m, gamma):
    made = functional.gmm_constants(alpha, x, m, gamma)
    return gradient(functional.gmm_objective)(alpha, mu, q, lower, x=x, m=m, gamma=gamma, **made)


def ba_jacobian(cams, points, w, feats, camera, point):
    """One reverse sweep for each of the two rows of all blocks."""
    cam, x = functional.ba_arguments(cams, points, camera, point)
    error = over_autograd(ba.reprojection_error)
    back, _ = autograd.make_vjp(lambda packed: error(*packed, feats.T))((cam, x, w))
    rows = [back(np.tile(seed[:, np.newaxis], (1, len(w)))) for seed in np.eye(2)]
    w_bar = autograd.elementwise_grad(ba.weight_error)(w)
    return functional.ba_answer(rows, w_bar, cams, points, camera, point)


def ht_jacobian(theta, us, correspondences, points, model):
    """One pushforward, of programs that take axes before their own."""
    made = functional.ht_constants(correspondences, model)
    errors = over_autograd(functional.ht_objective)
    many, directions = functional.ht_directions(theta, us)
    pushforward = operators.make_jvp(lambda packed: errors(*packed, points=points, model=model, **made))
    return pushforward(many)(directions)[1].T


def kmeans_direction(centroids, points):
    """The gradient, and its own pullback of ones: the Hessian is diagonal."""
    cost = over_autograd(kmeans.cost)
    back, slope = autograd.make_vjp(autograd.grad(lambda c: cost(c, points)))(centroids)
    return (slope / back(np.ones_like(centroids)),)


def hessian_vector_product(w, x, y, v):
    loss = over_autograd(hvp.loss)
    return (autograd.hessian_vector_product(lambda w: loss(w, x, y))(w, v),)


def reverse(f: Callable) -> Callable:
    return autograd.grad(f)


def forward(f: Callable) -> Callable:
    def slope(x):
        pushforward = operators.make_jvp(f)(x)
        return tuple([pushforward(tuple([float(i == j) for j in range(len(x))]))[1] for i in range(len(x))])

    return slope


MODES = {"r": reverse, "f": forward}


def saddle_point(start, outer, inner, most):
    return saddle.saddle_point(start, MODES[outer], MODES[inner], most)


def particle_control(w, outer, inner, most):
    potential = over_autograd(functional.potential)

    def slope_of_potential(at, w):
        return MODES[inner](lambda at: potential(at, w))(at)

    def flight(w):
        return particle.landing(w[0], slope_of_potential)

    return descent.argmin(flight, MODES[outer](flight), (w,), most)[0]


PROGRAMS: dict[str, Callable] = {
    "scalar_loop": functional.scalar_loop,
    "scalar_loop_helper": functional.scalar_loop,
    "scalar_loop_exits": functional.scalar_loop_exits,
    "list_appends": functional.list_appends,
    "index_writes": functional.index_writes,
    "stencil": functional.stencil,
    "convolution": functional.convolution,
    "masked_lengths": functional.masked_lengths,
    "mlp_objects": functional.mlp_objects,
    "ode": functional.ode,
    "gaussian_process": gaussian_process,
    "lse": lse,
}

DERIVATIVES: dict[str, Callable] = {
    "ba": ba_jacobian,
    "gmm": gmm_gradient,
    "ht": ht_jacobian,
    "kmeans": kmeans_direction,
    "hvp": hessian_vector_product,
    "particle": particle_control,
    "saddle": saddle_point,
}
