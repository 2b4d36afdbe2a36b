"""Rules of the discrete Fourier transforms: every length, norm and axis, the real ones and their inverses."""

import numpy as np
import pytest

from engine import gradient, jvp
from engine.errors import DifferentiationError

from .oracle import TIERS, tier
from .rule_rows import KEEPS_SINGLE, row, row_tests

RNG = np.random.default_rng(23)
F = np.fft


def real(*shape):
    return RNG.uniform(-2, 2, shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape)


X, CX, XX, CXX = real(4), complex_(5), real(3, 4), complex_(2, 5)
NORMS = (None, "backward", "ortho", "forward")
LENGTHS = (1, 2, 3, 4, 5, 6, 7)

ROWS = [
    # one axis: lengths cut off and filled up, even and odd
    *[row(f, CX, n) for f in (F.fft, F.ifft, F.irfft, F.hfft) for n in LENGTHS],
    *[row(f, X, n) for f in (F.fft, F.ifft, F.rfft, F.ihfft, F.irfft, F.hfft) for n in LENGTHS],
    *[row(f, real(n)) for f in (F.fft, F.rfft, F.ihfft) for n in (1, 2, 3, 6)],
    *[row(f, complex_(n)) for f in (F.ifft, F.irfft, F.hfft) for n in (2, 3, 4, 5)],
    # norms and axes
    *[row(f, CXX, norm=norm) for f in (F.fft, F.ifft, F.irfft, F.hfft) for norm in NORMS],
    *[row(f, XX, norm=norm) for f in (F.rfft, F.ihfft) for norm in NORMS],
    *[row(f, CXX, None, 0, norm) for f in (F.fft, F.ifft, F.irfft, F.hfft) for norm in ("ortho", "forward")],
    *[row(f, XX, None, 0, norm) for f in (F.rfft, F.ihfft) for norm in ("ortho", "forward")],
    *[row(f, CXX, 3, axis=0) for f in (F.fft, F.irfft)],
    row(F.rfft, XX[::-1, ::2], 5, axis=-2),
    # two axes and more
    *[row(f, CXX, norm=norm) for f in (F.fft2, F.ifft2, F.irfft2, F.fftn, F.ifftn, F.irfftn) for norm in NORMS],
    *[row(f, XX, norm=norm) for f in (F.rfft2, F.rfftn) for norm in NORMS],
    *[row(f, CXX, s, (0, 1)) for f in (F.fft2, F.ifftn, F.irfft2, F.irfftn) for s in ((3, 4), (2, 3), (1, 5))],
    *[row(f, XX, s, (0, 1)) for f in (F.rfft2, F.rfftn) for s in ((3, 4), (2, 3), (4, 5))],
    *[row(f, CXX, axes=axes) for f in (F.fftn, F.irfftn) for axes in ((1, 0), (-1,), (0,))],
    *[row(F.rfftn, XX, axes=axes) for axes in ((1, 0), (-1,), (0,))],
    *[row(f, complex_(2, 2, 3)) for f in (F.fftn, F.irfftn, F.ifft2)],
    row(F.rfftn, real(2, 2, 3), None, (2, 0)),
    # orders and frequencies
    *[row(f, x, axes) for f in (F.fftshift, F.ifftshift) for x, axes in ((X, None), (CXX, 1), (XX, (0, 1)))],
    *[row(f, 5, 0.4) for f in (F.fftfreq, F.rfftfreq)],
]  # fmt: skip

test_pullback, _, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_rfft_counts_each_stored_frequency_once(n):
    """Against the matrix of the map: x̄ = Re Fᴴ ȳ, F the first n // 2 + 1 rows of exp(-2πi jk/n)."""
    matrix = np.exp(-2j * np.pi * np.outer(np.arange(n // 2 + 1), np.arange(n)) / n)
    weights = complex_(n // 2 + 1)
    (g,) = gradient(lambda x: np.sum(np.real(np.conj(weights) * np.fft.rfft(x))), real(n))
    np.testing.assert_allclose(g, np.real(np.conj(matrix.T) @ weights), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("transform", [F.fft, F.ifft, F.rfft, F.irfft, F.hfft, F.ihfft, F.fft2, F.irfftn])
def test_the_tangent_of_a_linear_map_is_its_value_at_the_tangent(transform):
    x, t = (real(4, 4), real(4, 4)) if transform in (F.rfft, F.ihfft) else (complex_(4, 4), complex_(4, 4))
    np.testing.assert_allclose(jvp(transform, (x,), (t,))[1], transform(t), rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(not KEEPS_SINGLE, reason="NumPy 1 has no out= here")
@pytest.mark.parametrize("tier_name", TIERS)
def test_a_transform_into_an_array_that_is_given(tier_name):
    def f(x):
        y = np.zeros(3, complex)
        np.fft.rfft(x, out=y)
        return np.sum(np.abs(y) ** 2)

    with tier(tier_name):
        (g,) = gradient(f, X)
    matrix = np.exp(-2j * np.pi * np.outer(np.arange(3), np.arange(4)) / 4)
    np.testing.assert_allclose(g, 2 * np.real(np.conj(matrix.T) @ matrix @ X), rtol=1e-12)


@pytest.mark.skipif(not KEEPS_SINGLE, reason="NumPy 1 transforms in double precision")
def test_single_precision_stays_so():
    x = X.astype(np.float32)
    (g,) = gradient(lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 2), x)
    assert g.dtype == np.float32


def test_an_axis_named_twice_is_refused():
    with pytest.raises(DifferentiationError, match="one transform after the other"):
        gradient(lambda x: np.sum(np.abs(np.fft.fftn(x, axes=(0, 0)))), XX)
