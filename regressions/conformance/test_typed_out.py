"""An array to write to that is given by its place, np.multiply(x, y, buffer), is written to, compiled or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine import check_gradient, gradient

X, Y = np.array([0.5, 1.5, 2.5]), np.array([1.2, 0.4, 3.0])


def into(shape: tuple, write: Callable) -> Callable:
    """A program that reads what was written, and not what was returned."""

    def program(x, y):
        buffer = np.zeros(shape)
        write(x, y, buffer)
        return np.sum(buffer * buffer)

    return program


PROGRAMS = {
    "ufunc": into((3,), lambda x, y, buffer: np.multiply(x, y, buffer)),
    "ufunc of one": into((3,), lambda x, y, buffer: np.exp(x * y, buffer)),
    "reduce": into((), lambda x, y, buffer: np.add.reduce(x * y, 0, None, buffer)),
    "accumulate": into((3,), lambda x, y, buffer: np.add.accumulate(x * y, 0, None, buffer)),
    "sum": into((), lambda x, y, buffer: np.sum(x * y, None, None, buffer)),
    "method": into((), lambda x, y, buffer: (x * y).sum(0, None, buffer)),
    "cumsum": into((3,), lambda x, y, buffer: np.cumsum(x * y, 0, None, buffer)),
    "clip": into((3,), lambda x, y, buffer: np.clip(x * y, 0.0, 2.0, buffer)),
    "concatenate": into((6,), lambda x, y, buffer: np.concatenate([x, y], 0, buffer)),
    "outer": into((3, 3), lambda x, y, buffer: np.outer(x, y, buffer)),
    "dot": into((), lambda x, y, buffer: np.dot(x, y, buffer)),
    "take": into((2,), lambda x, y, buffer: np.take(x * y, [0, 2], 0, buffer)),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_was_written_is_read(program: Callable):
    check_gradient(program, X, Y, order=1)
    assert all(part is not None for part in gradient(program, X, Y))


def test_none_is_no_array_to_write_to():
    assert gradient(lambda x: np.sum(np.exp(x, None)), X)[0].tolist() == np.exp(X).tolist()
