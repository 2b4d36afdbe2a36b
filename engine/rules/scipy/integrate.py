"""scipy.integrate: sums over samples have derivatives; what calls back chooses its points by values, and is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import integrate as si

from ..reductions import trapezoid
from ..registry import composition, constant, existing, refused
from ..vocabulary import rebased


def cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """The running integral of samples by the trapezoidal rule."""
    y = np.moveaxis(y, axis, -1)
    if x is None:
        width = dx
    else:
        width = np.diff(x) if np.ndim(x) == 1 else np.diff(np.moveaxis(x, axis, -1))
    result = np.cumsum(width * (y[..., 1:] + y[..., :-1]) / 2.0, -1)
    if initial is not None:
        result = np.concatenate([np.zeros_like(result[..., :1]) + initial, result], -1)
    return np.moveaxis(result, -1, axis)


def simpson(y: Any, x: Any = None, *, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of the parabolas through three samples each; of an even number the last one is half a parabola."""
    heights = np.moveaxis(y, axis, -1)
    n = np.shape(heights)[-1]
    if x is None:
        steps = np.full(n - 1, 1.0) * dx
    else:
        steps = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    if n == 2:
        moving = 0.5 * steps[..., 0] * (heights[..., 0] + heights[..., 1])
    else:
        last = n - 1 if n % 2 else n - 2  # the sample that the whole parabolas end at
        h0, h1 = steps[..., 0 : last - 1 : 2], steps[..., 1:last:2]
        both = h0 + h1
        parts = heights[..., 0 : last - 1 : 2] * (2 - h1 / h0) + heights[..., 2 : last + 1 : 2] * (2 - h0 / h1)
        parts = parts + heights[..., 1:last:2] * (both * both / (h0 * h1))
        moving = np.sum(both / 6 * parts, -1)
        if n % 2 == 0:
            before, h = steps[..., -2], steps[..., -1]
            moving = moving + heights[..., -1] * ((2 * h * h + 3 * before * h) / (6 * (before + h)))
            moving = moving + heights[..., -2] * ((h * h + 3 * before * h) / (6 * before))
            moving = moving - heights[..., -3] * (h**3 / (6 * before * (before + h)))
    return rebased(found_simpson(y, x, dx, axis), moving)


def romb(y: Any, dx: float = 1.0, axis: int = -1, show: Any = False) -> Any:
    """Romberg's integral of 2^k + 1 samples: trapezoids in steps that are halved, extrapolated."""
    heights = np.moveaxis(y, axis, -1)
    intervals = np.shape(heights)[-1] - 1
    row = [(heights[..., 0] + heights[..., -1]) / 2 * (intervals * dx)]
    step = intervals
    while step > 1:
        middle = np.sum(heights[..., step // 2 :: step], -1) * (step * dx)
        step = step // 2
        fresh = [0.5 * (row[0] + middle)]
        for j in range(len(row)):
            fresh.append(fresh[j] + (fresh[j] - row[j]) / (4 ** (j + 1) - 1))
        row = fresh
    return rebased(found_romb(y, dx, axis, show), row[-1])


def cumulative_simpson(y: Any, *, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """The running integral of the parabolas through three samples each."""
    heights = np.moveaxis(np.asarray(y) * 1.0, axis, -1)
    n = np.shape(heights)[-1]
    if n < 3:
        result = np.moveaxis(cumulative_trapezoid(y, x, dx, axis), axis, -1)
    else:
        if x is None:
            steps = dx * np.ones(n - 1) if np.ndim(dx) == 0 else np.moveaxis(dx, axis, -1) * np.ones(n - 1)
        else:
            steps = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
        first = first_steps(heights, steps)
        last = np.flip(first_steps(np.flip(heights, -1), np.flip(steps, -1)), -1)
        even = np.arange(n - 1) % 2 == 0
        ahead = np.concatenate([first, first[..., -1:]], -1)
        behind = np.concatenate([last[..., :1], last], -1)
        at_the_end = np.arange(n - 1) == n - 2
        result = np.cumsum(np.where(even & ~at_the_end, ahead, behind), -1)
    if initial is not None:
        start = initial if np.ndim(initial) == 0 else np.moveaxis(initial, axis, -1)
        result = np.concatenate([np.zeros_like(result[..., :1]) + start, result + start], -1)
    return rebased(found_cumulative(y, x, dx, axis, initial), np.moveaxis(result, -1, axis))


def first_steps(heights: Any, steps: Any) -> Any:
    """Of the parabola through three samples the part between the first two."""
    h, following = steps[..., :-1], steps[..., 1:]
    both = h + following
    curved = h * h / (both * following)
    parts = heights[..., :-2] * (3 - h / both) + heights[..., 1:-1] * (3 + curved + h / both)
    return h / 6 * (parts - heights[..., 2:] * curved)


def found_cumulative(y: np.ndarray, x: Any, dx: Any, axis: int, initial: Any) -> Any:
    """SciPy's value of cumulative_simpson."""
    return si.cumulative_simpson(y, x=x, dx=dx, axis=axis, initial=initial)


def found_simpson(y: np.ndarray, x: np.ndarray | None, dx: float, axis: int) -> Any:
    """SciPy's value of simpson."""
    return si.simpson(y, x=x, dx=dx, axis=axis)


def found_romb(y: np.ndarray, dx: float, axis: int, show: Any) -> Any:
    """SciPy's value of romb, which refuses other numbers of samples."""
    return si.romb(y, dx, axis, show)


constant(found_simpson, found_romb, found_cumulative)
composition(si.simpson, simpson)
composition(si.romb, romb)
composition(si.trapezoid, trapezoid)
composition(si.cumulative_trapezoid, cumulative_trapezoid)
for _newer in existing(si, "cumulative_simpson"):
    composition(_newer, cumulative_simpson)

constant(*existing(si, "newton_cotes lebedev_rule"), reason="it depends on orders only")
refused(
    *existing(si, "simps trapz cumtrapz"),
    reason="its name is an old one",
    way_out="scipy.integrate.simpson, trapezoid, cumulative_trapezoid",
)
refused(
    *existing(si, "qmc_quad cubature nsum tanhsinh romberg quadrature"),
    reason="it calls the integrand from code that is out of sight, at points that it chooses by values",
    way_out="scipy.integrate.quad or quad_vec, or nodes x and weights w of your own, np.sum(w * f(x))",
)
refused(
    *existing(
        si,
        "odeint solve_ivp solve_bvp ode complex_ode BDF DOP853 LSODA RK23 RK45 Radau OdeSolver OdeSolution DenseOutput",
    ),
    reason="it calls the right-hand side from code that is out of sight, in steps that it chooses by values",
    way_out="a loop of your own over fixed steps (Runge-Kutta), which the engine differentiates",
)
