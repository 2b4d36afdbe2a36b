"""Why some pullbacks cost more than three times their primal: a closed list, checked by every run of `rules`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REASONS", "Reason"]


@dataclass(frozen=True)
class Reason:
    """What holds for these calls. With `passes`, their primal is no measure: the pullback is held against copying the
    array, of which it may take three times as long."""

    why: str
    calls: str
    passes: bool = False

    def texts(self) -> list[str]:
        """The calls, one by one."""
        return [text.strip() for text in self.calls.replace(";", "\n").splitlines() if text.strip()]


REASONS = (
    Reason(
        "The primal makes a view, or reads less than there is to write: the cotangent is a whole array.",
        """
        np.real(z); np.imag(z); np.real_if_close(x); np.reshape(A, (-1,)); np.ravel(A); np.expand_dims(x, 0)
        np.squeeze(x[None]); np.atleast_1d(x); np.atleast_2d(x); np.atleast_3d(x); np.transpose(A)
        np.swapaxes(A, 0, 1); np.moveaxis(A, 0, 1); np.rollaxis(A, 1); np.matrix_transpose(A)
        np.linalg.matrix_transpose(A); np.flip(A); np.flip(x); np.fliplr(A); np.flipud(A); np.rot90(A)
        np.broadcast_to(c, A.shape); np.broadcast_to(r, A.shape); np.broadcast_arrays(c, A); np.asarray(x)
        np.asanyarray(x); np.require(x); np.ascontiguousarray(x)
        np.split(x, 10); np.array_split(x, 7); np.vsplit(A, 2); np.hsplit(A, 2); np.dsplit(V, 2)
        np.diagonal(S); np.diag(S); np.linalg.diagonal(S); np.trace(S); np.linalg.trace(S); np.einsum("ii->i", S)
        np.einsum("ij->ji", A); operator.getitem(x, 7); operator.getitem(x, slice(10, -10))
        operator.getitem(A, (slice(None), 3)); np.matmul(S, d); np.dot(S, d); np.matvec(S, d); np.vecmat(d, S)
        """,
        passes=True,
    ),
    Reason(
        "The primal reads its array once, and writes next to nothing. The pullback looks for what decided, or divides, "
        "and writes an array: two or three passes where reading is one.",
        """
        np.max(A); np.max(T); np.max(f); np.min(A); np.amax(A); np.amin(A); np.nanmax(A); np.nanmin(A)
        np.max(A, axis=0); np.max(A, axis=1); np.max(T, axis=1); np.min(A, axis=1); np.maximum.reduce(A)
        np.minimum.reduce(A); np.fmax.reduce(A); np.fmin.reduce(A); np.ptp(A); np.ptp(A, 1)
        np.linalg.norm(x); np.linalg.norm(A); np.linalg.norm(s, ord=1)
        np.linalg.norm(s, ord=np.inf); np.linalg.norm(A, ord=np.inf, axis=1)
        np.linalg.norm(A, ord=1); np.linalg.vector_norm(A, axis=1, ord=np.inf); np.linalg.norm(z)
        np.histogram_bin_edges(x, 50); np.prod(B, axis=0); np.multiply.reduce(B)
        """,
    ),
    Reason(
        "Kinks and ties (convention 2): the primal is one instruction an element; the pullback asks who lost, asks who "
        "ties or is zero, and selects.",
        """
        np.maximum(x, y); np.minimum(x, y); np.fmax(x, y); np.fmin(x, y); np.absolute(s)
        """,
    ),
    Reason(
        "Elements may be named several times: what was copied in blocks comes back to be added up.",
        """
        operator.getitem(A, rs); operator.getitem(A, (slice(None), cs)); np.take(A, rs, 0); np.take(A, cs, 1)
        np.take_along_axis(A, order[:, ::10], 1); np.repeat(A, counts[:len(R)], 0); np.repeat(C, 25, axis=1)
        np.lib.stride_tricks.as_strided(c, (h, h), (8, 8)); np.lib.stride_tricks.sliding_window_view(c, h)
        """,
    ),
    Reason(
        "Sorted values do not say where they came from: that takes another sort, of positions.",
        """
        np.partition(x, n // 100); np.sort(A, 0); np.unique_values(x); np.unique_counts(x)
        """,
    ),
    Reason(
        "The primal takes a triangle, or values alone; the pullback takes an inverse, or vectors as well.",
        """
        np.linalg.cholesky(H); np.linalg.cholesky(hermitian); np.linalg.det(D); np.linalg.slogdet(D)
        np.linalg.lstsq(tall, t, rcond=None)
        """,
    ),
    Reason(
        "Products with zeros: a quotient says nothing, the others of each element are two running products.",
        "np.prod(O); np.prod(O, axis=1); np.cumprod(O, axis=1)",
    ),
    Reason(
        "One product of complex numbers against a conjugate, a slope and a product.",
        "np.square(z)",
    ),
    Reason(
        "One pass there, and about one back. What is followed is given to the user as a copy in which NaNs are looked "
        "for, and that takes longer than the pullback.",
        "np.clip(s, -0.5, 0.5); np.diff(x); np.diff(x, 2); np.diff(A, axis=0); np.ediff1d(x)",
    ),
    Reason(
        "A composition whose elements are read by several steps, each of which gives back an array to be added.",
        """
        np.gradient(x); np.gradient(x, steps)
        np.gradient(A, axis=1); np.cross(P, Q); np.linalg.cross(P, Q); np.pad(A, 3, "maximum"); np.pad(A, 3, "edge")
        np.pad(A, 3, "reflect"); np.pad(A, 3, "symmetric"); np.pad(A, 3, "wrap"); np.average(A, 1, c)
        np.pad(A, 3, "reflect", reflect_type="odd"); np.nanvar(A, axis=1); np.nanstd(A, axis=1)
        np.polyfit(x, y, 3); np.histogram(x, 50, None, None, y); np.histogram2d(x, y, 20, None, None, p)
        np.einsum("ij,jk,kl->il", C2, C2, C2, optimize=True)
        """,
    ),
    Reason(
        "A loop, of NumPy's own in Python, over rows, or of medians: what is followed are its steps, each more than "
        "the few elements it is about.",
        """
        np.polydiv(c, k); np.poly(c[:h])
        np.apply_along_axis(np.sum, 1, A); np.piecewise(s, [m, ~m], [np.sin, np.cos]); np.pad(A, 3, "median")
        np.unstack(A)
        """,
    ),
)
