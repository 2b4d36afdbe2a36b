"""Rules of shapes, joins, splits, repeats, copies, diagonals and padding."""

import numpy as np
import pytest

from engine.rules import ATTRIBUTES, METHODS, composed, lookup
from engine.rules.shape import astype, item

from .rule_rows import row, row_tests

RNG = np.random.default_rng(13)
A = RNG.uniform(-2, 2, (2, 3, 2))
M = A[..., 0].copy()
V = np.array([1.3, -0.4, 2.2])
Z = M + 1j * RNG.uniform(-1, 1, M.shape)
S = np.array(0.7)
E = np.zeros((0, 3))
F = np.asfortranarray(M)

ROWS = [
    *[row(np.reshape, x, shape) for x in (M, M.T, A[::-1], Z) for shape in (-1, (3, -1))],
    *[row(np.reshape, x, (3, 2), order) for x in (M, F) for order in ("F", "A")],
    row(np.reshape, V, (3, 1)),
    row(np.reshape, S, (1, 1)),
    row(np.reshape, E, (3, 0)),
    *[row(np.ravel, x, order) for x in (M, M.T, A.transpose(1, 0, 2), A[::-1]) for order in ("C", "F", "A", "K")],
    row(np.ravel, S),
    row(np.ravel, 0.7),
    *[row(np.expand_dims, M, axis) for axis in (0, -1, (0, 2))],
    row(np.expand_dims, 0.7, 0),
    row(np.squeeze, M[:1]),
    row(np.squeeze, A[:1, :, :1], 0),
    row(np.squeeze, A[:1, :, :1], (0, -1)),
    *[row(f, x) for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d) for x in (0.7, S, V, M, A)],
    *[row(f, V, 0.7) for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d)],
    *[row(np.transpose, x) for x in (M, A, V, S, E)],
    *[row(np.transpose, A, axes) for axes in ((1, 0, 2), (-1, 0, 1), [2, 1, 0])],
    row(np.swapaxes, A, 0, -1),
    row(np.moveaxis, A, 0, -1),
    row(np.moveaxis, A, (0, 1), (2, 0)),
    row(np.rollaxis, A, 2),
    row(np.rollaxis, A, 0, 3),
    row(np.rollaxis, A, -1, 1),
    *[row(np.flip, A, axis) for axis in (None, 0, (0, -1))],
    *[row(f, M) for f in (np.fliplr, np.flipud, np.rot90)],
    row(np.rot90, A, 3, (1, 2)),
    *[row(np.roll, M, shift, axis) for shift, axis in ((1, None), (-2, 1), ((1, 2), (0, 1)), (2, (0, 1)))],
    *[row(np.broadcast_to, x, (2, 3)) for x in (V, S, 0.7, M[:, :1])],
    row(np.broadcast_arrays, V, M[:, :1], 0.7),
    *[row(np.tile, x, reps) for x in (V, M, S) for reps in (2, (2, 3), (2, 1, 2))],
    row(np.tile, A, (2, 1)),
    *[row(np.repeat, x, 2, axis) for x, axis in ((V, None), (M, 0), (M, -1), (A, 1), (M, None))],
    row(np.repeat, M, np.array([2, 0, 3]), 1),
    row(np.repeat, V, np.array([1, 0, 2])),
    row(np.repeat, 0.7, 3),
    row(np.meshgrid, V, np.array([0.3, 0.9])),
    row(np.meshgrid, V, np.array([0.3, 0.9]), np.array([1.5]), indexing="ij"),
    row(np.meshgrid, V, np.array([0.3, 0.9]), sparse=True),
    row(np.meshgrid, V),
    row(np.concatenate, [V, V[:2]]),
    row(np.concatenate, (M, A[..., 1]), -1),
    row(np.concatenate, (M, A[:1, :, 1]), axis=0),
    row(np.concatenate, (M, V), None),
    row(np.concatenate, A),
    row(np.concatenate, (V, Z[0])),
    *[row(np.stack, (M, A[..., 1]), axis) for axis in (0, 1, -1)],
    row(np.stack, A, 1),
    row(np.stack, [0.7, S]),
    *[row(f, [V, 2 * V]) for f in (np.vstack, np.hstack, np.dstack, np.column_stack)],
    *[row(f, (M, A[..., 1])) for f in (np.vstack, np.hstack, np.dstack, np.column_stack)],
    row(np.column_stack, (V, M.T)),
    row(np.append, M, V),
    row(np.append, M, M[:1], 0),
    row(np.append, V, 1.0),
    row(np.block, [[M, M[:, :1]], [V, S]]),
    row(np.block, [V, 0.7]),
    *[row(np.split, V, n) for n in (3, [1])],
    row(np.split, A, [1, 2], 1),
    row(np.array_split, V, 2),
    row(np.array_split, M, 2, 1),
    row(np.vsplit, M, 2),
    row(np.hsplit, M, 3),
    row(np.hsplit, V, 3),
    row(np.dsplit, A, 2),
    row(np.array, M),
    row(np.array, 0.7),
    row(np.array, [0.7, 1.3]),
    row(np.array, [[0.7, 1.3], (S, 2.0)]),
    row(np.array, [V, 2 * V]),
    row(np.array, (0.7, 1), dtype=complex),
    *[row(f, x) for f in (np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.copy)
      for x in (M.T, S, 0.7)],
    row(np.full, (2, 3), 0.7),
    row(np.full, (2, 3), V),
    row(np.full_like, M, 0.7, single=False),
    row(astype, M, complex),
    row(item, S),
    row(item, M, 4),
    row(item, M, -1),
    row(item, M, 1, 2),
    row(item, M, (1, 2)),
    *[row(f, x, k) for f in (np.tril, np.triu) for x in (M, A) for k in (0, 1, -1)],
    *[row(np.diagonal, M, k) for k in (0, 1, -1)],
    row(np.diagonal, A, 0, 2, 0),
    row(np.diagonal, A, 1, -1, 1),
    *[row(np.diag, x, k) for x in (V, M) for k in (0, 1, -1)],
    row(np.diagflat, M, 1),
    *[row(f, Z) for f in (np.diag, np.diagonal, np.diagflat, np.tril, np.squeeze)],
    row(np.repeat, Z, 2, 1),
    row(np.tile, Z, (2, 2)),
]  # fmt: skip
ROWS += [
    *[row(f, x) for f in (np.asarray_chkfinite, np.require) for x in (M.T, S, Z)],
    row(np.require, M, None, ["F", "O"]),
    row(np.ix_, V, np.array([1, 0])),
    row(np.ix_, V[::-1], V[:2], Z[0]),
    row(np.array, V, ndmin=3),
    row(np.array, [0.7, 1.3], ndmin=2),
    row(np.concatenate, (V, 2 * V), dtype=complex, single=False),
    row(np.stack, (V, 2 * V), dtype=complex, single=False),
    row(np.vstack, (V, 2 * V), dtype=complex),
    row(np.hstack, (V, 2 * V), dtype=complex),
    row(np.repeat, M, np.array([1, 2, 0]), 1),
    row(np.repeat, M, [2, 0], -2),
    row(np.roll, M, [1, -2], (0, 0)),
    row(np.tile, M, (0, 2), zero=True),
]
for name in ("matrix_transpose", "unstack", "astype"):
    if hasattr(np, name):
        ROWS.append(row(getattr(np, name), A, *([complex] if name == "astype" else [])))
if hasattr(np.linalg, "matrix_transpose"):
    ROWS.append(row(np.linalg.matrix_transpose, Z))

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


CALLS = {
    "argpartition": (1,), "astype": (complex,), "choose": None, "clip": (-0.5, 0.5), "compress": ([True, False], 0),
    "dot": (V,), "item": (2,), "repeat": (2, 1), "reshape": (3, 2), "searchsorted": None, "swapaxes": (0, 1),
    "take": ([0, 1], 1), "transpose": (1, 0), "round": (1,),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_is_the_function_the_table_says(name):
    args = CALLS.get(name, ())
    if args is None:
        receiver, args = (np.array([0, 1, 1]), ((V, 2 * V),)) if name == "choose" else (np.sort(V), (0.5,))
    else:
        receiver = M
    got, expected = METHODS[name](receiver, *args), getattr(receiver, name)(*args)
    np.testing.assert_array_equal(got, expected)
    assert type(got) is type(expected)


def test_the_methods_that_write_are_not_in_the_table():
    missing = {n for n in dir(np.ndarray) if not n.startswith("_") and callable(getattr(np.ndarray, n))} - set(METHODS)
    stores = {"fill", "itemset", "partition", "put", "resize", "setfield", "setflags", "sort"}
    memory = {"byteswap", "dump", "dumps", "getfield", "newbyteorder", "tobytes", "tofile", "tostring", "view"}
    assert missing <= stores | memory | {"ptp", "to_device"}


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_an_attribute_is_the_function_the_table_says(name):
    if hasattr(Z, name):
        np.testing.assert_array_equal(ATTRIBUTES[name](Z), getattr(Z, name))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_is_differentiated_or_constant(name):
    from engine.rules import is_constant

    function = METHODS[name]
    known = lookup(function) or composed(function) or is_constant(function)
    assert known or function.__module__.startswith("engine.rules")
