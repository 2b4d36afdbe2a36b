"""Bundle adjustment: where cameras see points, and the sparse Jacobian of the errors, two rows an observation.

Arrays hold one observation a column, so that each line is one operation on all of them. No error depends on another
observation's own camera, point and weight: one pullback gives the same row of every block of the Jacobian.
"""

from __future__ import annotations

import numpy as np

import engine
from benchmarks.workloads.workload import LARGE, Size, Workload, rng

CAMERA, POINT = 11, 3  # rotation (3), centre (3), focal length, principal point (2), radial distortion (2); coordinates


def rotate(rot, x):
    """Points (3, p) turned about axes by angles, both in `rot` (3, p): Rodrigues' formula."""
    square = rot[0] * rot[0] + rot[1] * rot[1] + rot[2] * rot[2]
    turned = square > 0
    theta = np.sqrt(np.where(turned, square, 1.0))
    cosine = np.where(turned, np.cos(theta), 1.0)
    sine_part = np.where(turned, np.sin(theta) / theta, 1.0)
    along = (rot[0] * x[0] + rot[1] * x[1] + rot[2] * x[2]) * (1.0 - cosine) / (theta * theta)
    return (
        x[0] * cosine + (rot[1] * x[2] - rot[2] * x[1]) * sine_part + rot[0] * along,
        x[1] * cosine + (rot[2] * x[0] - rot[0] * x[2]) * sine_part + rot[1] * along,
        x[2] * cosine + (rot[0] * x[1] - rot[1] * x[0]) * sine_part + rot[2] * along,
    )


def reprojection_error(cam, x, w, feat):
    """(2, p) errors of cameras (11, p), points (3, p), weights (p,) and features (2, p)."""
    x0, x1, x2 = rotate(cam[0:3], x - cam[3:6])
    u, v = x0 / x2, x1 / x2
    square = u * u + v * v
    scale = (1.0 + square * (cam[9] + cam[10] * square)) * cam[6]
    return np.stack((w * (u * scale + cam[7] - feat[0]), w * (v * scale + cam[8] - feat[1])))


def weight_error(w):
    return 1.0 - w * w


def objective(cams, points, w, feats, camera, point):
    """Both errors, of cameras (n, 11), points (m, 3), weights (p,), features (p, 2) and indices (p,)."""
    return reprojection_error(cams.T[:, camera], points.T[:, point], w, feats.T).T, weight_error(w)


def sparse(blocks, w_bar, camera, point, n, m):
    """Compressed rows of (2, 15, p) blocks, two rows an observation, and below them one row a weight."""
    p = len(w_bar)
    columns = np.empty((p, 2, CAMERA + POINT + 1), dtype=int)
    columns[:, :, :CAMERA] = (CAMERA * camera[:, np.newaxis] + np.arange(CAMERA))[:, np.newaxis]
    columns[:, :, CAMERA:-1] = (CAMERA * n + POINT * point[:, np.newaxis] + np.arange(POINT))[:, np.newaxis]
    weights = CAMERA * n + POINT * m + np.arange(p)
    columns[:, :, -1] = weights[:, np.newaxis]
    width = CAMERA + POINT + 1
    starts = np.concatenate((np.arange(2 * p) * width, 2 * p * width + np.arange(p + 1)))
    values = np.concatenate((np.transpose(blocks, (2, 0, 1)).ravel(), w_bar))
    return starts, np.concatenate((columns.ravel(), weights)), values


def jacobian(cams, points, w, feats, camera, point):
    """By the engine: one pullback for each of the two rows."""
    cam, x = cams.T[:, camera], points.T[:, point]
    _, back = engine.pullback(reprojection_error, cam, x, w, feat=feats.T)
    blocks = np.empty((2, CAMERA + POINT + 1, len(w)))
    for row, seed in enumerate(np.eye(2)):
        blocks[row, :CAMERA], blocks[row, CAMERA:-1], blocks[row, -1] = back(
            np.broadcast_to(seed[:, np.newaxis], (2, len(w)))
        )
    _, back = engine.pullback(weight_error, w)
    (w_bar,) = back(np.ones(len(w)))
    return sparse(blocks, w_bar, camera, point, len(cams), len(points))


def rotation_matrices(rot):
    """(3, 3, p) of (3, p), angle by angle, with sin(t)/t and (1 - cos t)/t^2 on the way."""
    x, y, z = rot
    square = x * x + y * y + z * z
    turned = square > 0
    theta = np.sqrt(np.where(turned, square, 1.0))
    sine_part = np.where(turned, np.sin(theta) / theta, 1.0)
    cosine = np.where(turned, np.cos(theta), 1.0)
    rest = (1.0 - cosine) / (theta * theta)
    r = np.empty((3, 3, rot.shape[1]))
    r[0, 0], r[0, 1], r[0, 2] = cosine + rest * x * x, rest * x * y - sine_part * z, rest * x * z + sine_part * y
    r[1, 0], r[1, 1], r[1, 2] = rest * x * y + sine_part * z, cosine + rest * y * y, rest * y * z - sine_part * x
    r[2, 0], r[2, 1], r[2, 2] = rest * x * z - sine_part * y, rest * y * z + sine_part * x, cosine + rest * z * z
    return r, theta, sine_part, cosine, rest, turned


def jacobian_by_hand(cams, points, w, feats, camera, point):
    cam = cams.T[:, camera]
    x = points.T[:, point] - cam[3:6]
    rot = cam[0:3]
    r, theta, sine_part, cosine, rest, turned = rotation_matrices(rot)
    y0, y1, y2 = (r[i, 0] * x[0] + r[i, 1] * x[1] + r[i, 2] * x[2] for i in range(3))
    u, v = y0 / y2, y1 / y2
    square = u * u + v * v
    distortion = 1.0 + square * (cam[9] + cam[10] * square)
    slope = 2.0 * (cam[9] + 2.0 * cam[10] * square) * cam[6]  # of the distortion, by u over u
    scale = distortion * cam[6]
    blocks = np.zeros((2, CAMERA + POINT + 1, len(w)))

    dot = rot[0] * x[0] + rot[1] * x[1] + rot[2] * x[2]
    cross = (rot[1] * x[2] - rot[2] * x[1], rot[2] * x[0] - rot[0] * x[2], rot[0] * x[1] - rot[1] * x[0])
    squared = theta * theta
    sine_slope = np.where(turned, (cosine - sine_part) / squared, 0.0)  # of sin(t)/t, by t over t
    rest_slope = np.where(turned, (sine_part - 2.0 * rest) / squared, 0.0)  # of (1 - cos t)/t^2, by t over t
    radial = [-sine_part * x[i] + sine_slope * cross[i] + rest_slope * dot * rot[i] for i in range(3)]
    for row, (q, other, point_) in enumerate(((u, v, cam[7]), (v, u, cam[8]))):
        same_bar, other_bar = w * (scale + slope * q * q), w * slope * q * other
        u_bar, v_bar = (same_bar, other_bar) if row == 0 else (other_bar, same_bar)
        b0, b1 = u_bar / y2, v_bar / y2
        b2 = -(b0 * u + b1 * v)
        x_bar = [r[0, i] * b0 + r[1, i] * b1 + r[2, i] * b2 for i in range(3)]
        turn = rest * (rot[0] * b0 + rot[1] * b1 + rot[2] * b2)
        outward = radial[0] * b0 + radial[1] * b1 + radial[2] * b2
        lever = rest * dot
        bars = (b0, b1, b2)
        for i, (j, k) in enumerate(((1, 2), (2, 0), (0, 1))):
            blocks[row, i] = (
                rot[i] * outward + sine_part * (x[j] * bars[k] - x[k] * bars[j]) + x[i] * turn + lever * bars[i]
            )
            blocks[row, 3 + i] = -x_bar[i]
            blocks[row, CAMERA + i] = x_bar[i]
        blocks[row, 6] = w * distortion * q
        blocks[row, 7 + row] = w
        blocks[row, 9] = w * cam[6] * q * square
        blocks[row, 10] = blocks[row, 9] * square
        blocks[row, 14] = q * scale + point_ - feats[:, row]
    return sparse(blocks, -2.0 * w, camera, point, len(cams), len(points))


def arguments(n, m, p):
    """Observations that see some points far before their cameras."""
    draw = rng()
    rotation, distortion = draw.normal(size=(n, 3)), 0.01 * draw.normal(size=(n, 2))
    points = draw.normal(size=(m, 3))
    camera, point = np.arange(p) % n, np.arange(p) % m
    centre = 20.0 + draw.normal(size=(n, 3))
    focal, principal = 400.0 + draw.normal(size=(n, 1)), draw.normal(size=(n, 2))
    cams = np.concatenate((rotation, centre, focal, principal, distortion), axis=1)
    return (cams, points, draw.random(p)), {"feats": draw.random((p, 2)), "camera": camera, "point": point}


GAP = "At small size: the overhead of some hundred calls on a few rows."

WORKLOAD = Workload(
    "ba",
    objective,
    jacobian_by_hand,
    (
        Size("n=3,m=5,p=15", lambda: arguments(3, 5, 15)),
        Size("n=49,m=7776,p=31843", lambda: arguments(49, 7776, 31_843), target=LARGE),
    ),
    derivative=jacobian,
    gap=GAP,
)
