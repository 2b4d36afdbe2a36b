"""scipy.linalg: matrix equations and systems of structured matrices; an adjoint equation of the same kind for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg as sl

from ..eigen import adjoint
from ..registry import composition, rule
from ..vocabulary import conj, refuse

# ---- A X + X B = Q and its kin
rule(
    sl.solve_sylvester,
    a=lambda d, out, a, b, q: -np.matmul(sl.solve_sylvester(adjoint(a), adjoint(b), d), adjoint(out)),
    b=lambda d, out, a, b, q: -np.matmul(adjoint(out), sl.solve_sylvester(adjoint(a), adjoint(b), d)),
    q=lambda d, out, a, b, q: sl.solve_sylvester(adjoint(a), adjoint(b), d),
)
rule(
    (sl.solve_continuous_lyapunov,)
    if sl.solve_lyapunov is sl.solve_continuous_lyapunov
    else (sl.solve_continuous_lyapunov, sl.solve_lyapunov),
    a=lambda d, out, a, q: from_both_sides(sl.solve_continuous_lyapunov(adjoint(a), d), out),
    q=lambda d, out, a, q: sl.solve_continuous_lyapunov(adjoint(a), d),
)
rule(
    sl.solve_discrete_lyapunov,
    a=lambda d, out, a, q, method=None: of_steps(sl.solve_discrete_lyapunov(adjoint(a), d, method), out, a),
    q=lambda d, out, a, q, method=None: sl.solve_discrete_lyapunov(adjoint(a), d, method),
)


def from_both_sides(s: Any, x: Any) -> Any:
    """The cotangent of A in A X + X Aᴴ = Q, of S with Aᴴ S + S A = X̄."""
    return -np.matmul(s, adjoint(x)) - np.matmul(adjoint(s), x)


def of_steps(s: Any, x: Any, a: Any) -> Any:
    """The cotangent of A in X = A X Aᴴ + Q, of S with S = Aᴴ S A + X̄."""
    return np.matmul(s, np.matmul(a, adjoint(x))) + np.matmul(adjoint(s), np.matmul(a, x))


# ---- Riccati equations; the cotangents of q and r are those among symmetric changes (convention 7)
rule(
    sl.solve_continuous_are,
    a=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: continuous_riccati(d, out, a, b, r, e, s)[0],
    b=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: continuous_riccati(d, out, a, b, r, e, s)[1],
    q=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: continuous_riccati(d, out, a, b, r, e, s)[2],
    r=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: continuous_riccati(d, out, a, b, r, e, s)[3],
)
rule(
    sl.solve_discrete_are,
    a=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: discrete_riccati(d, out, a, b, r, e, s)[0],
    b=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: discrete_riccati(d, out, a, b, r, e, s)[1],
    q=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: discrete_riccati(d, out, a, b, r, e, s)[2],
    r=lambda d, out, a, b, q, r, e=None, s=None, balanced=True: discrete_riccati(d, out, a, b, r, e, s)[3],
)


def continuous_riccati(d: Any, x: Any, a: Any, b: Any, r: Any, e: Any, s: Any) -> tuple:
    """Of Aᴴ X + X A - X B R⁻¹ Bᴴ X + Q = 0, by W with K W + W Kᴴ = -X̄ for the closed loop K = A - B G, G = R⁻¹ Bᴴ X."""
    only_plain(e, s)
    gain = np.linalg.solve(r, np.matmul(adjoint(b), x))
    closed = a - np.matmul(b, gain)
    w = sl.solve_continuous_lyapunov(closed, -symmetric(d))
    a_bar, gain_bar = 2 * np.matmul(x, w), np.matmul(w, adjoint(gain))
    return a_bar, -2 * np.matmul(x, gain_bar), w, np.matmul(gain, gain_bar)


def discrete_riccati(d: Any, x: Any, a: Any, b: Any, r: Any, e: Any, s: Any) -> tuple:
    """Of X = Kᴴ X A + Q with the closed loop K = A - B G, G = (R + Bᴴ X B)⁻¹ Bᴴ X A, by W = K W Kᴴ + X̄."""
    only_plain(e, s)
    xb = np.matmul(adjoint(b), x)
    gain = np.linalg.solve(r + np.matmul(xb, b), np.matmul(xb, a))
    closed = a - np.matmul(b, gain)
    w = sl.solve_discrete_lyapunov(closed, symmetric(d))
    a_bar, gain_bar = 2 * np.matmul(np.matmul(x, closed), w), np.matmul(w, adjoint(gain))
    return a_bar, -2 * np.matmul(np.matmul(x, closed), gain_bar), w, np.matmul(gain, gain_bar)


def symmetric(d: Any) -> Any:
    """The Hermitian part: the solution is Hermitian."""
    return (d + adjoint(d)) / 2


def only_plain(e: Any, s: Any) -> None:
    """Refuse the generalised equations."""
    if e is not None or s is not None:
        refuse("a generalised Riccati equation (e, s)", "transform it to the plain one: e⁻¹ a, e⁻¹ b")


# ---- banded matrices
rule(
    sl.solve_banded,
    ab=lambda d, out, l_and_u, ab, b, *, check_finite=True: (
        -on_diagonals(sl.solve_banded(l_and_u[::-1], turned_band(ab, l_and_u), d), out, l_and_u)
    ),
    b=lambda d, out, l_and_u, ab, b, *, check_finite=True: sl.solve_banded(l_and_u[::-1], turned_band(ab, l_and_u), d),
)
rule(
    sl.solveh_banded,
    ab=lambda d, out, ab, b, *, lower=False, check_finite=True: of_half_a_band(
        sl.solveh_banded(ab, d, lower=lower), out, len(ab) - 1, lower
    ),
    b=lambda d, out, ab, b, *, lower=False, check_finite=True: sl.solveh_banded(ab, d, lower=lower),
)


def shifted(x: Any, k: int) -> Any:
    """Each element k places further on along the first axis (back, for k < 0), zeros where none comes from."""
    n = np.shape(x)[0]
    gap = np.zeros_like(x[: min(abs(k), n)])
    return np.concatenate([gap, x[: n - len(gap)]]) if k >= 0 else np.concatenate([x[len(gap) :], gap])


def turned_band(ab: Any, l_and_u: tuple) -> Any:
    """The band of the adjoint: diagonals in the opposite order, each moved from its columns to its rows."""
    lower, upper = l_and_u
    return np.stack([shifted(conj(ab[i]), i - upper) for i in range(lower + upper, -1, -1)])


def on_diagonals(left: Any, right: Any, l_and_u: tuple) -> Any:
    """The band of left rightᴴ."""
    lower, upper = l_and_u
    products = [shifted(left, upper - i) * conj(right) for i in range(lower + upper + 1)]
    return np.stack([np.sum(p, 1) if np.ndim(p) > 1 else p for p in products])


def of_half_a_band(b_bar: Any, x: Any, width: int, lower: bool) -> Any:
    """What is stored once counts twice, off the diagonal; the diagonal is real."""
    l_and_u = (width, 0) if lower else (0, width)
    both = -on_diagonals(b_bar, x, l_and_u) - on_diagonals(x, b_bar, l_and_u)
    diagonal = np.arange(width + 1)[:, None] == (0 if lower else width)
    return np.where(diagonal, np.real(both) / 2, both)


# ---- Toeplitz and circulant matrices
def toeplitz_parts(c_or_cr: Any) -> tuple:
    """The first column and the first row, which is its conjugate unless it is given."""
    if isinstance(c_or_cr, tuple):
        return np.ravel(c_or_cr[0]), np.ravel(c_or_cr[1])
    column = np.ravel(np.asarray(c_or_cr))
    return column, np.conj(column)


def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """The system of a Toeplitz matrix."""
    column, row = toeplitz_parts(c_or_cr)
    return toeplitz_solution(column, row, b)


def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None) -> Any:
    """The product with a Toeplitz matrix."""
    column, row = toeplitz_parts(c_or_cr)
    return toeplitz_product(column, row, x)


def toeplitz_solution(c: Any, r: Any, b: Any) -> Any:
    """scipy.linalg.solve_toeplitz of a column and a row."""
    return sl.solve_toeplitz((c, r), b)


def toeplitz_product(c: Any, r: Any, x: Any) -> Any:
    """scipy.linalg.matmul_toeplitz of a column and a row."""
    return sl.matmul_toeplitz((c, r), x)


rule(
    toeplitz_solution,
    c=lambda d, out, c, r, b: -to_column(toeplitz_solution(*turned_toeplitz(c, r), d), out),
    r=lambda d, out, c, r, b: -to_row(toeplitz_solution(*turned_toeplitz(c, r), d), out),
    b=lambda d, out, c, r, b: toeplitz_solution(*turned_toeplitz(c, r), d),
)
rule(
    toeplitz_product,
    c=lambda d, out, c, r, x: to_column(d, x),
    r=lambda d, out, c, r, x: to_row(d, x),
    x=lambda d, out, c, r, x: toeplitz_product(*turned_toeplitz(c, r), d),
)
composition(sl.solve_toeplitz, solve_toeplitz)
composition(sl.matmul_toeplitz, matmul_toeplitz)


def turned_toeplitz(c: Any, r: Any) -> tuple:
    """The column and the row of the adjoint; the first element is that of the column."""
    return conj(np.concatenate([c[:1], r[1:]])), conj(c)


def lags(left: Any, right: Any) -> Any:
    """The sums over the diagonals of left rightᴴ, from the last of the first row to the last of the first column."""
    if np.ndim(left) == 1:
        return np.correlate(left, right, "full")
    return sum([np.correlate(left[:, i], right[:, i], "full") for i in range(np.shape(left)[1])])


def to_column(left: Any, right: Any) -> Any:
    """The sums over the diagonals that begin in the first column."""
    return lags(left, right)[np.shape(right)[0] - 1 :]


def to_row(left: Any, right: Any) -> Any:
    """The sums over those that begin in the first row, but not at its first element."""
    before = lags(left, right)[: np.shape(right)[0] - 1]
    return np.flip(np.concatenate([before, np.zeros(1, np.result_type(left, right))]))


rule(
    sl.solve_circulant,
    c=lambda d, out, c, b, *, singular="raise", tol=None, caxis=-1, baxis=0, outaxis=0: circulant_pullback(
        d, out, c, b, (caxis, baxis, outaxis)
    )[0],
    b=lambda d, out, c, b, *, singular="raise", tol=None, caxis=-1, baxis=0, outaxis=0: circulant_pullback(
        d, out, c, b, (caxis, baxis, outaxis)
    )[1],
)


def circulant_pullback(d: Any, out: Any, c: Any, b: Any, axes: tuple) -> tuple:
    """The adjoint is the circulant matrix of the conjugate of c read backwards; c̄ is a circular correlation."""
    if np.ndim(c) != 1 or axes not in ((-1, 0, 0), (0, 0, 0)):
        refuse("scipy.linalg.solve_circulant of several columns, or along other axes", "call it for each")
    turned = np.fft.fft(conj(np.roll(np.flip(c), 1)))
    turned = turned if np.ndim(d) == 1 else np.expand_dims(turned, -1)
    b_bar = np.fft.ifft(np.fft.fft(d, axis=0) / turned, axis=0)
    spectrum = np.fft.fft(b_bar, axis=0) * np.conj(np.fft.fft(out, axis=0))
    return -np.fft.ifft(spectrum if np.ndim(d) == 1 else np.sum(spectrum, 1)), b_bar
