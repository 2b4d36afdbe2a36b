"""What is measured is right: every derivative written by hand is that of its program, and the engine's is the same.

The oracle is central differences at two steps, extrapolated, of the program itself.
"""

from __future__ import annotations

import copy
import math
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

import engine
from benchmarks.measure import disagreement
from benchmarks.workloads import GRADBENCH, WORKLOADS, ba, det, gmm, ht, hvp, kmeans, lstm, ode, particle, saddle
from benchmarks.workloads.descent import MODES


def mapped(f, *structures):
    """`f` over the numbers of structures of one shape; everything else comes from the first."""
    first = structures[0]
    if isinstance(first, float | np.ndarray):
        return f(*structures)
    if isinstance(first, list | tuple):
        return type(first)(mapped(f, *items) for items in zip(*structures, strict=True))
    if not is_dataclass(first):
        return first
    made = copy.copy(first)
    for field in fields(first):
        setattr(made, field.name, mapped(f, *(getattr(s, field.name) for s in structures)))
    return made


SMALL = 1000  # elements of arguments


def is_small(size):
    args, constants = size.arguments()
    counts = []
    mapped(lambda x: counts.append(np.size(x)), [*args, *constants.values()])
    return sum(counts) <= SMALL


SMALL_SIZES = [
    pytest.param(w, s, id=f"{w.name}-{s.name}")
    for w in WORKLOADS.values()
    for s in (w.sizes[0], *filter(is_small, w.sizes[1:] if w.name not in GRADBENCH else ()))
]
GRADIENTS = [p for p in SMALL_SIZES if p.values[0].derivative is None]


def along(direction, gradient):
    """The inner product of two structures of numbers."""
    terms = []
    mapped(lambda d, g: terms.append(float(np.vdot(d, g))), direction, gradient)
    return sum(terms)


def difference(f, h=1e-4):
    """f'(0): the terms of second and of fourth order cancel."""
    coarse, fine = ((f(step) - f(-step)) / (2 * step) for step in (h, h / 2))
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize("workload, size", GRADIENTS)
@pytest.mark.parametrize("seed", range(3))
def test_hand_written_gradient_is_the_difference(workload, size, seed):
    args, constants = size.arguments()
    draw = np.random.default_rng(seed).standard_normal
    direction = mapped(lambda v: draw(v.shape) if isinstance(v, np.ndarray) else float(draw()), args)

    def value(h):
        return workload.primal(*mapped(lambda v, d: v + h * d, args, direction), **constants)

    expected = difference(value)
    assert along(direction, workload.hand(*args, **constants)) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("workload, size", SMALL_SIZES)
def test_engine_agrees_with_the_derivative_written_by_hand(workload, size):
    args, constants = size.arguments()
    assert disagreement(workload.asked(*args, **constants), workload.hand(*args, **constants)) is None


@pytest.mark.parametrize("workload, size", GRADIENTS)
def test_every_argument_has_a_gradient_that_can_be_seen(workload, size):
    """Beside the absolute tolerance: a gradient of 1e-30 would agree with zero."""
    args, constants = size.arguments()
    sizes = []
    mapped(lambda x, g: sizes.append(np.max(np.abs(g))), list(args), list(workload.hand(*args, **constants)))
    assert min(sizes) > 1e-6


@pytest.mark.parametrize("workload, size", SMALL_SIZES)
def test_data_are_the_same_at_every_call(workload, size):
    args, constants = size.arguments()
    again, constants_again = size.arguments()
    assert constants.keys() == constants_again.keys()
    mapped(np.testing.assert_array_equal, list(args), list(again))
    mapped(np.testing.assert_array_equal, list(constants.values()), list(constants_again.values()))


def test_every_other_derivative_has_an_oracle_of_its_own():
    """The tests below; a workload that asks for another derivative than the gradient of its program adds one."""
    below = {"hvp", "kmeans", "ba", "ht", "particle", "saddle"}
    assert {p.values[0].name for p in GRADIENTS} == WORKLOADS.keys() - below


def test_hand_written_hessian_vector_product_is_the_difference():
    (w,), constants = hvp.WORKLOAD.sizes[0].arguments()
    v = constants["v"]
    u = np.random.default_rng(0).standard_normal(len(w))

    def slope(h):
        return difference(lambda k: hvp.primal(w + h * v + k * u, **constants), 1e-3)

    assert u @ hvp.by_hand(w, **constants)[0] == pytest.approx(difference(slope, 1e-3), rel=1e-6)


def test_hand_written_direction_of_kmeans_is_of_differences():
    """The cost is a parabola as long as no point changes sides."""
    (centroids,), constants = kmeans.WORKLOAD.sizes[0].arguments()
    (direction,) = kmeans.direction_by_hand(centroids, **constants)
    for place in np.ndindex(centroids.shape):
        step = np.zeros_like(centroids)
        step[place] = 1e-4
        low, here, high = (kmeans.cost(centroids + t * step, **constants) for t in (-1, 0, 1))
        assert direction[place] == pytest.approx(
            1e-4 * (high - low) / (2 * (high - 2 * here + low)), rel=1e-6, abs=1e-6
        )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("standing", [False, True], ids=["turned", "standing"])
def test_hand_written_jacobian_of_ba_is_the_difference(seed, standing):
    """Also where a camera is not turned at all, and the angle has no derivative."""
    (cams, points, w), constants = ba.WORKLOAD.sizes[0].arguments()
    if standing:
        cams[1, :3] = 0.0
    draw = np.random.default_rng(seed).standard_normal
    directions = draw(cams.shape), draw(points.shape), draw(w.shape)
    if standing:
        directions[0][1, :3] = 0.0  # differences of a rotation about no axis are another test

    def errors(h):
        moved = (x + h * d for x, d in zip((cams, points, w), directions, strict=True))
        reprojection, weights = ba.objective(*moved, **constants)
        return np.concatenate((reprojection.ravel(), weights))

    starts, columns, values = ba.jacobian_by_hand(cams, points, w, **constants)
    direction = np.concatenate([d.ravel() for d in directions])
    product = np.add.reduceat(values * direction[columns], starts[:-1])
    np.testing.assert_allclose(product, difference(errors), rtol=1e-6, atol=1e-6)


def test_columns_of_ba_are_those_of_each_observation():
    (cams, points, w), constants = ba.WORKLOAD.sizes[0].arguments()
    starts, columns, values = ba.jacobian_by_hand(cams, points, w, **constants)
    assert len(columns) == len(values) == starts[-1] == 31 * len(w) and len(starts) == 3 * len(w) + 1
    i, n, m = 7, len(cams), len(points)
    camera, point = constants["camera"][i], constants["point"][i]
    row = columns[starts[2 * i + 1] : starts[2 * i + 2]]
    expected = [*(11 * camera + np.arange(11)), *(11 * n + 3 * point + np.arange(3)), 11 * n + 3 * m + i]
    np.testing.assert_array_equal(row, expected)
    assert columns[starts[2 * len(w) + i]] == 11 * n + 3 * m + i


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mirrored", [False, True], ids=["plain", "mirrored"])
def test_hand_written_jacobian_of_ht_is_the_difference(seed, mirrored):
    (theta, us), constants = ht.WORKLOAD.sizes[0].arguments()
    constants["model"].is_mirrored = mirrored
    draw = np.random.default_rng(seed).standard_normal
    theta_dot, us_dot = draw(theta.shape), draw(us.shape)
    jacobian = ht.jacobian_by_hand(theta, us, **constants)
    product = jacobian[:, 2:] @ theta_dot + np.sum(jacobian[:, :2] * np.repeat(us_dot, 3, axis=0), axis=1)
    expected = difference(lambda h: ht.objective(theta + h * theta_dot, us + h * us_dot, **constants))
    np.testing.assert_allclose(product, expected, rtol=1e-7, atol=1e-8)


def test_simple_hand_tracking_is_at_vertices():
    (theta, _), constants = ht.WORKLOAD.sizes[0].arguments()
    corner = constants["model"].triangles[constants["correspondences"]][:, 0]
    inside = ht.objective(theta, np.tile([1.0, 0.0], (len(corner), 1)), **constants)
    simple = constants | {"correspondences": corner}
    np.testing.assert_allclose(ht.simple_objective(theta, **simple), inside, rtol=1e-12)
    theta_dot = np.random.default_rng(0).standard_normal(theta.shape)
    expected = difference(lambda h: ht.simple_objective(theta + h * theta_dot, **simple))
    np.testing.assert_allclose(ht.simple_jacobian(theta, **simple) @ theta_dot, expected, rtol=1e-7, atol=1e-8)


def test_hand_written_slope_of_the_best_response_is_the_difference():
    """The response is only nearly the best one, but moves with nothing."""
    (start,), _ = saddle.WORKLOAD.sizes[0].arguments()
    seen = {}

    def recorded(f, slope, *rest):
        seen["f"], seen["slope"] = f, slope
        return start

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saddle, "argmin", recorded)
        saddle.by_hand(start, "r", "r")
    p, ways = (0.7, -0.3), np.eye(2)
    expected = [difference(lambda h, way=way: seen["f"](tuple(p + h * way))) for way in ways]
    assert seen["slope"](p) == pytest.approx(expected, rel=1e-8)


def test_flight_of_the_particle_by_hand():
    at, w = (3.0, 5.0), 0.3
    x_slope = difference(lambda h: particle.potential((at[0] + h, at[1]), w))
    y_slope = difference(lambda h: particle.potential((at[0], at[1] + h), w))
    assert particle.slope_of_potential(at, w) == pytest.approx((x_slope, y_slope), rel=1e-8)
    expected = difference(lambda h: particle.landing(w + h, particle.slope_of_potential))
    assert particle.slope_of_landing(w) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("inner", MODES)
def test_force_on_the_particle_in_each_mode(inner):
    at, w = (3.0, 5.0), 0.3
    by_engine = MODES[inner](lambda at: particle.potential(at, w))(at)
    assert by_engine == pytest.approx(particle.slope_of_potential(at, w), rel=1e-12)


def test_descents_end_where_gradbench_says():
    """Its own constants; the tolerance is that of the optimiser's last step."""
    assert particle.by_hand(0.0, "r", "r") == pytest.approx(0.2071918746486116, rel=1e-12)
    assert saddle.by_hand((1.0, 1.0), "r", "r") == pytest.approx((8.246324826140356e-06,) * 4, rel=1e-9)


def test_determinant_is_that_of_lapack():
    (a,), constants = det.WORKLOAD.sizes[0].arguments()
    matrix = a.reshape(4, 4)
    determinant = np.linalg.det(matrix)
    assert det.primal(a, **constants) == pytest.approx(determinant, rel=1e-12)
    cofactors = determinant * np.linalg.inv(matrix).T
    np.testing.assert_allclose(det.gradient(a, **constants)[0], cofactors.ravel(), rtol=1e-10)


def test_chain_of_equations_has_its_closed_form():
    """Runge-Kutta of fourth order is exact for polynomials of fourth degree."""
    x = np.array([0.5, 1.5, -0.7, 1.1])
    exact = np.cumprod(x * 2.0 / np.arange(1, 5))
    np.testing.assert_allclose(ode.primal(x, 3), exact, rtol=1e-12)
    assert ode.last(x, 3) == pytest.approx(exact[-1], rel=1e-12)
    np.testing.assert_allclose(engine.gradient(ode.last, x, s=3)[0], exact[-1] / x, rtol=1e-10)


def test_mixture_is_the_log_of_products_of_densities():
    """Straight from the definition: densities multiplied, precision matrices and determinants formed."""
    (alpha, mu, q, lower), constants = gmm.WORKLOAD.sizes[0].arguments()
    x, d, m, gamma = constants["x"], mu.shape[1], 1, 0.7
    precisions = []
    for q_, lower_ in zip(q, lower, strict=True):
        factor = np.diag(np.exp(q_))
        below = iter(lower_)
        for j in range(d):
            factor[j + 1 :, j] = [next(below) for _ in range(j + 1, d)]
        precisions.append(factor.T @ factor)
    share = np.exp(alpha) / np.sum(np.exp(alpha))
    likelihood = 0.0
    for point in x:
        density = 0.0
        for weight, mean, precision in zip(share, mu, precisions, strict=True):
            scale = np.sqrt(np.linalg.det(precision) / (2 * np.pi) ** d)
            density += weight * scale * np.exp(-0.5 * (point - mean) @ precision @ (point - mean))
        likelihood += np.log(density)
    freedom = d + m + 1
    multigamma = np.pi ** (d * (d - 1) / 4) * np.prod([math.gamma((freedom - j) / 2) for j in range(d)])
    prior = 0.0
    for precision in precisions:
        top = np.linalg.det(precision) ** ((freedom - d - 1) / 2) * np.exp(-0.5 * gamma**2 * np.trace(precision))
        prior += np.log(top / (2 ** (freedom * d / 2) * gamma ** (-d * freedom) * multigamma))
    found = gmm.objective(alpha, mu, q, lower, x, m, gamma)
    assert found == pytest.approx(likelihood + prior, rel=1e-12)


def test_layers_of_the_lstm_are_those_of_one_step_after_the_other():
    """The same network as it is defined: all layers at each character."""
    (main, extra), constants = lstm.WORKLOAD.sizes[0].arguments()
    state, sequence = constants["state"].copy(), constants["sequence"]
    total = 0.0
    for inputs, target in zip(sequence[:-1], sequence[1:], strict=True):
        x = inputs * extra[0]
        for i in range(0, len(main), 2):
            gates = np.concatenate((x, state[i], x, state[i])) * main[i] + main[i + 1]
            forget, ingate, outgate, change = gates.reshape(4, -1)
            state[i + 1] = state[i + 1] * lstm.sigmoid(forget) + lstm.sigmoid(ingate) * np.tanh(change)
            state[i] = x = lstm.sigmoid(outgate) * np.tanh(state[i + 1])
        predicted = x * extra[1] + extra[2]
        total += np.sum(target * (predicted - np.log(2 + np.sum(np.exp(predicted)))))
    expected = -total / (len(sequence) - 1) / sequence.shape[1]
    assert lstm.objective(main, extra, **constants) == pytest.approx(expected, rel=1e-12)


def test_hand_is_posed_bone_by_bone():
    """The same mesh as it is defined: pose by pose, bone by bone, vertex by vertex."""
    (theta, us), constants = ht.WORKLOAD.sizes[0].arguments()
    model = constants["model"]
    pose = np.zeros((3, ht.BONES + 3))  # global rotation, scale, translation, then each bone's angles about x, z, y
    pose[:, 0], pose[:, 2] = theta[:3], theta[3:6]
    rest = iter(theta[6:])
    for finger in range(5):
        for joint in range(3):
            pose[0, 5 + 4 * finger + joint] = next(rest)
            if joint == 0:
                pose[1, 5 + 4 * finger] = next(rest)
    absolutes, positions = [], np.zeros((len(model.weights), 3))
    for bone, parent in enumerate(model.parents):
        x, z, _ = pose[:, 3 + bone]
        turn_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
        turn_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
        local = np.eye(4)
        local[:3, :3] = turn_z @ turn_x
        relative = model.base_relatives[bone] @ local
        absolutes.append(relative if parent == -1 else absolutes[parent] @ relative)
        moved = model.base_positions @ (absolutes[-1] @ model.inverse_base_absolutes[bone]).T
        positions += moved[:, :3] * model.weights[:, bone : bone + 1]
    angle = np.linalg.norm(pose[:, 0])
    n = pose[:, 0] / angle
    rotation = np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) * np.outer(n, n) + np.sin(angle) * ht.cross_matrix(n)
    positions = positions @ rotation.T + pose[:, 2]
    expected = []
    for point, triangle, (u, v) in zip(
        constants["points"], model.triangles[constants["correspondences"]], us, strict=True
    ):
        a, b, c = positions[triangle]
        expected.extend(point - (u * a + v * b + (1 - u - v) * c))
    np.testing.assert_allclose(ht.objective(theta, us, **constants), expected, rtol=1e-10, atol=1e-12)


def test_points_are_seen_one_by_one():
    """The same errors as they are defined: for each observation a rotation matrix, a projection, a distortion."""
    (cams, points, w), constants = ba.WORKLOAD.sizes[0].arguments()
    cams[2, :3] = 0.0
    reprojection, weights = ba.objective(cams, points, w, **constants)
    for i, (camera, point) in enumerate(zip(constants["camera"], constants["point"], strict=True)):
        rot, centre, (focal, x0, y0, k1, k2) = cams[camera, :3], cams[camera, 3:6], cams[camera, 6:]
        theta = np.linalg.norm(rot)
        cross = ht.cross_matrix(rot / theta) if theta else np.zeros((3, 3))
        turned = (np.eye(3) + np.sin(theta) * cross + (1 - np.cos(theta)) * cross @ cross) @ (points[point] - centre)
        seen = turned[:2] / turned[2]
        square = seen @ seen
        projected = seen * (1 + k1 * square + k2 * square**2) * focal + (x0, y0)
        np.testing.assert_allclose(reprojection[i], w[i] * (projected - constants["feats"][i]), rtol=1e-9)
        assert weights[i] == pytest.approx(1 - w[i] ** 2, rel=1e-12)
