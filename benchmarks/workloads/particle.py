"""A charged particle steered to the origin: Euler steps along the gradient of a potential, inside a descent.

The force is a derivative that the program takes at every step; the outer slope is a derivative of the whole flight, a
loop that ends when the particle lands.
"""

from __future__ import annotations

import math

from benchmarks.workloads.descent import MODES, argmin
from benchmarks.workloads.workload import Size, Workload

STEP = 0.1


def distance(x, y, at_x, at_y):
    return math.sqrt((x - at_x) * (x - at_x) + (y - at_y) * (y - at_y))


def potential(at, w):
    """Of two charges, one of which is placed by w."""
    x, y = at
    return 1.0 / distance(x, y, 10.0, 10.0 - w) + 1.0 / distance(x, y, 10.0, 0.0)


def landing(w, slope):
    """The squared distance from the origin to where the flight meets the axis, driven down the slope `slope(at, w)`."""
    x, y = 0.0, 8.0
    x_dot, y_dot = 0.75, 0.0
    while True:
        slope_x, slope_y = slope((x, y), w)
        x, y = x + STEP * x_dot, y + STEP * y_dot
        if y <= 0:
            break
        x_dot, y_dot = x_dot - STEP * slope_x, y_dot - STEP * slope_y
    x = x - y / y_dot * x_dot
    return x * x


def by_engine(w, outer, inner, most=math.inf):
    """`outer` and `inner` are "r" for reverse mode and "f" for forward mode."""

    def slope_of_potential(at, w):
        return MODES[inner](lambda at: potential(at, w))(at)

    def flight(w):
        return landing(w[0], slope_of_potential)

    return argmin(flight, MODES[outer](flight), (w,), most)[0]


def slope_of_potential(at, w):
    x, y = at
    cubed, cubed_too = distance(x, y, 10.0, 10.0 - w) ** 3, distance(x, y, 10.0, 0.0) ** 3
    return (10.0 - x) / cubed + (10.0 - x) / cubed_too, (10.0 - w - y) / cubed - y / cubed_too


def slope_of_landing(w):
    """Forward: how the flight moves with w."""
    x, y, x_dot, y_dot = 0.0, 8.0, 0.75, 0.0
    x_w, y_w, x_dot_w, y_dot_w = 0.0, 0.0, 0.0, 0.0
    while True:
        a, b, c = 10.0 - x, 10.0 - w - y, -y
        r, s = math.sqrt(a * a + b * b), math.sqrt(a * a + c * c)
        a_w, b_w, c_w = -x_w, -1.0 - y_w, -y_w
        r_w, s_w = (a * a_w + b * b_w) / r, (a * a_w + c * c_w) / s
        p, q = 1.0 / r**3, 1.0 / s**3
        p_w, q_w = -3.0 * p * r_w / r, -3.0 * q * s_w / s
        x, y, x_w, y_w = x + STEP * x_dot, y + STEP * y_dot, x_w + STEP * x_dot_w, y_w + STEP * y_dot_w
        if y <= 0:
            t = -y / y_dot
            t_w = -(y_w + t * y_dot_w) / y_dot
            return 2.0 * (x + t * x_dot) * (x_w + t_w * x_dot + t * x_dot_w)
        x_dot, y_dot = x_dot - STEP * a * (p + q), y_dot - STEP * (b * p + c * q)
        x_dot_w -= STEP * (a_w * (p + q) + a * (p_w + q_w))
        y_dot_w -= STEP * (b_w * p + b * p_w + c_w * q + c * q_w)


def by_hand(w, outer, inner, most=math.inf):
    return argmin(lambda w: landing(w[0], slope_of_potential), lambda w: (slope_of_landing(w[0]),), (w,), most)[0]


def arguments(outer, inner, most=math.inf):
    return (0.0,), {"outer": outer, "inner": inner, "most": most}


GAP = (
    "A derivative inside a derivative is pushed or pulled through as code of its own; by hand second "
    "derivatives are closed forms of a few numbers. It would take algebra across the levels."
)

WORKLOAD = Workload(
    "particle",
    None,
    by_hand,
    (
        Size("rr,1 step", lambda: arguments("r", "r", 1)),
        Size("rf,1 step", lambda: arguments("r", "f", 1)),
        Size("fr,1 step", lambda: arguments("f", "r", 1)),
        Size("ff,1 step", lambda: arguments("f", "f", 1)),
        Size("rr", lambda: arguments("r", "r")),
        Size("rf", lambda: arguments("r", "f")),
        Size("fr", lambda: arguments("f", "r")),
        Size("ff", lambda: arguments("f", "f")),
    ),
    derivative=by_engine,
    gap=GAP,
)
