"""A signal filtered by Fourier transforms, compared with a target in time and by its power spectrum."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(taps, signal, target, power):
    n = len(signal)
    spectrum = np.fft.rfft(signal) * np.fft.rfft(taps, n)
    error = np.fft.irfft(spectrum, n) - target
    difference = np.abs(spectrum) ** 2 / n - power
    return np.mean(error**2) + np.mean(difference**2)


def loss_gradient(taps, signal, target, power):
    """The adjoint of a real transform is an inverse one: no weight is needed but those of its ends."""
    n = len(signal)
    of_signal = np.fft.rfft(signal)
    spectrum = of_signal * np.fft.rfft(taps, n)
    error = np.fft.irfft(spectrum, n) - target
    difference = (spectrum.real**2 + spectrum.imag**2) / n - power
    spectrum_bar = (4 / (n * difference.size)) * difference * spectrum
    by_time = (2 / n**2) * np.fft.rfft(error)
    by_time[1 : (n + 1) // 2] *= 2
    taps_spectrum_bar = (spectrum_bar + by_time) * np.conj(of_signal)
    taps_spectrum_bar[1 : (n + 1) // 2] /= 2
    return (n * np.fft.irfft(taps_spectrum_bar, n)[: len(taps)],)


def arguments(n, taps):
    draw = rng()
    data = {"signal": draw.standard_normal(n), "target": draw.standard_normal(n), "power": draw.random(n // 2 + 1)}
    return (draw.standard_normal(taps) / taps**0.5,), data


GAP = (
    "Mean, square, absolute value and real transform are pulled back one by one, |z|^2 as 2|z| z/|z|; by "
    "hand conj(z) is used as it is, and weights of the transform cancel. It would take rules across "
    "operations, |z|^2 first; at small size each of some forty calls counts."
)

WORKLOAD = Workload(
    "fft_filter",
    loss,
    loss_gradient,
    (
        Size("n=64,taps=8", lambda: arguments(64, 8)),
        Size("n=262144,taps=1024", lambda: arguments(262_144, 1024), target=LARGE),
    ),
    gap=GAP,
)
