"""Discrete Fourier transforms. Each is a linear map, its pullback the adjoint map: a transform of the other direction.

With y = F x, y_k = Σ_j x_j exp(-2πi jk/n), the adjoint of F is n F⁻¹, which is the inverse transform under the opposite
norm (`OPPOSITE`). A real transform stores one of each pair of conjugate frequencies. Its adjoint therefore halves the
frequencies that stand for two, that of the inverse real transform doubles them (`pairs_times`). Cutting the operand
to n samples and filling it up with zeros are adjoint to each other (`fitted`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import constant, rule
from .vocabulary import conj, refuse, whole_axis

OPPOSITE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}

# ---- along one axis
rule(
    np.fft.fft,
    a=lambda d, out, a, n=None, axis=-1, norm=None: fitted(np.fft.ifft(d, None, axis, OPPOSITE[norm]), a, axis),
)
rule(
    np.fft.ifft,
    a=lambda d, out, a, n=None, axis=-1, norm=None: fitted(np.fft.fft(d, None, axis, OPPOSITE[norm]), a, axis),
)
rule(
    np.fft.rfft,
    a=lambda d, out, a, n=None, axis=-1, norm=None: rfft_adjoint(d, a, length(n, a, axis), axis, norm),
)
rule(np.fft.irfft, a=lambda d, out, a, n=None, axis=-1, norm=None: irfft_adjoint(d, a, axis, norm))
# hfft(a) is irfft(conj a) and ihfft(a) is conj(rfft(a)), each under the opposite norm.
rule(np.fft.hfft, a=lambda d, out, a, n=None, axis=-1, norm=None: conj(irfft_adjoint(d, a, axis, OPPOSITE[norm])))
rule(
    np.fft.ihfft,
    a=lambda d, out, a, n=None, axis=-1, norm=None: rfft_adjoint(
        np.conj(d), a, length(n, a, axis), axis, OPPOSITE[norm]
    ),
)


def length(n: int | None, a: Any, axis: int) -> int:
    """How many samples of `a` are transformed."""
    return np.shape(a)[axis] if n is None else n


def rfft_adjoint(d: Any, a: Any, n: int, axis: int, norm: str | None) -> Any:
    """x̄_j = Re Σ_k ȳ_k exp(2πi jk/n) over the frequencies that are stored."""
    return fitted(np.fft.irfft(pairs_times(0.5, d, n, axis), n, axis, OPPOSITE[norm]), a, axis)


def irfft_adjoint(d: Any, a: Any, axis: int, norm: str | None) -> Any:
    """The real transform, with twice what it says of a frequency that stands for two."""
    n = np.shape(d)[axis]
    spectrum = np.fft.rfft(d, None, axis, OPPOSITE[norm])
    return fitted(pairs_times(2.0, spectrum, n, axis), a, axis)


def pairs_times(factor: float, spectrum: Any, n: int, axis: int) -> Any:
    """The stored frequencies, those that stand for a conjugate pair (neither 0 nor n/2) times `factor`."""
    return np.where(stands_alone(n, axis, np.ndim(spectrum)), spectrum, factor * spectrum)


def stands_alone(n: int, axis: int, ndim: int) -> np.ndarray:
    """Which of the stored frequencies of n real samples are real, laid along `axis`."""
    k = np.arange(n // 2 + 1)
    return np.reshape((k == 0) | (2 * k == n), [-1 if i == axis % ndim else 1 for i in range(ndim)])


constant(stands_alone)


def fitted(x: Any, a: Any, axis: int) -> Any:
    """`x` with the length of `a` along `axis`: zeros for samples that were cut off, without those that were added."""
    has, wanted = np.shape(x)[axis], np.shape(a)[axis]
    if has > wanted:
        return x[whole_axis(slice(0, wanted), axis, np.ndim(x))]
    if has < wanted:
        return np.pad(x, [(0, wanted - has if i == axis % np.ndim(x) else 0) for i in range(np.ndim(x))])
    return x


# ---- over several axes
rule(
    np.fft.fftn,
    a=lambda d, out, a, s=None, axes=None, norm=None: fftn_adjoint(np.fft.ifftn, d, a, s, axes, norm),
)
rule(
    np.fft.ifftn,
    a=lambda d, out, a, s=None, axes=None, norm=None: fftn_adjoint(np.fft.fftn, d, a, s, axes, norm),
)
rule(
    np.fft.fft2,
    a=lambda d, out, a, s=None, axes=(-2, -1), norm=None: fftn_adjoint(np.fft.ifftn, d, a, s, axes, norm),
)
rule(
    np.fft.ifft2,
    a=lambda d, out, a, s=None, axes=(-2, -1), norm=None: fftn_adjoint(np.fft.fftn, d, a, s, axes, norm),
)
rule(np.fft.rfftn, a=lambda d, out, a, s=None, axes=None, norm=None: rfftn_adjoint(d, a, s, axes, norm))
rule(np.fft.rfft2, a=lambda d, out, a, s=None, axes=(-2, -1), norm=None: rfftn_adjoint(d, a, s, axes, norm))
rule(np.fft.irfftn, a=lambda d, out, a, s=None, axes=None, norm=None: irfftn_adjoint(d, a, s, axes, norm))
rule(np.fft.irfft2, a=lambda d, out, a, s=None, axes=(-2, -1), norm=None: irfftn_adjoint(d, a, s, axes, norm))


def axes_of(a: Any, s: Any, axes: Any) -> tuple:
    """The axes that a transform goes over, each counted from the front."""
    if axes is None:
        axes = range(-np.ndim(a) if s is None else -len(s), 0)
    axes = tuple([int(axis) % np.ndim(a) for axis in axes])
    if len(set(axes)) != len(axes):
        refuse("a Fourier transform that names an axis twice", "make one transform after the other")
    return axes


def all_fitted(x: Any, a: Any, axes: tuple) -> Any:
    """`fitted` along each of the axes."""
    for axis in axes:
        x = fitted(x, a, axis)
    return x


def fftn_adjoint(inverse: Any, d: Any, a: Any, s: Any, axes: Any, norm: str | None) -> Any:
    """The transform of the other direction over the same axes, `inverse`."""
    axes = axes_of(a, s, axes)
    return all_fitted(inverse(d, None, axes, OPPOSITE[norm]), a, axes)


def rfftn_adjoint(d: Any, a: Any, s: Any, axes: Any, norm: str | None) -> Any:
    """The real transform came first, along the last axis; the complex ones of the other axes are undone before it."""
    axes = axes_of(a, s, axes)
    n = length(None if s is None or s[-1] == -1 else s[-1], a, axes[-1])
    d = all_fitted(np.fft.ifftn(d, None, axes[:-1], OPPOSITE[norm]), a, axes[:-1])
    return rfft_adjoint(d, a, n, axes[-1], norm)


def irfftn_adjoint(d: Any, a: Any, s: Any, axes: Any, norm: str | None) -> Any:
    """Likewise: the inverse real transform came last."""
    axes = axes_of(a, s, axes)
    spectrum = irfft_adjoint(d, a, axes[-1], norm)
    return all_fitted(np.fft.fftn(spectrum, None, axes[:-1], OPPOSITE[norm]), a, axes[:-1])


# ---- the order of frequencies, and the frequencies themselves
rule(np.fft.fftshift, x=lambda d, out, x, axes=None: np.fft.ifftshift(d, axes), moves=True)
rule(np.fft.ifftshift, x=lambda d, out, x, axes=None: np.fft.fftshift(d, axes), moves=True)
rule((np.fft.fftfreq, np.fft.rfftfreq), d=lambda d_out, out, n, d=1.0, device=None: -d_out * out / d)
