"""Hand tracking: a skinned mesh posed by 26 parameters, and the Jacobian of the distances to measured points.

Everything takes axes before its own, so that one pushforward moves all parameters at once, one an entry of such an
axis; of the two parameters that belong to one point each, all the first move together, and all the second.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

import engine
from benchmarks.workloads.workload import LARGE, Size, Workload, rng

PARAMETERS, BONES = 26, 22


def bone_rotations(theta):
    """(..., 22, 4, 4): of each finger three bones bend, the first of them also spreads."""
    bend, spread = np.zeros((*theta.shape[:-1], BONES)), np.zeros((*theta.shape[:-1], BONES))
    bend[..., 2::4], bend[..., 3::4], bend[..., 4::4] = theta[..., 6::4], theta[..., 8::4], theta[..., 9::4]
    spread[..., 2::4] = theta[..., 7::4]
    cos_x, sin_x, cos_z, sin_z = np.cos(bend), np.sin(bend), np.cos(spread), np.sin(spread)
    r = np.zeros((*bend.shape, 4, 4))
    r[..., 0, 0], r[..., 0, 1], r[..., 0, 2] = cos_z, -sin_z * cos_x, sin_z * sin_x
    r[..., 1, 0], r[..., 1, 1], r[..., 1, 2] = sin_z, cos_z * cos_x, -cos_z * sin_x
    r[..., 2, 1], r[..., 2, 2], r[..., 3, 3] = sin_x, cos_x, 1.0
    return r


def bone_transforms(theta, model):
    """(..., 3, 88): each bone moves with its parent."""
    relatives = model.base_relatives @ bone_rotations(theta)
    absolutes: list[np.ndarray] = []
    for i, parent in enumerate(model.parents):
        relative = relatives[..., i, :, :]
        absolutes.append(relative if parent == -1 else absolutes[parent] @ relative)
    transforms = np.stack(absolutes, axis=-3) @ model.inverse_base_absolutes
    rows = np.swapaxes(transforms[..., :3, :], -3, -2)
    return rows.reshape(*theta.shape[:-1], 3, 4 * BONES)


def global_rotation(axis_angle):
    """(..., 3, 3), of an axis whose length is the angle."""
    x, y, z = axis_angle[..., 0], axis_angle[..., 1], axis_angle[..., 2]
    angle = np.sqrt(x * x + y * y + z * z)
    r = np.zeros((*angle.shape, 3, 3))
    if np.max(angle) < 1e-4:
        r[..., 0, 0], r[..., 1, 1], r[..., 2, 2] = 1.0, 1.0, 1.0
        return r
    x, y, z, s, c = x / angle, y / angle, z / angle, np.sin(angle), np.cos(angle)
    r[..., 0, 0], r[..., 0, 1], r[..., 0, 2] = x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s
    r[..., 1, 0], r[..., 1, 1], r[..., 1, 2] = x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s
    r[..., 2, 0], r[..., 2, 1], r[..., 2, 2] = x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c
    return r


def vertex_positions(theta, vertices, model):
    """(..., 3, v), of those vertices only."""
    weights, base = model.weights[vertices], model.base_positions[vertices]
    skin = (weights[:, :, np.newaxis] * base[:, np.newaxis]).reshape(len(vertices), 4 * BONES).T
    rotation = global_rotation(theta[..., :3])
    if model.is_mirrored:
        rotation = rotation * np.array([-1.0, 1.0, 1.0])
    return rotation @ (bone_transforms(theta, model) @ skin) + theta[..., 3:6, np.newaxis]


def simple_objective(theta, correspondences, points, model):
    """(..., 3 points): the measured points minus their vertices."""
    vertices, place = np.unique(correspondences, return_inverse=True)
    error = points.T - vertex_positions(theta, vertices, model)[..., place]
    return np.swapaxes(error, -1, -2).reshape(*theta.shape[:-1], -1)


def objective(theta, us, correspondences, points, model):
    """(..., 3 points): the measured points minus points inside triangles, at two of their coordinates `us`."""
    vertices, place = np.unique(model.triangles[correspondences], return_inverse=True)
    corners = vertex_positions(theta, vertices, model)[..., place.reshape(-1, 3)]
    u, v = us[..., np.newaxis, :, 0], us[..., np.newaxis, :, 1]
    error = points.T - (u * corners[..., 0] + v * corners[..., 1] + (1.0 - u - v) * corners[..., 2])
    return np.swapaxes(error, -1, -2).reshape(*theta.shape[:-1], -1)


def jacobian(theta, us, correspondences, points, model):
    """(3 points, 2 + 26): a point's own two coordinates, then theta; by the engine, all 28 directions at once."""
    directions = 2 + PARAMETERS
    theta_dot, us_dot = np.zeros((directions, PARAMETERS)), np.zeros((directions, *us.shape))
    theta_dot[2:] = np.eye(PARAMETERS)
    us_dot[0, :, 0], us_dot[1, :, 1] = 1.0, 1.0
    many = np.tile(theta, (directions, 1)), np.tile(us, (directions, 1, 1))

    def errors(theta, us):
        return objective(theta, us, correspondences, points, model)

    return engine.jvp(errors, many, (theta_dot, us_dot))[1].T


def simple_jacobian(theta, correspondences, points, model):
    """(3 points, 26), all directions at once."""

    def errors(theta):
        return simple_objective(theta, correspondences, points, model)

    return engine.jvp(errors, (np.tile(theta, (PARAMETERS, 1)),), (np.eye(PARAMETERS),))[1].T


BENDS = np.array([[2 + 4 * finger + joint for joint in range(3)] for finger in range(5)])  # the bones, by finger
COLUMNS = np.array([[6 + 4 * finger + (0, 2, 3)[joint] for joint in range(3)] for finger in range(5)])


def bone_rotations_dot(theta):
    """(26, 22, 4, 4): each parameter of a finger moves one bone."""
    bend, spread = np.zeros(BONES), np.zeros(BONES)
    bend[BENDS], spread[BENDS[:, 0]] = theta[COLUMNS], theta[7::4]
    cos_x, sin_x, cos_z, sin_z = np.cos(bend), np.sin(bend), np.cos(spread), np.sin(spread)
    by_bend, by_spread = np.zeros((BONES, 4, 4)), np.zeros((BONES, 4, 4))
    by_bend[:, 0, 1], by_bend[:, 0, 2] = sin_z * sin_x, sin_z * cos_x
    by_bend[:, 1, 1], by_bend[:, 1, 2] = -cos_z * sin_x, -cos_z * cos_x
    by_bend[:, 2, 1], by_bend[:, 2, 2] = cos_x, -sin_x
    by_spread[:, 0, 0], by_spread[:, 0, 1], by_spread[:, 0, 2] = -sin_z, -cos_z * cos_x, cos_z * sin_x
    by_spread[:, 1, 0], by_spread[:, 1, 1], by_spread[:, 1, 2] = cos_z, -sin_z * cos_x, sin_z * sin_x
    r_dot = np.zeros((PARAMETERS, BONES, 4, 4))
    r_dot[COLUMNS, BENDS] = by_bend[BENDS]
    r_dot[np.arange(7, PARAMETERS, 4), BENDS[:, 0]] = by_spread[BENDS[:, 0]]
    return r_dot


def bone_transforms_dot(theta, model):
    """(26, 3, 88)."""
    relatives = model.base_relatives @ bone_rotations(theta)
    relatives_dot = model.base_relatives @ bone_rotations_dot(theta)
    absolutes: list[np.ndarray] = []
    absolutes_dot: list[np.ndarray] = []
    for i, parent in enumerate(model.parents):
        here, moved = relatives[i], relatives_dot[:, i]
        if parent != -1:
            moved = absolutes_dot[parent] @ here + absolutes[parent] @ moved
            here = absolutes[parent] @ here
        absolutes.append(here)
        absolutes_dot.append(moved)
    transforms_dot = np.stack(absolutes_dot, axis=1) @ model.inverse_base_absolutes
    return np.swapaxes(transforms_dot[:, :, :3], 1, 2).reshape(PARAMETERS, 3, 4 * BONES)


def cross_matrix(n):
    return np.array([[0.0, -n[2], n[1]], [n[2], 0.0, -n[0]], [-n[1], n[0], 0.0]])


def global_rotation_dot(axis_angle):
    """(3, 3, 3), one matrix for each component."""
    angle = np.sqrt(np.dot(axis_angle, axis_angle))
    if angle < 1e-4:
        return np.zeros((3, 3, 3))
    n, s, c = axis_angle / angle, np.sin(angle), np.cos(angle)
    r_dot = np.empty((3, 3, 3))
    for k in range(3):
        n_dot = (np.eye(3)[k] - n * n[k]) / angle
        r_dot[k] = n[k] * (s * (np.outer(n, n) - np.eye(3)) + c * cross_matrix(n)) + s * cross_matrix(n_dot)
        r_dot[k] += (1 - c) * (np.outer(n_dot, n) + np.outer(n, n_dot))
    return r_dot


def vertex_positions_dot(theta, vertices, model):
    """(26, 3, v)."""
    weights, base = model.weights[vertices], model.base_positions[vertices]
    skin = (weights[:, :, np.newaxis] * base[:, np.newaxis]).reshape(len(vertices), 4 * BONES).T
    mirror = np.array([-1.0 if model.is_mirrored else 1.0, 1.0, 1.0])
    dot = np.zeros((PARAMETERS, 3, len(vertices)))
    dot[:3] = (global_rotation_dot(theta[:3]) * mirror) @ (bone_transforms(theta, model) @ skin)
    dot[3:6] = np.eye(3)[:, :, np.newaxis]
    dot[6:] = (global_rotation(theta[:3]) * mirror) @ (bone_transforms_dot(theta, model)[6:] @ skin)
    return dot


def jacobian_by_hand(theta, us, correspondences, points, model):
    """Nothing is computed 28 times but what has 28 values."""
    vertices, place = np.unique(model.triangles[correspondences], return_inverse=True)
    place = place.reshape(-1, 3)
    corners = vertex_positions(theta, vertices, model)[:, place]
    dot = vertex_positions_dot(theta, vertices, model)[:, :, place]
    out = np.empty((2 + PARAMETERS, len(points), 3))
    out[:2] = np.moveaxis(corners[..., 2:] - corners[..., :2], -1, 0).swapaxes(1, 2)
    u, v = us[:, 0], us[:, 1]
    out[2:] = -np.swapaxes(u * dot[..., 0] + v * dot[..., 1] + (1.0 - u - v) * dot[..., 2], 1, 2)
    return out.reshape(2 + PARAMETERS, -1).T


def hand_model(vertices):
    """A wrist, five fingers of four bones and a forearm, each at an angle to its parent; a mesh of random triangles."""
    draw = rng(1)
    parents = [-1, *(0 if i % 4 == 1 else i - 1 for i in range(1, BONES - 1)), 0]
    base = np.zeros((BONES, 4, 4))
    base[:, :3, :3] = global_rotation(draw.normal(size=(BONES, 3)))
    base[:, :3, 3], base[:, 3, 3] = 0.3 * draw.normal(size=(BONES, 3)), 1.0
    weights = np.zeros((vertices, BONES))
    rows = np.arange(vertices)[:, np.newaxis]
    weights[rows, draw.integers(0, BONES, (vertices, 3))] = draw.random((vertices, 3))
    return SimpleNamespace(
        parents=parents,
        base_relatives=base,
        inverse_base_absolutes=np.linalg.inv(base),
        base_positions=np.column_stack((0.1 * draw.normal(size=(vertices, 3)), np.ones(vertices))),
        weights=weights / weights.sum(axis=1, keepdims=True),
        triangles=draw.integers(0, vertices, (2 * vertices, 3)),
        is_mirrored=False,
    )


def arguments(points, vertices):
    draw = rng()
    constants = {
        "correspondences": draw.integers(0, 2 * vertices, points),
        "points": draw.normal(size=(points, 3)),
        "model": hand_model(vertices),
    }
    return (draw.normal(size=PARAMETERS), 0.5 * draw.random((points, 2))), constants


GAP = (
    "The positions of all vertices have a Jacobian of columns that are pushed through every joint; by "
    "hand the rotation of one joint moves only what hangs below it. It would take sparsity of the seeds."
)

WORKLOAD = Workload(
    "ht",
    objective,
    jacobian_by_hand,
    (
        Size("points=5,vertices=20", lambda: arguments(5, 20)),
        Size("points=100,vertices=544", lambda: arguments(100, 544)),
        Size("points=10000,vertices=10000", lambda: arguments(10_000, 10_000), target=LARGE),
    ),
    derivative=jacobian,
    gap=GAP,
)
