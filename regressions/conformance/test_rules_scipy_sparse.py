"""Sparse arrays: active numbers in them, active operands beside them, and what is refused by name."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg as ssl

from engine import Tangent, gradient, value_and_gradient
from engine.errors import DifferentiationError

from .oracle import TIERS, Table, checks_of, tier

RNG = np.random.default_rng(97)
DENSE = np.round(RNG.uniform(-3, 3, (3, 4)))
DENSE[0, 1] = 0.0
X, Y, XS, YS = RNG.uniform(-1, 1, 4), RNG.uniform(-1, 1, 3), RNG.uniform(-1, 1, (4, 2)), RNG.uniform(-1, 1, (2, 3))
NUMBERS, ROWS_OF, COLUMNS = RNG.uniform(0.5, 2, 4), np.array([0, 2, 1, 2]), np.array([1, 1, 3, 1])  # one place twice
REGULAR = RNG.uniform(-1, 1, (3, 3)) + 3 * np.eye(3)
PLACES = np.nonzero(REGULAR)
KINDS = [f"{kind}_{form}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil") for form in ("array", "matrix")]

PROGRAMS = Table()


@PROGRAMS.at(X, Y, XS, YS)
def products_with_constant_arrays(x, y, xs, ys):
    total = 0.0
    for name in KINDS:
        a = getattr(sparse, name)(DENSE)
        total = total + np.sum((a @ x) ** 2) + np.sum((a @ xs) ** 2) + np.sum((y @ a) ** 2) + np.sum((ys @ a) ** 2)
        total = total + np.sum(a.dot(x) ** 2) + np.sum((a.T @ y) ** 2) + np.sum(a.T.dot(ys.T) ** 2)
    return total + np.sum((sparse.csr_matrix(DENSE) * x) ** 2)


@PROGRAMS.at(DENSE + 0.1, X, 0.7)
def entries_and_factors(w, x, s):
    total = 0.0
    for name in ("coo_array", "csc_matrix", "csr_array", "csr_matrix", "dia_array"):
        a = getattr(sparse, name)(DENSE)
        total = total + np.sum((a.multiply(w) @ X) ** 2) + np.sum(((a * s) @ x) ** 2) + np.sum(((s * a) @ X) ** 3)
    return total + np.sum(((sparse.csr_array(DENSE) / s) @ X) ** 2)


@PROGRAMS.at(NUMBERS, X)
def numbers_at_places(v, x):
    total = 0.0
    for kind in ("coo_array", "csr_array", "csc_array", "csr_matrix"):
        a = getattr(sparse, kind)((v, (ROWS_OF, COLUMNS)), shape=(3, 4))
        total = total + np.sum((a @ (x * v[0])) ** 2) + np.sum((Y @ a) ** 2) + np.sum((a.T @ Y) ** 2)
        total = total + np.sum(a.toarray() ** 2) * a.sum() + np.sum((a.tocsc().dot(XS)) ** 2)
    return total


@PROGRAMS.at(NUMBERS)
def arithmetic(v):
    a = sparse.csr_array((v, (ROWS_OF, COLUMNS)), shape=(3, 4))
    b = sparse.csr_array(DENSE)
    mixed = (a + 2 * b - a / 3) * v[1] - b
    sums = np.sum(a.sum(0) ** 3) + np.sum(a.sum(axis=1) ** 3) + np.sum(a.diagonal() ** 2) + (a.trace() - 1) ** 2
    return np.sum((-mixed @ X) ** 2) + sums + np.sum((a.multiply(DENSE).conj().copy() @ X) ** 2)


@PROGRAMS.at(DENSE, RNG.uniform(-1, 1, 7))
def made_of_a_dense_matrix_and_of_fields(m, data):
    """A zero of the dense matrix counts: its derivative is none."""
    b = sparse.csr_array(DENSE)
    rows = sparse.csr_array((data, np.array([0, 2, 3, 1, 0, 1, 2]), np.array([0, 3, 4, 7])), shape=(3, 4))
    columns = sparse.csc_matrix((data, np.array([0, 2, 1, 1, 0, 1, 2]), np.array([0, 2, 3, 5, 7])), shape=(3, 4))
    blocks = sparse.bsr_array((np.reshape(data[:6], (2, 1, 3)), [0, 1], [0, 1, 2]), shape=(2, 6))
    diagonals = sparse.dia_array((np.reshape(data[:6], (2, 3)), [0, 1]), shape=(3, 3))
    total = np.sum((sparse.csr_array(m) @ X) ** 2) + np.sum(((sparse.coo_matrix(m) - b) @ X) ** 2)
    total = total + np.sum((rows @ X) ** 2) + np.sum((columns @ X) ** 3) + np.sum((blocks @ np.ones(6)) ** 2)
    return total + np.sum((diagonals @ Y) ** 2)


@PROGRAMS.at(REGULAR[PLACES], Y)
def systems(v, b):
    a = sparse.csc_array((v, PLACES), shape=(3, 3))
    constant = ssl.spsolve(sparse.csc_array(REGULAR), b)
    several = ssl.spsolve(a, np.stack([b, b**2], 1))
    return np.sum(ssl.spsolve(a, b) ** 2) + np.sum(several**3) + np.sum(constant**2) + np.sum(ssl.spsolve(a.tocsr(), Y))


@PROGRAMS.at(NUMBERS)
def numbers_in_memory_that_is_written_to(v):
    """csr_array and coo_array look at the memory of the numbers; a sorted array has its own."""
    w = v * 1.0
    looking = sparse.csr_array((w, np.array([0, 2, 1, 3]), np.array([0, 2, 3, 4])), shape=(3, 4))
    places = sparse.coo_array((w, (ROWS_OF, COLUMNS)), shape=(3, 4))
    copied, column = places.tocsr(), looking.tocsc()
    other, turned = looking.copy(), looking.T
    w[0] = 5.0 * v[1]
    total = np.sum((looking @ X) ** 2) + 2 * np.sum((places @ X) ** 2) + 3 * np.sum((copied @ X) ** 2)
    looking.data[1] *= v[2]
    total = total + 4 * np.sum((column @ X) ** 2) + 5 * np.sum((other @ X) ** 2) + np.sum((turned @ Y) ** 2)
    return total + np.sum((looking @ X) ** 3) + np.sum(looking.data**2 * w) + np.sum((places @ X) ** 2)


@PROGRAMS.at(NUMBERS + 1j * NUMBERS[::-1], X + 1j * XS[:, 0])
def complex_numbers(v, x):
    a = sparse.csr_array((v, (ROWS_OF, COLUMNS)), shape=(3, 4))
    square = sparse.csc_array((v, (np.arange(4), np.arange(4)[::-1])))
    return np.sum(np.abs(a @ x) ** 2) + np.sum(np.abs(ssl.spsolve(square, x)) ** 2) + np.real(np.sum(a.conj() @ x))


@PROGRAMS.at(NUMBERS)
def what_it_is(v):
    a = sparse.csr_array((v, (ROWS_OF, COLUMNS)), shape=(3, 4))
    known = isinstance(a, sparse.csr_array) and sparse.issparse(a) and not isinstance(a, sparse.csc_array)
    assert a.shape == (3, 4) and a.ndim == 2 and a.dtype == v.dtype and isinstance(a.tocsc(), sparse.csc_array)
    return np.sum((a @ X) ** 2) if known else 0.0


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(PROGRAMS)


@pytest.mark.parametrize("name", KINDS)
def test_the_values_are_scipys(name):
    def f(x, v):
        a = getattr(sparse, name)(DENSE)
        made = sparse.coo_array((v, (ROWS_OF, COLUMNS)), shape=(3, 4))
        return np.sum((a @ x) ** 2) + np.sum((x @ a.T) ** 2) + np.sum((made @ x) ** 2)

    np.testing.assert_allclose(value_and_gradient(f, X, NUMBERS)[0], f(X, NUMBERS), rtol=1e-14)


@pytest.mark.parametrize("tier_name", TIERS)
def test_a_sparse_argument_has_a_tangent_with_its_numbers(tier_name):
    a = sparse.csr_array(DENSE)
    with tier(tier_name):
        (tangent,) = gradient(lambda a: np.sum((a @ X) ** 2) + a.T.sum() * a.shape[0], a)
    rows, columns = DENSE.nonzero()
    assert isinstance(tangent, Tangent)
    np.testing.assert_allclose(tangent.data, 2 * (DENSE @ X)[rows] * X[columns] + 3, rtol=1e-13)


@pytest.mark.parametrize(
    "program",
    [
        lambda a: a.power(2).sum(),
        lambda a: (a @ a.T).sum(),
        lambda a: a[0, 1],
        lambda a: abs(a).sum(),
        lambda a: (a**2).sum(),
        lambda a: (a > 0).sum() * a.sum(),
        lambda a: a.max(),
        lambda a: a.nonzero()[0].sum() * a.sum(),
        lambda a: a.setdiag(1.0) or a.sum(),
        lambda a: np.sum(np.dot(a, X)),
        lambda a: sparse.hstack([a, a]).sum(),
        lambda a: ssl.norm(a, 2),
        lambda a: ssl.norm(a, axis=0).sum(),
        lambda a: ssl.lsqr(a, Y)[0].sum(),
        lambda a: sum(row.sum() for row in a),
        lambda a: a.tocsc().data[0],
    ],
)
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("tier_name", TIERS)
def test_what_is_not_linear_is_refused(program, given, tier_name):
    a = sparse.csr_array(DENSE)

    def of_numbers(v):
        return program(sparse.csr_array((v, a.indices, a.indptr), shape=a.shape))

    with tier(tier_name), pytest.raises(DifferentiationError):
        gradient(program, a) if given else gradient(of_numbers, a.data)


@pytest.mark.parametrize("ord", [None, "fro", 1, -1, np.inf, -np.inf])
@pytest.mark.parametrize("tier_name", TIERS)
def test_norms(ord, tier_name):
    """As of the dense matrix, also where a place is named twice."""
    rows, columns = np.array([0, 0, 1, 2, 0, 1]), np.array([0, 2, 1, 0, 0, 2])
    v = np.array([1.3, -0.4, 2.2, 0.9, -0.6, 0.7])
    place = np.zeros((6, 9))
    place[np.arange(6), 3 * rows + columns] = 1.0

    def of_sparse(v):
        return ssl.norm(sparse.coo_array((v, (rows, columns)), shape=(3, 3)), ord)

    def of_dense(v):
        return np.linalg.norm(np.reshape(v @ place, (3, 3)), ord)

    with tier(tier_name):
        np.testing.assert_allclose(gradient(of_sparse, v)[0], gradient(of_dense, v)[0], atol=1e-14)
        steps = 1e-6 * np.eye(6)
        by_differences = [(of_sparse(v + h) - of_sparse(v - h)) / 2e-6 for h in steps]
        np.testing.assert_allclose(gradient(of_sparse, v)[0], by_differences, atol=1e-8)


def test_a_refusal_shows_the_way_out():
    with pytest.raises(DifferentiationError, match="toarray"):
        gradient(lambda v: sparse.csr_array((v, (ROWS_OF, COLUMNS))).max(), NUMBERS)
    with pytest.raises(DifferentiationError, match="spsolve"):
        gradient(lambda b: ssl.cg(sparse.csr_array(REGULAR), b)[0].sum(), Y)
    with pytest.raises(DifferentiationError, match="csr_array|a sparse array"):
        gradient(lambda v: sparse.csr_matrix((v, (ROWS_OF, COLUMNS))).sum(0)[0, 0], NUMBERS)
