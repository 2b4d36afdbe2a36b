"""Workloads without writes into arrays and without `math`: for engines that are NumPy's namespace and no more."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import ba, gmm, ht
from benchmarks.workloads.scalar_loop import ITERATIONS


def scalar_loop(x, a):
    for _ in range(ITERATIONS):
        x = np.sin(x) * a + x / 2
    return x


def scalar_loop_exits(x, a, limit):
    total = 0.0
    for _ in range(ITERATIONS):
        if abs(x) > 2.0:
            x = x / 4
            continue
        x = np.sin(x) * a + x / 2
        total = total + x
        if total > limit:
            break
        if total < -limit:
            return total * a
    return total


def list_appends(xs, a):
    ys = [0.0]
    for x in xs:
        ys.append(np.sin(x) * a + ys[-1] / 2)
    total = 0.0
    for y in ys:
        total = total + y * y
    return total


def index_writes(x, a, b):
    ys = [x[0]]
    for i in range(1, len(x)):
        ys.append(a * ys[-1] + b * x[i] * x[i - 1])
    return np.sum(np.array(ys) ** 2)


def stencil(start, conductivity, steps):
    u = start
    for _ in range(steps):
        inner = u[1:-1] + conductivity[1:-1] * (u[:-2] - 2 * u[1:-1] + u[2:])
        u = np.concatenate((u[:1], inner, u[-1:]))
    return np.sum(u * u)


def convolution(image, kernel):
    rows, columns = kernel.shape
    height, width = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    out = 0.0
    for i in range(rows):
        for j in range(columns):
            out = out + kernel[i, j] * image[i : i + height, j : j + width]
    out = np.maximum(out, 0.0)
    return np.mean(out * out)


def masked_lengths(x, w):
    """The bound before the root: a `where` after it would be a trap."""
    return np.sum(w * np.sqrt(np.maximum(np.sum(x * x, axis=1), 0.25)))


def mlp_objects(model, x, y):
    """A list of dicts in the place of objects."""
    hidden, out = model["layers"]
    r = np.tanh(x @ hidden["weight"] + hidden["bias"]) @ out["weight"] + out["bias"] - y
    return np.mean(r * r)


def model_of(chain):
    """Such a list, of the objects."""
    return ({"layers": [{"weight": layer.weight, "bias": layer.bias} for layer in chain.layers]},)


def ode(x, s):
    def slope(y):
        return x * np.concatenate((one, y[:-1]))

    h, one = 2.0 / s, np.ones(1)
    y = np.zeros(len(x))
    for _ in range(s):
        k1 = slope(y)
        k2 = slope(y + (h / 2) * k1)
        k3 = slope(y + (h / 2) * k2)
        k4 = slope(y + h * k3)
        y = y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(y)


def log_sum_exp(x):
    top = np.max(x, axis=0)
    return np.log(np.sum(np.exp(x - top), axis=0)) + top


def gmm_objective(alpha, mu, q, lower, x, m, gamma, place, constant):
    """The factors are gathered from their entries, where NumPy's program writes them; see `gmm_constants`."""
    factor = np.concatenate((np.zeros((len(alpha), 1)), np.exp(q), lower), axis=1)[:, place]
    z = (x - mu[:, np.newaxis]) @ np.swapaxes(factor, 1, 2)
    log_det = np.sum(q, axis=1)
    terms = (alpha + log_det)[:, np.newaxis] - 0.5 * np.sum(z * z, axis=2)
    likelihood = np.sum(log_sum_exp(terms)) - len(x) * log_sum_exp(alpha)
    return likelihood + m * np.sum(log_det) - 0.5 * gamma**2 * np.sum(factor * factor) + constant


def gmm_constants(alpha, x, m, gamma):
    """Where in (0, q, lower) each entry of a factor stands, and what depends on no parameter."""
    n, d = x.shape
    place = np.zeros((d, d), dtype=int)
    place[np.arange(d), np.arange(d)] = 1 + np.arange(d)
    place[gmm.lower_triangle(d)] = 1 + d + np.arange(d * (d - 1) // 2)
    return {"place": place, "constant": gmm.log_normaliser(n, d, len(alpha), m, gamma)}


def matrices(*rows):
    """(..., r, c) of r rows of c numbers (...)."""
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def bone_rotations(theta):
    fingers = theta[..., 6:].reshape(*theta.shape[:-1], 5, 4)
    none = 0.0 * fingers[..., :1]
    bend = np.concatenate((fingers[..., :1], fingers[..., 2:], none), axis=-1).reshape(*theta.shape[:-1], 20)
    spread = np.concatenate((fingers[..., 1:2], none, none, none), axis=-1).reshape(*theta.shape[:-1], 20)
    ends = 0.0 * theta[..., :2]
    bend, spread = np.concatenate((ends, bend), axis=-1), np.concatenate((ends, spread), axis=-1)
    cos_x, sin_x, cos_z, sin_z = np.cos(bend), np.sin(bend), np.cos(spread), np.sin(spread)
    zero, one = 0.0 * bend, 1.0 + 0.0 * bend
    return matrices(
        (cos_z, -sin_z * cos_x, sin_z * sin_x, zero),
        (sin_z, cos_z * cos_x, -cos_z * sin_x, zero),
        (zero, sin_x, cos_x, zero),
        (zero, zero, zero, one),
    )


def ht_objective(theta, us, vertices, place, points, model):
    """Of vertices that are used, and each point's three places among them; see `ht_constants`."""
    relatives = model.base_relatives @ bone_rotations(theta)
    absolutes: list[np.ndarray] = []
    for i, parent in enumerate(model.parents):
        relative = relatives[..., i, :, :]
        absolutes.append(relative if parent == -1 else absolutes[parent] @ relative)
    transforms = np.stack(absolutes, axis=-3) @ model.inverse_base_absolutes
    rows = np.swapaxes(transforms[..., :3, :], -3, -2).reshape(*theta.shape[:-1], 3, 4 * ht.BONES)
    skin = model.weights[vertices][:, :, np.newaxis] * model.base_positions[vertices][:, np.newaxis]
    x, y, z = theta[..., 0], theta[..., 1], theta[..., 2]
    angle = np.sqrt(x * x + y * y + z * z)
    x, y, z, s, c = x / angle, y / angle, z / angle, np.sin(angle), np.cos(angle)
    rotation = matrices(
        (x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s),
        (x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s),
        (x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c),
    )
    posed = rotation @ (rows @ skin.reshape(len(vertices), 4 * ht.BONES).T) + theta[..., 3:6, np.newaxis]
    corners = posed[..., place]
    u, v = us[..., np.newaxis, :, 0], us[..., np.newaxis, :, 1]
    error = points.T - (u * corners[..., 0] + v * corners[..., 1] + (1.0 - u - v) * corners[..., 2])
    return np.swapaxes(error, -1, -2).reshape(*theta.shape[:-1], -1)


def potential(at, w):
    x, y = at
    first, second = (x - 10.0) ** 2 + (y - (10.0 - w)) ** 2, (x - 10.0) ** 2 + y**2
    return 1.0 / np.sqrt(first) + 1.0 / np.sqrt(second)


def ht_constants(correspondences, model):
    vertices, place = np.unique(model.triangles[correspondences], return_inverse=True)
    return {"vertices": vertices, "place": place.reshape(-1, 3)}


def ht_directions(theta, us):
    """Both arguments 28 times over, and the direction of each."""
    n = 2 + ht.PARAMETERS
    theta_dot, us_dot = np.zeros((n, ht.PARAMETERS)), np.zeros((n, *us.shape))
    theta_dot[2:] = np.eye(ht.PARAMETERS)
    us_dot[0, :, 0], us_dot[1, :, 1] = 1.0, 1.0
    return (np.tile(theta, (n, 1)), np.tile(us, (n, 1, 1))), (theta_dot, us_dot)


def ba_arguments(cams, points, camera, point):
    """The cameras and the points of each observation, one a column."""
    return np.ascontiguousarray(cams.T[:, camera]), np.ascontiguousarray(points.T[:, point])


def ba_answer(rows, w_bar, cams, points, camera, point):
    """The sparse Jacobian of two rows, each (camera, point, weight)."""
    blocks = np.empty((2, 15, len(w_bar)))
    for block, row in zip(blocks, rows, strict=True):
        block[:11], block[11:14], block[14] = row
    return ba.sparse(blocks, w_bar, camera, point, len(cams), len(points))
