"""scipy.integrate: sums over samples have derivatives; what calls back chooses its points by values, and is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import integrate as si

from .reductions import trapezoid
from .registry import composition, constant, existing, refused


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


composition(si.trapezoid, trapezoid)
composition(si.cumulative_trapezoid, cumulative_trapezoid)

constant(*existing(si, "newton_cotes lebedev_rule"), reason="it depends on orders only")
refused(
    *existing(si, "simpson cumulative_simpson romb simps trapz cumtrapz"),
    reason="its weights are not stated",
    way_out="scipy.integrate.trapezoid, or weights of your own and np.sum",
)
refused(
    *existing(si, "quad dblquad tplquad nquad quad_vec fixed_quad qmc_quad cubature nsum tanhsinh romberg quadrature"),
    reason="it calls the integrand from code that is out of sight, at points that it chooses by values",
    way_out="fixed nodes and weights, x, w = np.polynomial.legendre.leggauss(n), and np.sum(w * f(x))",
)
refused(
    *existing(
        si,
        "odeint solve_ivp solve_bvp ode complex_ode BDF DOP853 LSODA RK23 RK45 Radau OdeSolver OdeSolution DenseOutput",
    ),
    reason="it calls the right-hand side from code that is out of sight, in steps that it chooses by values",
    way_out="a loop of your own over fixed steps (Runge-Kutta), which the engine differentiates",
)
