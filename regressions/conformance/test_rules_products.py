"""Rules of products: matrix products, contractions, einsum, convolution and correlation, interpolation."""

import operator

import numpy as np
import pytest

from engine import gradient
from engine.rules.products import cheapest_splits, explicit

from .rule_rows import row, row_tests

RNG = np.random.default_rng(19)


def real(*shape):
    return RNG.uniform(-2, 2, shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


V, W, M, N, T = real(3), real(3), real(2, 3), real(3, 2), real(2, 2, 3)
CV, CM, CN = complex_(3), complex_(2, 3), complex_(3, 2)
Q = real(3, 3)

PAIRS = (
    (V, W), (M, V), (V, N), (M, N), (T, V), (V, real(2, 3, 2)), (T, N), (M, real(2, 3, 2)), (T, real(2, 3, 2)),
    (real(2, 1, 2, 3), real(3, 3, 1)), (CM, CN), (CV, CV[::-1]), (CM, V), (M, CN), (M[:, ::-1], N[::-1]),
    (np.zeros((0, 3)), N), (np.zeros((2, 0)), np.zeros((0, 3))),
)  # fmt: skip
DOTS = (
    (V, W), (M, V), (V, N), (M, N), (T, V), (V, real(2, 3, 2)), (T, N), (M, real(2, 3, 2)), (T, real(2, 3, 2)),
    (CM, CN), (CV, CV[::-1]), (0.7, M), (M, np.array(0.7)), (0.7, 1.3), (CM, real(2, 3, 2)),
)  # fmt: skip
SUBSCRIPTS = (
    ("ij,jk->ik", M, N),
    ("ij,jk", M, N),
    ("i,i", V, W),
    ("i,j->ij", V, W),
    ("ij->ji", M),
    ("ij->", M),
    ("ij->i", M),
    ("ii", Q),
    ("ii->i", Q),
    ("iij->j", real(2, 2, 3)),
    ("ijk,ij->k", T, real(2, 2)),
    ("...ij,jk->...ik", T, N),
    ("...i,...i->...", T, V),
    ("i...,...->i...", real(3, 2), real(1, 2)),
    ("ij,jk,kl->il", M, N, T[0]),
    ("ij,j,k->i", M, V, W),
    ("ij,jk->ik", CM, CN),
    ("i,i", CV, V),
    ("ij,ij->", M, T[1]),
    ("...", M),
    (" ij , jk -> ki ", M, N),
    ("ij,ij->ij", real(1, 3), M),
    ("ij,jk->ik", real(2, 1), N),
    ("ii,ij->j", Q, Q.T),
    ("iji->j", complex_(2, 3, 2)),
    ("ijk->j", T),
    ("ij,kl->", M, N),
    ("b...a,...ab->...", real(2, 3), real(1, 3, 2)),
    ("...,...", 0.7, V),
    ("ij,ij,ij->i", M, T[0], T[1]),
)
LABELLED = (
    (M, [0, 1], N, [1, 2], [0, 2]), (M, [0, 1], N, [1, 2]), (Q, [3, 3], [3]), (T, [..., 1], V, [1], [...]),
    (CM, [0, 1], CN, [1, 26], [26, 0]), (M, [5, 3]), (V, [0], W, [0], T[0, 0], [0], []),
)  # fmt: skip


ROWS = [
    *[row(f, a, b, zero=not (np.size(a) and np.size(b))) for f in (operator.matmul, np.matmul) for a, b in PAIRS],
    *[row(np.dot, a, b) for a, b in DOTS],
    *[row(np.vdot, a, b) for a, b in ((V, W), (M, M[::-1]), (CV, CV[::-1]), (CM, M), (0.7, 1.3))],
    *[row(np.inner, a, b) for a, b in ((V, W), (M, M[::-1]), (T, V), (CM, CM[::-1]), (0.7, M))],
    *[row(np.outer, a, b) for a, b in ((V, W), (M, W), (CV, V), (0.7, W))],
    *[row(np.tensordot, a, b, axes) for a, b, axes in (
        (M, N, 1), (M, T[1], 2), (T, real(2, 3), ((0, 2), (0, 1))), (M, N, (-1, 0)), (V, W, 0), (CM, CN, ([1], [0])))],
    *[row(np.kron, a, b) for a, b in ((V, W), (M, N), (V, M), (CM, V), (0.7, V))],
    *[row(np.cross, a, b) for a, b in ((V, W), (real(2, 3), V), (CV, V))],
    row(np.cross, real(3, 2), real(2, 3), 0, 1, 0),
    row(np.cross, N, N[::-1], axis=0),
    row(np.linalg.multi_dot, [M, N, T[0]]),
    row(np.linalg.multi_dot, (V, N, M, W)),
    row(np.linalg.multi_dot, [real(1, 4), real(4, 2), real(2, 5), complex_(5, 1)]),
    row(np.linalg.multi_dot, [real(5, 1), real(1, 5), real(5)]),
    *[row(np.einsum, *args) for args in SUBSCRIPTS],
    *[row(np.einsum, *args) for args in LABELLED],
    *[row(np.einsum, "ij,jk,kl->il", M, N, T[0], optimize=how) for how in (
        True, "greedy", "optimal", ["einsum_path", (0, 1), (0, 1)])],
    row(np.einsum, "ij,jk->ik", CM, N, dtype=complex, casting="safe", order="C"),
    *[row(np.convolve, a, v, mode) for mode in ("full", "same", "valid")
      for a, v in ((real(4), V), (V, real(4)), (real(2), real(4)), (CV, real(2)))],
    *[row(np.correlate, a, v, mode) for mode in ("full", "same", "valid")
      for a, v in ((real(4), V), (V, real(4)), (real(2), real(4)), (CV, complex_(2)))],
    row(np.interp, np.array([-0.3, 0.4, 1.1, 2.7, 3.5]), np.array([0.0, 1.0, 2.0, 3.0]), real(4)),
    row(np.interp, np.array([-0.3, 0.4, 3.5]), np.array([0.0, 1.0, 3.0]), V, 0.7, -0.4),
    row(np.interp, 0.4, np.array([0.0, 1.0, 3.0]), V),
    *[row(np.convolve, a, v, mode) for mode in ("full", "same", "valid")
      for a, v in ((complex_(2), complex_(5)), (real(5), CV), (real(1), V), (real(3), real(6)[::-2]))],
    *[row(np.correlate, a, v, mode) for mode in ("full", "same", "valid")
      for a, v in ((complex_(2), complex_(5)), (real(5), CV), (real(1), V), (real(3), real(6)[::-2]))],
]  # fmt: skip

if hasattr(np.linalg, "vecdot"):  # NumPy 2
    L = np.linalg
    ROWS += [
        *[row(L.matmul, a, b) for a, b in ((M, N), (CM, CN), (T, N))],
        *[row(L.outer, a, b) for a, b in ((V, W), (CV, V))],
        *[row(L.cross, a, b) for a, b in ((V, W), (real(2, 3), CV))],
        row(L.cross, real(3, 2), real(3, 2), axis=0),
        *[row(L.tensordot, a, b, axes=axes) for a, b, axes in ((M, N, 1), (CM, CN, ((0, 1), (1, 0))))],
        *[row(f, a, b) for f in (np.vecdot, L.vecdot) for a, b in ((V, W), (CV, V), (T, CV), (CM, CM[::-1]))],
        *[row(f, a, b, axis=0) for f in (np.vecdot, L.vecdot) for a, b in ((M, real(2, 1)), (CM, real(2)))],
        row(np.vecdot, CM, CV, keepdims=True),
    ]  # fmt: skip
if hasattr(np, "matvec"):  # NumPy 2.2
    ROWS += [
        *[row(np.matvec, a, b) for a, b in ((M, V), (CM, CV), (T, real(2, 3)), (T, V))],
        *[row(np.vecmat, a, b) for a, b in ((V, N), (CV, CN), (T, N), (V, complex_(2, 3, 2)))],
    ]

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize(
    "subscripts, ndims, expected",
    [
        ("ij,jk", [2, 2], (["ij", "jk"], "ik")),
        ("ba", [2], (["ba"], "ab")),
        ("...i,...ij->...j", [2, 4], (["Bi", "ABij"], "ABj")),
        ("A...", [2], (["AB"], "BA")),
    ],
)
def test_subscripts_are_spelled_out(subscripts, ndims, expected):
    assert explicit(subscripts, ndims) == expected


def test_a_chain_of_products_is_split_where_it_is_cheapest():
    """The example of Cormen, Leiserson, Rivest and Stein: (A1 (A2 A3)) ((A4 A5) A6)."""
    splits = cheapest_splits([(30, 35), (35, 15), (15, 5), (5, 10), (10, 20), (20, 25)])
    assert splits[0][5] == 2 and splits[0][2] == 0 and splits[3][5] == 4


def test_the_path_of_an_einsum_is_a_constant():
    (g,) = gradient(lambda x: np.sum(np.einsum("ij,jk", x, N, optimize=np.einsum_path("ij,jk", x, N)[0])), M)
    np.testing.assert_allclose(g, np.broadcast_to(np.sum(N, 1), (2, 3)))


def test_vectors_of_four_have_no_cross_product():
    with pytest.raises(ValueError, match="cross product"):
        gradient(lambda x: np.sum(np.cross(x, x)), real(4))


def test_one_operand_in_several_places_collects_from_each():
    (g,) = gradient(lambda x: np.sum(np.einsum("ij,ij,ij->i", x, x, x)), M)
    np.testing.assert_allclose(g, 3 * M**2, rtol=1e-12)
    (g,) = gradient(lambda x: np.einsum("ii,ij->", x, x), Q)
    np.testing.assert_allclose(g, np.diag(Q)[:, None] + np.diag(np.sum(Q, 1)), rtol=1e-12)
