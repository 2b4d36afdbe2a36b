"""scipy.sparse.linalg: the solution of a system; the iterations and factorisations are out of sight."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import linalg as ssl

from ..registry import composition, constant, existing, refused, rule
from ..vocabulary import conj, rebased, refuse
from .sparse import as_sparse, assembled, at_places, is_sparse, summed, turned


def solution(data: Any, place: tuple, b: Any) -> Any:
    """The solution of a sparse system, of numbers at rows and columns."""
    return ssl.spsolve(assembled(data, place).tocsc(), b)


rule(
    solution,
    data=lambda d, out, data, place, b: -at_places(solution(conj(data), turned(place), d), out, place),
    b=lambda d, out, data, place, b: solution(conj(data), turned(place), d),
)


def spsolve(A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:
    """The solution of a sparse system with a dense right-hand side."""
    if is_sparse(b):
        refuse("scipy.sparse.linalg.spsolve with a sparse right-hand side", "b.toarray()")
    if not is_sparse(A):
        refuse("scipy.sparse.linalg.spsolve of a dense matrix", "scipy.sparse.csc_array(A)")
    a = as_sparse(A)
    flat = np.ravel(b) if np.ndim(b) == 2 and np.shape(b)[1] == 1 else b  # SciPy gives a vector, too
    found = found_solution(a.found, b, permc_spec, use_umfpack)
    return rebased(found, solution(a.numbers, (a.row, a.col, a.shape), flat))


def found_solution(a: Any, b: np.ndarray, permc_spec: Any, use_umfpack: bool) -> np.ndarray:
    """SciPy's value of spsolve."""
    return ssl.spsolve(a, b, permc_spec, use_umfpack)


# ---- norms
def norm(x: Any, ord: Any = None, axis: Any = None) -> Any:
    """The root of the sum of squares, the largest column sum (1) or row sum (inf), or, negative, the smallest."""
    if axis is not None or not (ord is None or ord in ("fro", "f", 1, -1, np.inf, -np.inf)):
        refuse("scipy.sparse.linalg.norm along an axis, or of this order", "numpy.linalg.norm of A.toarray()")
    if not is_sparse(x):
        refuse("scipy.sparse.linalg.norm of a dense matrix", "numpy.linalg.norm")
    a = as_sparse(x)
    m, n = a.shape
    places, position = np.unique(a.row * n + a.col, return_inverse=True)
    entries = summed(a.numbers, position, len(places))  # a place may be named twice
    if ord is None or isinstance(ord, str):
        return np.linalg.norm(entries)
    along, length = (places % n, n) if abs(ord) == 1 else (places // n, m)
    sums = summed(np.abs(entries), along, length)
    return np.max(sums) if ord > 0 else np.min(sums)


composition(ssl.spsolve, spsolve)
composition(ssl.norm, norm)
constant(found_solution)
constant(
    *existing(ssl, "use_solver spbandwidth is_sptriangular LaplacianNd"),
    reason="it depends on sizes and kinds only",
)
refused(
    *existing(
        ssl,
        "aslinearoperator LinearOperator SuperLU bicg bicgstab cg cgs factorized gcrotmk gmres lgmres lsmr lsqr minres"
        " qmr spilu splu spsolve_triangular tfqmr",
    ),
    reason="it iterates, or keeps a factorisation, out of sight",
    way_out="scipy.sparse.linalg.spsolve",
)
refused(
    *existing(ssl, "eigs eigsh expm_multiply funm_multiply_krylov lobpcg onenormest svds"),
    reason="it iterates in a space that it chooses by values, to a tolerance",
    way_out="its namesake in numpy.linalg or scipy.linalg, of A.toarray()",
)
refused(
    *existing(ssl, "expm inv matrix_power"),
    reason="it makes a sparse array of the products of others, whose places come out of sight",
    way_out="its namesake in numpy.linalg or scipy.linalg, of A.toarray()",
)
