"""JAX: functions compiled as a whole, loops as scans; in double precision, and waited for.

Arrays among the constants are arguments of the compiled function, numbers and objects are part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.ports import Asked, Lazy, functional, plain
from benchmarks.workloads import Workload, ba, hvp, kmeans, particle, saddle
from benchmarks.workloads.descent import FIRST_STEP, TOLERANCE
from benchmarks.workloads.gaussian_process import covariance
from benchmarks.workloads.ode import END
from benchmarks.workloads.scalar_loop import ITERATIONS
from regressions.transplant import Namespace, transplanted

__all__ = ["prepare"]

jax, jnp, lax = Lazy("jax"), Lazy("jax.numpy"), Lazy("jax.lax")


def prepare(workload: Workload, args: tuple, constants: dict[str, Any]) -> Asked:
    jax.config.update("jax_enable_x64", True)
    call = CALLS.get(workload.name, compiled)(workload, args, constants)
    return Asked(lambda: jax.block_until_ready(call()), partial(plain, lower=np.asarray))


def compiled(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """The gradient of the port, or of the program itself where JAX takes it as it is."""
    assert workload.primal is not None
    program = PROGRAMS.get(workload.name) or over_jax(SHARED.get(workload.name) or workload.primal)
    if workload.name == "mlp_objects":
        args = functional.model_of(*args)
    if workload.name == "gmm":
        alpha = args[0]
        constants = constants | functional.gmm_constants(alpha, **constants)
    return jitted(gradient(program), args, constants)


def gradient(program: Callable) -> Callable:
    def asked(*args: Any, **constants: Any) -> Any:
        return jax.grad(program, tuple(range(len(args))))(*args, **constants)

    return asked


def jitted(derivative: Callable, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    arrays = {name: jnp.asarray(x) for name, x in constants.items() if isinstance(x, np.ndarray)}
    static = {name: x for name, x in constants.items() if name not in arrays}
    function = jax.jit(lambda args, arrays: derivative(*args, **arrays, **static))
    return partial(function, jax.tree.map(jnp.asarray, args), arrays)


def over_jax(program: Callable) -> Callable:
    """The same program where `np` is JAX's."""
    import jax.numpy

    return transplanted(program, Namespace(jax.numpy), jax.numpy.asarray)


def scalar_loop(x, a):
    return lax.fori_loop(0, ITERATIONS, lambda _, x: jnp.sin(x) * a + x / 2, x)


def scalar_loop_exits(x, a, limit):
    """A loop that reverse mode can cross has a fixed length: what comes after an exit is masked."""

    def step(state, _):
        x, total, result, left = state
        large = jnp.abs(x) > 2.0
        new = jnp.where(large, x / 4, jnp.sin(x) * a + x / 2)
        total = jnp.where(large | left, total, total + new)
        out = ~large & ~left & ((total > limit) | (total < -limit))
        result = jnp.where(out, jnp.where(total > limit, total, total * a), result)
        return (new, total, result, left | out), None

    (_, total, result, left), _ = lax.scan(step, (x, 0.0, 0.0, False), length=ITERATIONS)
    return jnp.where(left, result, total)


def deep_chain(x, a, steps):
    rate = a / steps
    return jnp.sum(lax.fori_loop(0, steps, lambda _, x: x + rate * jnp.sin(x), x))


def reuse_graph(x, y, steps):
    def step(_, pair):
        x, y = pair
        s = jnp.tanh(x + y)
        return s * x - y, s + 0.5 * x

    x, y = lax.fori_loop(0, steps, step, (x, y))
    return jnp.sum(x * y)


def index_sum(x):
    return lax.fori_loop(0, len(x) - 1, lambda i, total: total + x[i] * x[i + 1], 0.0)


def index_writes(x, a, b):
    def step(i, y):
        return y.at[i].set(a * y[i - 1] + b * x[i] * x[i - 1])

    y = lax.fori_loop(1, len(x), step, jnp.zeros(len(x)).at[0].set(x[0]))
    return jnp.sum(y * y)


def list_appends(xs, a):
    def step(y, x):
        y = jnp.sin(x) * a + y / 2
        return y, y * y

    return jnp.sum(lax.scan(step, 0.0, xs)[1])


def list_appends_gradient(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """The list is an array."""
    xs, a = args
    return jitted(gradient(list_appends), (np.array(xs), a), constants)


def stencil(start, conductivity, steps):
    def step(_, u):
        return u.at[1:-1].add(conductivity[1:-1] * (u[:-2] - 2 * u[1:-1] + u[2:]))

    u = lax.fori_loop(0, steps, step, start)
    return jnp.sum(u * u)


def convolution(image, kernel):
    out = jnp.maximum(jax.scipy.signal.correlate2d(image, kernel, mode="valid"), 0.0)
    return jnp.mean(out * out)


def rnn(w, u, b, xs):
    h, _ = lax.scan(lambda h, x: (jnp.tanh(x @ w + h @ u + b), None), jnp.zeros(xs.shape[1:]), xs)
    return jnp.sum(h * h)


def kalman(transition, log_process, log_noise, observation, ys):
    process, noise = jnp.diag(jnp.exp(log_process)), jnp.diag(jnp.exp(log_noise))

    def step(state, y):
        mean, covariance = state
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + process
        innovation = y - observation @ mean
        spread = observation @ covariance
        s = spread @ observation.T + noise
        gain = jnp.linalg.solve(s, spread)
        weighed = jnp.linalg.solve(s, innovation)
        term = 0.5 * (innovation @ weighed + jnp.linalg.slogdet(s)[1])
        return (mean + innovation @ gain, covariance - spread.T @ gain), term

    d = len(transition)
    _, terms = lax.scan(step, (jnp.zeros(d), jnp.eye(d)), ys)
    return jnp.sum(terms) + 0.5 * ys.size * np.log(2 * np.pi)


def gaussian_process(log_length, log_scale, log_noise, x, y):
    """A triangular system is solved as one."""
    noise = jnp.exp(2 * log_noise) * jnp.eye(len(y))
    factor = jnp.linalg.cholesky(over_jax(covariance)(log_length, log_scale, x) + noise)
    half = jax.scipy.linalg.solve_triangular(factor, y, lower=True)
    return 0.5 * half @ half + jnp.sum(jnp.log(jnp.diag(factor))) + 0.5 * len(y) * np.log(2 * np.pi)


def lse(x):
    return jax.nn.logsumexp(x)


def ode(x, s):
    h = END / s

    def slope(y):
        return x * jnp.concatenate((jnp.ones(1), y[:-1]))

    def step(_, y):
        k1 = slope(y)
        k2 = slope(y + (h / 2) * k1)
        k3 = slope(y + (h / 2) * k2)
        k4 = slope(y + h * k3)
        return y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)

    return jnp.sum(lax.fori_loop(0, s, step, jnp.zeros_like(x)))


def lstm(main_params, extra_params, state, sequence):
    def layer(weight, bias, hidden, cell, inputs):
        w_forget, w_in, w_out, w_change = weight.reshape(4, -1)
        b_forget, b_in, b_out, b_change = bias.reshape(4, -1)

        def step(carried, gates):
            hidden, cell = carried
            forget, out = gates
            ingate = jax.nn.sigmoid(hidden * w_in + b_in)
            cell = cell * forget + ingate * jnp.tanh(hidden * w_change + b_change)
            hidden = out * jnp.tanh(cell)
            return (hidden, cell), hidden

        gates = jax.nn.sigmoid(inputs * w_forget + b_forget), jax.nn.sigmoid(inputs * w_out + b_out)
        return lax.scan(step, (hidden, cell), gates)[1]

    x = sequence[:-1] * extra_params[0]
    for i in range(0, len(main_params), 2):
        x = layer(main_params[i], main_params[i + 1], state[i], state[i + 1], x)
    predicted = x * extra_params[1] + extra_params[2]
    normaliser = jnp.log(2 + jnp.sum(jnp.exp(predicted), axis=1))
    return -jnp.mean(sequence[1:] * (predicted - normaliser[:, np.newaxis]))


def kmeans_direction(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    cost = over_jax(kmeans.cost)

    def direction(centroids, points):
        slope, diagonal = jax.jvp(jax.grad(lambda c: cost(c, points)), (centroids,), (jnp.ones_like(centroids),))
        return (slope / diagonal,)

    return jitted(direction, args, constants)


def hessian_vector_product(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    loss = over_jax(hvp.loss)
    return jitted(lambda w, x, y, v: (jax.jvp(jax.grad(lambda w: loss(w, x, y)), (w,), (v,))[1],), args, constants)


def ba_jacobian(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """Two rows of all blocks by one pullback each, compiled; what is not arithmetic is NumPy's."""
    error = over_jax(ba.reprojection_error)
    cams, points, w = args
    indices = constants["camera"], constants["point"]

    @jax.jit
    def rows(cam, x, w, feat):
        _, back = jax.vjp(lambda cam, x, w: error(cam, x, w, feat), cam, x, w)
        ones, zeros = jnp.ones(len(w)), jnp.zeros(len(w))
        w_bar = jax.grad(lambda w: jnp.sum(ba.weight_error(w)))(w)
        return (back(jnp.stack((ones, zeros))), back(jnp.stack((zeros, ones)))), w_bar

    def asked():
        cam, x = functional.ba_arguments(cams, points, *indices)
        both, w_bar = rows(cam, x, w, constants["feats"].T)
        both = [[np.asarray(part) for part in row] for row in both]
        return functional.ba_answer(both, np.asarray(w_bar), cams, points, *indices)

    return asked


def ht_jacobian(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """One pushforward for 28 directions."""
    model = constants["model"]
    arrays = {name: x for name, x in vars(model).items() if isinstance(x, np.ndarray)}
    made = functional.ht_constants(constants["correspondences"], model)
    errors = over_jax(functional.ht_objective)
    _, directions = functional.ht_directions(*args)

    def jacobian(theta, us, points, vertices, place, **arrays):
        def objective(theta, us):
            return errors(theta, us, vertices, place, points, SimpleNamespace(parents=model.parents, **arrays))

        return jax.vmap(lambda *along: jax.jvp(objective, (theta, us), along)[1])(*map(jnp.asarray, directions)).T

    return jitted(jacobian, args, {"points": constants["points"], **made, **arrays})


FLIGHT, DESCENT = 400, 200  # more steps than any flight takes, and than any descent from that start


def loop(going: Callable, step: Callable, state: Any, most: int | None) -> Any:
    """A loop of the compiled program. Reverse mode crosses it where `most` bounds its length: the rest stands still."""
    if most is None:
        return lax.while_loop(going, step, state)
    return lax.scan(lambda state, _: (lax.cond(going(state), step, lambda s: s, state), None), state, length=most)[0]


def argmin(f: Callable, slope: Callable, start: Any, most: float, bound: int | None = None) -> Any:
    """The descent of `workloads.descent`."""

    def going(state):
        _, _, g, _, _, done, turns = state
        return ~done & (norm(g) > TOLERANCE) & (turns < most)

    def step(state):
        x, value, g, size, good, _, turns = state
        due = good == 10
        move = size * g
        done = ~due & (norm(move) <= TOLERANCE)
        ahead = x - move
        value_ahead = f(ahead)
        better = ~due & ~done & (value_ahead < value)
        g = lax.cond(better, slope, lambda _: g, ahead)
        size = jnp.where(due, 2 * size, jnp.where(better | done, size, size / 2))
        good = jnp.where(better, good + 1, jnp.where(done, good, 0))
        return jnp.where(better, ahead, x), jnp.where(better, value_ahead, value), g, size, good, done, turns + 1

    first = start, f(start), slope(start), jnp.float64(FIRST_STEP), 0, jnp.bool_(False), 0
    return loop(going, step, first, bound)[0]


def norm(v: Any) -> Any:
    """The root of a sum that is nowhere zero where it is differentiated."""
    return jnp.sqrt(jnp.sum(v * v))


def modes(outer: str, inner: str) -> tuple[Callable, Callable]:
    return tuple(jax.grad if letter == "r" else jax.jacfwd for letter in (outer, inner))


def saddle_point(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    outer, inner = modes(constants["outer"], constants["inner"])
    bound = min(constants["most"], DESCENT) if constants["outer"] == "r" else None

    def point(start):
        start = jnp.stack(start)

        def response(p):
            minus = lambda q: -saddle.objective(p, q)  # noqa: E731
            return argmin(minus, inner(minus), start, constants["most"], bound)

        def best(p):
            return saddle.objective(p, response(p))

        p = argmin(best, outer(best), start, constants["most"])
        return tuple(jnp.concatenate((p, response(p))))

    return jitted(point, args, {})


def particle_control(workload: Workload, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    outer, inner = modes(constants["outer"], constants["inner"])
    potential = over_jax(functional.potential)

    def flight(w):
        def going(state):
            return state[0][1] > 0

        def step(state):
            x, x_dot = state
            slope = inner(lambda x: potential(x, w[0]))(x)
            x = x + particle.STEP * x_dot
            return x, jnp.where(x[1] > 0, x_dot - particle.STEP * slope, x_dot)

        start = jnp.array([0.0, 8.0]), jnp.array([0.75, 0.0])
        x, x_dot = loop(going, step, start, FLIGHT if constants["outer"] == "r" else None)
        return (x[0] - x[1] / x_dot[1] * x_dot[0]) ** 2

    return jitted(lambda w: argmin(flight, outer(flight), w[np.newaxis], constants["most"])[0], args, {})


PROGRAMS: dict[str, Callable] = {
    "scalar_loop": scalar_loop,
    "scalar_loop_helper": scalar_loop,
    "scalar_loop_exits": scalar_loop_exits,
    "deep_chain": deep_chain,
    "reuse_graph": reuse_graph,
    "index_sum": index_sum,
    "index_writes": index_writes,
    "stencil": stencil,
    "convolution": convolution,
    "rnn": rnn,
    "kalman": kalman,
    "gaussian_process": gaussian_process,
    "lse": lse,
    "ode": ode,
    "lstm": lstm,
}

SHARED: dict[str, Callable] = {
    "masked_lengths": functional.masked_lengths,
    "mlp_objects": functional.mlp_objects,
    "gmm": functional.gmm_objective,
}

CALLS: dict[str, Callable[[Workload, tuple, dict[str, Any]], Callable[[], Any]]] = {
    "list_appends": list_appends_gradient,
    "ba": ba_jacobian,
    "ht": ht_jacobian,
    "kmeans": kmeans_direction,
    "hvp": hessian_vector_product,
    "particle": particle_control,
    "saddle": saddle_point,
}
