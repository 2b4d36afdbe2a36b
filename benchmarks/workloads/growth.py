"""Programs that grow: cost has to grow with them in step, without a recursion limit and without repeated work.

These have no hand-written gradient and no target ratio: the question is the exponent.
"""

from __future__ import annotations

import math

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
DOUBLINGS = 60


def deep_loop(x, a, n):
    for _ in range(n):
        x = math.sin(x) * a + x / 2
    return x


def repeated_doubling(y, n):
    """Each value is used twice: 2**n paths lead from the result to y, through n additions."""
    for _ in range(n):
        y = y + y
    return y
