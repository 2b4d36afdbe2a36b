"""The calls that the cost of rules is measured on: one or more for each function of NumPy that has a derivative.

A call is written as a program would write it, with the names of `data` for its operands. Arrays have some 10^5
elements; matrices that are factorised have fewer, so that their primals take milliseconds as well.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CALLS", "SIZE", "Sample", "data", "samples"]

SIZE = 100_000

CALLS = """
np.add(x, y); np.subtract(x, y); np.multiply(x, y); np.divide(x, y); np.negative(x); np.positive(x)
np.multiply(A, r); np.divide(A, r); np.add(A, c); np.multiply(x, 1.7); np.multiply(z, w)
np.remainder(p, y); np.fmod(p, y); np.divmod(p, y); np.modf(p); np.frexp(p); np.ldexp(x, 3); np.nextafter(x, y)
np.power(x, 2); np.power(x, 3); np.power(x, 2.5); np.power(p, x); np.float_power(p, x)
np.square(x); np.sqrt(x); np.cbrt(x); np.reciprocal(x); np.exp(x); np.expm1(x); np.exp2(x)
np.log(x); np.log1p(x); np.log2(x); np.log10(x); np.logaddexp(x, y); np.logaddexp2(x, y)
np.sin(x); np.cos(x); np.tan(x); np.arcsin(x); np.arccos(x); np.arctan(x); np.hypot(x, y); np.arctan2(x, y)
np.sinh(x); np.cosh(x); np.tanh(x); np.arcsinh(x); np.arccosh(p); np.arctanh(x); np.sinc(x)
np.degrees(x); np.rad2deg(x); np.radians(x); np.deg2rad(x); np.unwrap(p)
np.exp(z); np.sqrt(z); np.log(z); np.sin(z); np.absolute(z); np.angle(z); np.sign(z); np.square(z)
np.absolute(s); np.fabs(s); np.copysign(s, y); np.maximum(x, y); np.minimum(x, y); np.maximum(s, 0.0); np.fmax(x, y)
np.fmin(x, y); np.where(m, x, y); np.clip(s, -0.5, 0.5); np.nan_to_num(x)
np.heaviside(s, x); np.i0(x); np.real_if_close(x); np.real(z); np.imag(z); np.conjugate(z)
np.float16(x); np.float32(x); np.float64(f); np.longdouble(x); np.complex64(x); np.complex128(x); np.clongdouble(x)

np.sum(A); np.sum(A, axis=0); np.sum(A, axis=1); np.sum(A, where=M); np.add.reduce(A); np.mean(A); np.mean(A, axis=0)
np.mean(A, axis=1, where=M); np.nansum(A); np.nansum(A, axis=0); np.nanmean(A, axis=1)
np.average(A); np.average(A, 1, c)
np.max(A); np.max(A, axis=0); np.max(A, axis=1); np.min(A); np.min(A, axis=1); np.amax(A); np.amin(A); np.nanmax(A)
np.nanmin(A); np.maximum.reduce(A); np.minimum.reduce(A); np.fmax.reduce(A); np.fmin.reduce(A); np.ptp(A)
np.max(T); np.max(T, axis=1); np.max(f); np.ptp(A, 1)
np.median(A); np.median(A, axis=1); np.quantile(A, 0.3); np.quantile(A, 0.3, 1); np.percentile(A, 30.0)
np.percentile(A, 30.0, 0); np.nanmedian(A, 1); np.nanquantile(A, 0.3, 1); np.nanpercentile(A, 30.0, 1)
np.logaddexp.reduce(A); np.logaddexp2.reduce(A); np.hypot.reduce(A)
np.var(A); np.var(A, axis=0); np.var(A, axis=1); np.std(A); np.std(A, axis=0); np.std(A, axis=1); np.std(f)
np.nanvar(A, axis=1); np.nanstd(A, axis=1)
np.prod(B); np.prod(B, axis=0); np.prod(B, axis=1); np.prod(O); np.prod(O, axis=1); np.multiply.reduce(B)
np.nanprod(B, axis=1)
np.cumsum(x); np.cumsum(A, axis=0); np.cumsum(A, axis=1); np.add.accumulate(x); np.cumprod(b); np.cumprod(B, axis=1)
np.cumprod(O, axis=1); np.cumprod(O, axis=0); np.multiply.accumulate(b); np.maximum.accumulate(x)
np.maximum.accumulate(A, 1); np.minimum.accumulate(x); np.minimum.accumulate(T, 1); np.nancumsum(x); np.nancumprod(b)
np.cumulative_sum(x); np.cumulative_prod(b)
np.diff(x); np.diff(A, axis=0); np.diff(x, 2); np.ediff1d(x); np.trapezoid(x); np.trapezoid(A, grid); np.trapz(x)
np.gradient(x); np.gradient(A, axis=1); np.gradient(x, steps); np.cov(N); np.corrcoef(N)

np.reshape(A, (-1,)); np.ravel(A); np.ravel(A, "F"); np.expand_dims(x, 0); np.squeeze(x[None]); np.atleast_1d(x)
np.atleast_2d(x); np.atleast_3d(x); np.transpose(A); np.swapaxes(A, 0, 1); np.moveaxis(A, 0, 1); np.rollaxis(A, 1)
np.matrix_transpose(A); np.linalg.matrix_transpose(A); np.flip(A); np.flip(x); np.fliplr(A); np.flipud(A); np.rot90(A)
np.roll(x, 7); np.roll(A, 7, 1); np.broadcast_to(c, A.shape); np.broadcast_to(r, A.shape); np.broadcast_arrays(c, A)
np.tile(c, (len(R), 1)); np.tile(k, n // 10); np.tile(C, (5, 5)); np.repeat(c, len(R)); np.repeat(C, 25, axis=0)
np.repeat(C, 25, axis=1); np.repeat(x, counts); np.repeat(A, counts[:len(R)], 0); np.resize(c, A.shape)
np.meshgrid(c, R); np.meshgrid(c, R, indexing="ij"); np.ix_(c, R)
np.concatenate([x, y]); np.concatenate([A, B], 1); np.stack([x, y]); np.stack([x, y], 1); np.vstack([x, y])
np.hstack([A, B]); np.dstack([A, B])
np.column_stack([x, y]); np.append(x, y); np.block([[A, B], [B, A]])
np.split(x, 10); np.array_split(x, 7); np.vsplit(A, 2); np.hsplit(A, 2); np.dsplit(V, 2); np.unstack(A)
np.array(x); np.asarray(x); np.asanyarray(x); np.asarray_chkfinite(x); np.require(x); np.ascontiguousarray(x)
np.asfortranarray(A); np.copy(x); np.full(A.shape, 0.7); np.full_like(A, 0.7); np.astype(x, np.float32)
np.tril(S); np.triu(S); np.diagonal(S); np.diag(S); np.diag(d); np.diagflat(d); np.trace(S); np.linalg.trace(S)
np.linalg.diagonal(S)

operator.getitem(x, 7); operator.getitem(x, slice(10, -10)); operator.getitem(A, (slice(None), 3))
operator.getitem(x, i); operator.getitem(x, j); operator.getitem(x, m); operator.getitem(A, (u, v))
operator.getitem(A, (slice(None), cs)); operator.getitem(A, rs)
np.take(x, i); np.take(x, j); np.take(A, rs, 0); np.take(A, cs, 1); np.take_along_axis(A, order, 1)
np.take_along_axis(A, order[:, ::10], 1); np.compress(m, x); np.compress(M[0], A, 1); np.extract(m, x)
np.select([m, s > 0], [x, y]); np.choose(bits, [x, y]); np.delete(x, i[::100]); np.delete(A, 3, 1)
np.insert(x, i[::100], y[::100]); np.insert(A, 3, 0.7, 1); np.trim_zeros(x)
np.sort(x); np.sort(A); np.sort(A, 0); np.partition(x, n // 100); np.sort_complex(z); np.bincount(j, x)
np.unique(x); np.unique_values(x); np.unique_counts(x); np.unique_inverse(x); np.unique_all(x)
np.union1d(c, R); np.intersect1d(c, R); np.setdiff1d(x, c); np.setxor1d(c, R)
np.histogram(x, 50, None, None, y); np.histogram2d(x, y, 20, None, None, p); np.histogramdd(P, 10)
np.histogram_bin_edges(x, 50)
np.piecewise(s, [m, ~m], [np.sin, np.cos]); np.apply_along_axis(np.sum, 1, A); np.apply_over_axes(np.sum, A, [0, 1])
np.fromfunction(lambda a, b: a, A.shape)
np.pad(x, 3); np.pad(A, 3); np.pad(A, 3, "edge"); np.pad(A, 3, "reflect"); np.pad(A, 3, "symmetric")
np.pad(A, 3, "wrap"); np.pad(A, 3, "linear_ramp"); np.pad(A, 3, "mean"); np.pad(A, 3, "maximum")
np.pad(A, 3, "median"); np.pad(A, 3, "reflect", reflect_type="odd"); np.pad(A, 3, constant_values=0.7)
np.lib.stride_tricks.sliding_window_view(c, h); np.lib.stride_tricks.as_strided(c, (h, h), (8, 8))

operator.matmul(S, S2); np.matmul(S, S2); np.matmul(S, d); np.matmul(stack, C2); np.matmul(stack, stack)
np.dot(S, S2); np.dot(S, d)
np.dot(x, y); np.vdot(x, y); np.vdot(z, w); np.inner(S, S2); np.outer(R, c); np.tensordot(S, S2, 1); np.kron(K, K)
np.kron(c, R); np.cross(P, Q); np.linalg.multi_dot([S, S2, S]); np.linalg.matmul(S, S2); np.linalg.outer(R, c)
np.linalg.tensordot(S, S2, axes=1); np.linalg.cross(P, Q); np.vecdot(A, B); np.linalg.vecdot(A, B); np.matvec(S, d)
np.vecmat(d, S)
np.einsum("ij,jk->ik", S, S2); np.einsum("ij,ij->", A, B); np.einsum("i,j->ij", R, c); np.einsum("ii->i", S)
np.einsum("ij->ji", A); np.einsum("ij->j", A); np.einsum("ij,j->i", A, c); np.einsum("bij,bjk->bik", stack, stack)
np.einsum("ij,jk,kl->il", C2, C2, C2, optimize=True)
np.convolve(x, k); np.convolve(x, k, "same"); np.convolve(c, R); np.correlate(x, k); np.correlate(x, k, "full")
np.interp(x, grid, levels); np.interp(x, knots, heights)

np.linalg.inv(D); np.linalg.solve(D, e); np.linalg.solve(D, D); np.linalg.det(D); np.linalg.slogdet(D)
np.linalg.det(blocks); np.linalg.inv(blocks); np.linalg.cond(D); np.linalg.matrix_power(D, 5); np.linalg.cholesky(H)
np.linalg.cholesky(hermitian)
np.linalg.tensorsolve(D, e); np.linalg.tensorinv(D, 1)
np.linalg.qr(D); np.linalg.qr(tall); np.linalg.svd(D); np.linalg.svd(tall, full_matrices=False)
np.linalg.svd(D, compute_uv=False); np.linalg.svdvals(D); np.linalg.eigh(H); np.linalg.eigvalsh(H)
np.linalg.eig(H); np.linalg.eigvals(D); np.linalg.pinv(D); np.linalg.pinv(tall); np.linalg.lstsq(tall, t, rcond=None)
np.linalg.norm(x); np.linalg.norm(A); np.linalg.norm(A, axis=1); np.linalg.norm(s, ord=1); np.linalg.norm(s, ord=3)
np.linalg.norm(s, ord=np.inf); np.linalg.norm(A, ord=np.inf, axis=1); np.linalg.norm(A, ord=1)
np.linalg.norm(D, ord=2)
np.linalg.norm(D, ord="nuc"); np.linalg.norm(z); np.linalg.norm(z, ord=1)
np.linalg.vector_norm(x); np.linalg.vector_norm(A, axis=1, ord=np.inf); np.linalg.matrix_norm(A)

np.fft.fft(z); np.fft.ifft(z); np.fft.fft(x); np.fft.rfft(x); np.fft.irfft(half); np.fft.hfft(half); np.fft.ihfft(x)
np.fft.fftn(Z); np.fft.ifftn(Z); np.fft.fft2(Z); np.fft.ifft2(Z); np.fft.rfftn(A); np.fft.rfft2(A); np.fft.irfftn(Z)
np.fft.irfft2(Z); np.fft.fftshift(x); np.fft.ifftshift(x); np.fft.fftshift(A); np.fft.fftfreq(n, 0.3)
np.fft.rfftfreq(n, 0.3)
np.linspace(0.0, 1.0, n); np.linspace(r, r + 1, len(c)); np.logspace(0.0, 1.0, n)
np.geomspace(1.0, 9.0, n); np.arange(0.0, 1.0, 1 / n); np.kaiser(n, 5.0)
np.polyval(k, x); np.polyadd(x, y); np.polysub(x, y); np.polymul(x, k); np.polydiv(c, k); np.polyder(x); np.polyint(x)
np.polyfit(x, y, 3); np.poly(c[:h]); np.vander(c, len(R)); np.roots(c[:h // 4])
np.polynomial.polynomial.polyval(x, k)
"""
"""Expressions, separated by semicolons or lines; what this NumPy does not have is left out."""


def data(size: int = SIZE) -> dict[str, Any]:
    """The operands by name: vectors of `size` elements, matrices of as many, some of special shape or kind."""
    rng = np.random.default_rng(20)
    uniform, normal = rng.uniform, rng.standard_normal
    columns = int((1.6 * size) ** 0.5) // 2 * 2
    rows = size // columns // 2 * 2
    side, small = int(size**0.5), min(200, int(size**0.5))
    x, z = uniform(0.1, 0.9, size), normal(size) + 1j * normal(size)
    shape, h = (rows, columns), columns // 2
    d = np.eye(small) + normal((small, small)) * 0.3 / small**0.5
    turned = d + 1j * normal((small, small)) / small
    near_one = np.exp(0.01 * normal(size))
    with_zeros = np.exp(0.01 * normal(shape))
    with_zeros[:, 3] = 0
    return {
        "np": np, "operator": operator, "n": size, "h": h,
        # vectors: within (0, 1), above 1, of both signs, near 1, single precision, complex
        "x": x, "y": uniform(0.1, 0.9, size), "p": uniform(1.1, 5, size), "s": normal(size), "b": near_one,
        "f": uniform(0.1, 0.9, size).astype(np.float32), "z": z, "w": np.conj(z) + 0.3, "half": z[: size // 2 + 1],
        "c": uniform(0.1, 0.9, columns), "R": uniform(0.1, 0.9, rows), "r": uniform(0.1, 0.9, (rows, 1)),
        "k": uniform(0.1, 0.9, 10), "d": uniform(0.1, 0.9, side), "e": uniform(0.1, 0.9, small),
        "t": uniform(0.1, 0.9, 2 * small), "steps": np.sort(uniform(0, 1, size)), "grid": np.linspace(0, 1, columns),
        "levels": normal(columns), "knots": np.linspace(0, 1, size), "heights": normal(size),
        # masks and indices: a permutation, with repetitions, of rows, of columns
        "m": x < 0.5, "M": uniform(size=shape) < 0.5, "i": rng.permutation(size), "j": rng.integers(0, size, size),
        "u": rng.integers(0, rows, size), "v": rng.integers(0, columns, size), "rs": rng.integers(0, rows, rows),
        "cs": rng.integers(0, columns, columns), "bits": rng.integers(0, 2, size), "counts": rng.integers(0, 3, size),
        "order": np.argsort(uniform(size=shape), axis=1),
        # matrices: any, near 1, with zeros, with ties, complex, tiled ones, square ones, observations, vectors
        "A": normal(shape), "B": np.exp(0.01 * normal(shape)), "O": with_zeros,
        "T": rng.integers(0, 10, shape).astype(float), "Z": normal(shape) + 1j * normal(shape),
        "C": normal((rows // 5, columns // 5)), "K": normal((int(side**0.5), int(side**0.5))),
        "S": normal((side, side)), "S2": normal((side, side)), "N": normal((10, size // 10)),
        "P": normal((size // 3, 3)), "Q": normal((size // 3, 3)), "V": normal((rows, h, 2)),
        "stack": normal((max(size // 400, 2), 20, 20)), "C2": normal((20, 20)),
        # matrices to factorise
        "D": d, "H": d @ d.T, "hermitian": turned @ turned.conj().T, "tall": normal((2 * small, small // 2)),
        "blocks": 3 * np.eye(4) + normal((size // 16, 4, 4)),
    }  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A call, as text and in parts."""

    text: str
    primal: Callable
    args: tuple
    kwargs: dict[str, Any]

    def __str__(self) -> str:
        return self.text

    def __call__(self) -> Any:
        return self.primal(*self.args, **self.kwargs)


def samples(size: int = SIZE) -> Iterator[Sample]:
    """Every call, its operands made anew."""
    names = data(size)
    for line in CALLS.replace(";", "\n").splitlines():
        if text := line.strip():
            try:
                yield sample(text, names)
            except AttributeError:  # a function that this NumPy does not have
                continue


def sample(text: str, names: dict[str, Any]) -> Sample:
    """
    >>> float(sample("np.sum(x, axis=0)", {"np": np, "x": np.ones(3)})())
    3.0
    """
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)

    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), text, "eval"), dict(names))

    kwargs = {str(word.arg): value(word.value) for word in call.keywords}
    return Sample(text, value(call.func), tuple([value(arg) for arg in call.args]), kwargs)
