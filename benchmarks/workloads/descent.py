"""Gradient descent that doubles its step after ten good ones and halves it after a bad one: GradBench's optimiser.

Points are tuples of floats, and so are slopes: `reverse` and `forward` are two ways to a slope.
"""

from __future__ import annotations

import math

import engine

FIRST_STEP, TOLERANCE = 1e-5, 1e-5


def reverse(f):
    """The gradient of f, by one reverse sweep."""
    return lambda x: engine.gradient(f, x)[0]


def forward(f):
    """The gradient of f, by one pushforward a component."""

    def slope(x):
        axes = range(len(x))
        return tuple([engine.jvp(f, (x,), (tuple([float(i == j) for j in axes]),))[1] for i in axes])

    return slope


MODES = {"r": reverse, "f": forward}


def length(v):
    total = 0.0
    for a in v:
        total += a * a
    return math.sqrt(total)


def argmin(f, slope, start, most=math.inf):
    """After `most` turns of the loop, if it has not found it before."""
    x, value, g = start, f(start), slope(start)
    step, good, turns = FIRST_STEP, 0, 0
    while length(g) > TOLERANCE and turns < most:
        turns += 1
        if good == 10:
            step, good = 2 * step, 0
            continue
        move = tuple([step * a for a in g])
        if length(move) <= TOLERANCE:
            break
        ahead = tuple([a - b for a, b in zip(x, move, strict=True)])
        value_ahead = f(ahead)
        if value_ahead < value:
            x, value, g = ahead, value_ahead, slope(ahead)
            good += 1
        else:
            step, good = step / 2, 0
    return x


def argmax(f, slope, start, most=math.inf):
    return argmin(lambda x: -f(x), lambda x: tuple([-a for a in slope(x)]), start, most)
