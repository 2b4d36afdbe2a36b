"""PyTorch, asked for more than gradients: Jacobians, products with Hessians, derivatives inside programs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.ports import functional
from benchmarks.ports.tensors import lift, torch
from benchmarks.workloads import descent, ht, particle, saddle

__all__ = ["CALLS"]


def hessian_vector_product(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """By logaddexp: softplus is a straight line beyond 20, and wrong in the seventh digit."""
    (w,), given = lift(args), lift(constants)
    zero = torch.zeros(())

    def loss(w):
        return torch.logaddexp(zero, -given["y"] * (given["x"] @ w)).mean()

    return lambda: (torch.func.jvp(torch.func.grad(loss), (w,), (given["v"],))[1],)


def kmeans_direction(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    (centroids,), points = lift(args), lift(constants["points"])

    def cost(centroids):
        norms = (centroids * centroids).sum(dim=1) - 2 * points @ centroids.T
        return norms.min(dim=1).values.sum() + (points * points).sum()

    def asked():
        slope, diagonal = torch.func.jvp(torch.func.grad(cost), (centroids,), (torch.ones_like(centroids),))
        return (slope / diagonal,)

    return asked


def rotate(rot, x):
    norms = (rot * rot).sum(dim=0)
    turned = norms > 0
    theta = torch.sqrt(torch.where(turned, norms, 1.0))
    cosine = torch.where(turned, torch.cos(theta), 1.0)
    sine_part = torch.where(turned, torch.sin(theta) / theta, 1.0)
    along = (rot * x).sum(dim=0) * (1.0 - cosine) / (theta * theta)
    return x * cosine + torch.linalg.cross(rot, x, dim=0) * sine_part + rot * along


def reprojection_error(cam, x, w, feat):
    seen = rotate(cam[0:3], x - cam[3:6])
    projected = seen[:2] / seen[2]
    norms = (projected * projected).sum(dim=0)
    scale = (1.0 + norms * (cam[9] + cam[10] * norms)) * cam[6]
    return w * (projected * scale + cam[7:9] - feat)


def ba_jacobian(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """Two sweeps over one tape give the two rows of all blocks."""
    cams, points, w = args
    indices = constants["camera"], constants["point"]
    feat = lift(np.ascontiguousarray(constants["feats"].T))
    seeds = torch.eye(2)[:, :, None].expand(2, 2, len(w)).contiguous()

    def asked():
        inputs = [x.requires_grad_() for x in lift((*functional.ba_arguments(cams, points, *indices), w))]
        cam, x, weight = inputs
        error = reprojection_error(cam, x, weight, feat)
        rows = [torch.autograd.grad(error, inputs, seed, retain_graph=True) for seed in seeds]
        (w_bar,) = torch.autograd.grad((1.0 - weight * weight).sum(), weight)
        return functional.ba_answer([[x.numpy() for x in row] for row in rows], w_bar.numpy(), cams, points, *indices)

    return asked


def matrices(*rows):
    """(..., r, c) of r rows of c tensors (...)."""
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def bone_rotations(theta):
    fingers = theta[6:].reshape(5, 4)
    bend = torch.cat((fingers[:, :1], fingers[:, 2:], torch.zeros(5, 1)), dim=1)
    spread = torch.cat((fingers[:, 1:2], torch.zeros(5, 3)), dim=1)
    ends = torch.zeros(2)
    bend, spread = torch.cat((ends, bend.reshape(-1))), torch.cat((ends, spread.reshape(-1)))
    cos_x, sin_x, cos_z, sin_z = torch.cos(bend), torch.sin(bend), torch.cos(spread), torch.sin(spread)
    zero, one = torch.zeros_like(bend), torch.ones_like(bend)
    return matrices(
        (cos_z, -sin_z * cos_x, sin_z * sin_x, zero),
        (sin_z, cos_z * cos_x, -cos_z * sin_x, zero),
        (zero, sin_x, cos_x, zero),
        (zero, zero, zero, one),
    )


def ht_jacobian(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """A pushforward, mapped over 28 directions."""
    theta, us = lift(args)
    model = constants["model"]
    points = lift(constants["points"])
    _, directions = functional.ht_directions(*args)
    base_relatives, inverse_bases = lift(model.base_relatives), lift(model.inverse_base_absolutes)
    weights, base_positions = lift(model.weights), lift(model.base_positions)
    theta_dot, us_dot = lift(directions)

    def objective(theta, us, vertices, place):
        relatives = base_relatives @ bone_rotations(theta)
        absolutes: list[Any] = []
        for i, parent in enumerate(model.parents):
            absolutes.append(relatives[i] if parent == -1 else absolutes[parent] @ relatives[i])
        transforms = torch.stack(absolutes) @ inverse_bases
        rows = transforms[:, :3].transpose(0, 1).reshape(3, 4 * ht.BONES)
        skin = (weights[vertices][:, :, None] * base_positions[vertices][:, None]).reshape(-1, 4 * ht.BONES)
        angle = torch.sqrt((theta[:3] * theta[:3]).sum())
        x, y, z = (theta[:3] / angle).unbind()
        s, c = torch.sin(angle), torch.cos(angle)
        rotation = matrices(
            (x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s),
            (x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s),
            (x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c),
        )
        corners = (rotation @ (rows @ skin.T) + theta[3:6, None])[:, place]
        u, v = us[:, 0], us[:, 1]
        error = points.T - (u * corners[..., 0] + v * corners[..., 1] + (1.0 - u - v) * corners[..., 2])
        return error.T.reshape(-1)

    def asked():
        made = lift(functional.ht_constants(constants["correspondences"], model))
        errors = partial(objective, **made)
        along = torch.func.vmap(lambda *dots: torch.func.jvp(errors, (theta, us), dots)[1])
        return along(theta_dot, us_dot).T

    return asked


def reverse(f: Callable) -> Callable:
    return torch.func.grad(f)


def forward(f: Callable) -> Callable:
    def slope(x):
        axes = range(len(x))
        return tuple(
            [torch.func.jvp(f, (x,), (tuple([lift(float(i == j)) for j in axes]),))[1] for i in axes],
        )

    return slope


MODES = {"r": reverse, "f": forward}


def saddle_point(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    (start,) = lift(args)
    outer, inner = MODES[constants["outer"]], MODES[constants["inner"]]
    return partial(saddle.saddle_point, start, outer, inner, constants["most"])


def particle_control(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    (w,) = lift(args)
    outer, inner = MODES[constants["outer"]], MODES[constants["inner"]]

    def potential(at, w):
        x, y = at
        return 1.0 / torch.hypot(x - 10.0, y - (10.0 - w)) + 1.0 / torch.hypot(x - 10.0, y)

    def flight(w):
        (w,) = w
        x, y, x_dot, y_dot = lift((0.0, 8.0, 0.75, 0.0))
        while True:
            slope_x, slope_y = inner(lambda at: potential(at, w))((x, y))
            x, y = x + particle.STEP * x_dot, y + particle.STEP * y_dot
            if y <= 0:
                break
            x_dot, y_dot = x_dot - particle.STEP * slope_x, y_dot - particle.STEP * slope_y
        return (x - y / y_dot * x_dot) ** 2

    return lambda: descent.argmin(flight, outer(flight), (w,), constants["most"])[0]


CALLS: dict[str, Callable[[tuple, dict[str, Any]], Callable[[], Any]]] = {
    "hvp": hessian_vector_product,
    "ba": ba_jacobian,
    "ht": ht_jacobian,
    "kmeans": kmeans_direction,
    "particle": particle_control,
    "saddle": saddle_point,
}
