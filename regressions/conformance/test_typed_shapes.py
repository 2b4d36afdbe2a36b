"""Shapes that ints and values decide: a dimension that happens to be 1 in a sample need not be 1 when the program runs.

Each program broadcasts such an array against a number or a row, where a dimension believed to be 1 loses a sum.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine import gradient

from .oracle import difference, tier

POINT = np.array([1.5, 2.0, 3.5, 4.0])

PROGRAMS = {
    "zeros": lambda x, n=3: np.sum(np.zeros(n) + x[0]),
    "zeros of one": lambda x, n=1: np.sum(np.zeros(n) + x),
    "ones of two axes": lambda x, n=3: np.sum(np.ones((n, 2)) + x[0] * np.ones(n)[:, None]),
    "eye": lambda x, n=4: np.sum(np.eye(n) + x[0]),
    "full": lambda x, n=4: np.sum(np.full(n, x[0]) + x[1]),
    "arange": lambda x, n=4: np.sum(np.arange(n) + x[0]),
    "linspace": lambda x, n=4: np.sum(np.linspace(x[0], x[1], n) + x[2]),
    "repeat": lambda x, n=4: np.sum(np.repeat(x[:1], n) + x),
    "repeat once": lambda x, n=1: np.sum(np.repeat(x[:1], n) + x),
    "tile": lambda x, n=4: np.sum(np.tile(x[:1], n) + x[0]),
    "reshape": lambda x, n=2: np.sum(x.reshape(n, -1) + x[:2]),
    "broadcast_to": lambda x, n=1: np.sum(np.broadcast_to(x, (n, 4)) + np.ones((3, 1)) * x[1]),
    "diag": lambda x, n=1: np.sum(np.diag(x, n) + x[0]),
    "squeeze of a slice": lambda x, n=3: np.sum(np.squeeze(x[1:n]) * x[0]),
    "squeeze of one": lambda x, n=2: np.sum(np.squeeze(x[1:n]) * x[0]),
    "unique": lambda x: np.sum(np.unique(x) + x[2]),
    "bincount": lambda x: np.sum(np.bincount(np.array([0, 2, 2, 1]), weights=x) + x[2]),
    "valid part of a convolution": lambda x, w=POINT[:2]: np.sum(np.convolve(x, w, "valid") * x[0]),
    "correlation with a slice": lambda x: np.sum(np.correlate(x, x[:2]) + x[3]),
    "take": lambda x: np.sum(np.take(x, np.array([0])) + x),
    "concatenate of slices": lambda x, n=1: np.sum(np.concatenate([x[1:2], x[: n - 1]]) + x),
}


@pytest.mark.parametrize("where", ["typed", "traced"])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_dimensions_that_an_int_decides(program, where):
    expected = [difference(lambda t, e=e: program(POINT + t * e)) for e in np.eye(4)]
    with tier(where):
        (found,) = gradient(program, POINT)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


def test_what_a_program_prints_is_printed_at_each_call_and_nothing_else(capsys):
    def program(x):
        print("at", x)
        print("done")
        return x * x

    for _ in range(2):
        gradient(program, 3.0)
        assert capsys.readouterr().out == "at 3.0\ndone\n"


def test_a_mode_that_a_program_sets_is_set_at_each_call():
    def program(x):
        np.set_printoptions(precision=5)
        return x * x

    before = np.get_printoptions()["precision"]
    try:
        for _ in range(2):
            np.set_printoptions(precision=before)
            gradient(program, 3.0)
            assert np.get_printoptions()["precision"] == 5
    finally:
        np.set_printoptions(precision=before)
