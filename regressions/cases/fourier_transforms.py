"""Fourier transforms: half spectra of real signals, axes, lengths, and factors of N."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from engine.rules import registry
from engine.rules.fft import irfft_adjoint
from engine.traced.calls import call

from ..case import Raises, Tolerance, case
from ..defects import on_traced_tier, with_rule, without_rule
from ..defects.state import together


def waves(frequencies, samples):
    """exp(-2πi jk/n), a row for each frequency k and a column for each sample j."""
    return np.exp(-2j * np.pi * np.outer(np.arange(frequencies), np.arange(samples)) / samples)


SAMPLES = np.array([0.5, -1.0, 2.0, 0.25])
HALF = waves(3, 4)
LOW_PASS = np.real(HALF[:2].conj().T @ np.diag([0.25, 0.5]) @ HALF[:2])


@case(
    "autograd-192",
    "https://github.com/HIPS/autograd/pull/192",
    title="transforms of real signals have no gradient",
    month="2017-03",
    symptom="raises",
    cause="There was no rule. Such a transform keeps one of each pair of frequencies, so that its adjoint is not the "
    "inverse transform times a number, as that of the complex transform is.",
    needs=("complex",),
    at=(SAMPLES,),
    right=(
        2 * np.real(HALF.conj().T @ np.diag([1.0, 2.0, 3.0]) @ HALF) @ SAMPLES + 2 * LOW_PASS.T @ LOW_PASS @ SAMPLES,
    ),
    oracle="closed form: the transforms as matrices",
    reported=Raises("foreign-call", "rfft"),
    defect=without_rule(np.fft.rfft, np.fft.irfft),
)
def weighted_power_and_low_pass(x):
    r = np.fft.rfft(x)
    return np.sum(np.abs(r) ** 2 * np.array([1.0, 2.0, 3.0])) + np.sum(np.fft.irfft(r[:2], 4) ** 2)


REAL, IMAGINARY = np.array([1.0, 2.0, -1.0, 0.5, 3.0]), np.array([0.3, -1.0, 2.0, 0.7, 1.1])
SEEN = np.array([1.0, -2.0, 0.5, 3.0, 0.2, -1.0, 2.0, 0.4])
PAIRS = np.array([1.0, 2.0, 2.0, 2.0, 1.0])  # how many frequencies of eight samples each of the stored ones stands for


def of_spectrum(weights):
    return np.real(waves(5, 8).conj().T @ (weights * (REAL + 1j * IMAGINARY)))


def of_samples(weights):
    seen = weights * (waves(5, 8) @ SEEN) / 8
    return seen.real + 0.5 * seen.imag


@case(
    "zygote-1158",
    "https://github.com/FluxML/Zygote.jl/issues/1158",
    title="transforms of real signals have gradients with a factor of two in all frequencies but two",
    month="2022-02",
    symptom="wrong-value",
    cause="Each of the two transforms was given the other one for its adjoint: the inverse counts the frequencies that "
    "stand for a pair twice, which is wrong in one direction and missing in the other.",
    needs=("complex",),
    at=(np.linspace(-1.0, 1.0, 8), np.array([1.0, 2.0, 3.0, 4.0, 5.0])),
    right=(of_spectrum(1), of_samples(PAIRS)),
    oracle="closed form: the transforms as matrices",
    reported=(of_spectrum(PAIRS), of_samples(1)),
    defect=together(
        with_rule(np.fft.rfft, a=lambda d, out, a: len(a) * np.fft.irfft(d, len(a))),
        with_rule(np.fft.irfft, a=lambda d, out, a, n: np.fft.rfft(d) / n),
    ),
)
def spectrum_of_samples_and_samples_of_a_spectrum(x, real):
    spectrum = np.fft.rfft(x)
    samples = np.fft.irfft(real + 0.5j * real, n=8)
    return np.sum(REAL * np.real(spectrum)) + np.sum(IMAGINARY * np.imag(spectrum)) + np.sum(SEEN * samples)


TURNS = np.pi / 2 * np.arange(4)
COSINES = np.stack([0.5 * np.cos(TURNS), 0.25 * np.cos(2 * TURNS)], 1)
SINES = np.stack([0.5 * np.sin(TURNS), 0 * TURNS], 1)


@case(
    "jax-6223",
    "https://github.com/jax-ml/jax/issues/6223",
    title="the Jacobian of an inverse real transform runs backwards in time",
    month="2021-03",
    symptom="wrong-value",
    cause="The cotangent of the spectrum was not conjugated, as the convention for complex gradients asks.",
    needs=("nested", "complex"),
    at=(np.array([1.0, -0.5, 2.0, 0.25]),),
    right=(np.concatenate([COSINES, -SINES], 1),),
    oracle="closed form: ½ Re(c exp(iπj/2)) + ¼ Re(c' exp(iπj))",
    reported=(np.concatenate([COSINES, SINES], 1),),
    asks="value",
    tolerance=Tolerance(atol=1e-15, why="some of its entries are zero up to rounding"),
    defect=with_rule(np.fft.irfft, a=lambda d, out, a: np.conj(irfft_adjoint(d, a, -1, None))),
)
def jacobian_of_an_inverse_transform(x, *, ad):
    def samples(x):
        return np.fft.irfft(np.concatenate([np.zeros(1), x[:2] + 1j * x[2:]]))

    return ad.jacobian(samples)(x)


TANGENT = np.array([[1.0, 0.0], [-0.5, 2.0], [0.25, 1.0]])


@case(
    "mlx-4138",
    "https://github.com/ml-explore/mlx/pull/4138",
    title="the tangent of a transform along one axis is transformed along all",
    month="2026-08",
    symptom="wrong-value",
    cause="The forward rule calls the transform without the axis that it was given.",
    needs=("nested", "forward", "complex"),
    at=(np.arange(6.0).reshape(3, 2),),
    right=(waves(3, 3) @ TANGENT,),
    oracle="closed form: the map is linear",
    reported=(np.fft.fftn(TANGENT),),
    asks="value",
    tolerance=Tolerance(atol=1e-15, why="some of its entries are zero up to rounding"),
    defect=with_rule(
        np.fft.fft,
        a=lambda d, out, a, axis=-1: len(a) * np.fft.ifft(d, axis=axis),
        jvp=lambda tangents, out, a, axis=-1: np.fft.fftn(tangents[0]),
    ),
)
def tangent_of_a_transform_of_columns(x, *, ad):
    return ad.jvp(lambda x: np.fft.fft(x, axis=0), (x,), (TANGENT,))[1]


FIVE = np.linspace(0.1, 1.0, 10)[:5]


@case(
    "tensorflow-108479",
    "https://github.com/tensorflow/tensorflow/pull/108479",
    title="a real transform of the first few samples: shapes that do not match",
    month="2026-01",
    symptom="raises",
    cause="The rule takes the length of the transform for that of the signal, and does not add the zeros for the "
    "samples that were cut off.",
    needs=("complex",),
    at=(np.linspace(0.1, 1.0, 10),),
    right=(
        np.concatenate(
            [2 * np.real(waves(3, 5).conj().T @ np.diag([1.0, 2.0, 3.0]) @ waves(3, 5)) @ FIVE, np.zeros(5)]
        ),
    ),
    oracle="closed form: the transform as a matrix, zeros for the tail",
    reported=Raises("crash", r"shape.*\(5,\).*\(10,\)"),
    defect=with_rule(np.fft.rfft, a=lambda d, out, a, n: np.real(waves(len(d), n).conj().T @ d)),
)
def weighted_power_of_the_first_samples(x):
    return np.sum(np.abs(np.fft.rfft(x, n=5)) ** 2 * np.array([1.0, 2.0, 3.0]))


VOLUME = np.arange(12.0).reshape(2, 2, 3)


@case(
    "tensorflow-60163",
    "https://github.com/tensorflow/tensorflow/issues/60163",
    title="the real transform in three dimensions has no gradient",
    month="2023-03",
    symptom="raises",
    cause="Rules were written for one and two dimensions only.",
    needs=("complex",),
    at=(VOLUME,),
    right=(12 * VOLUME + 4 * np.sum(VOLUME, -1, keepdims=True),),
    oracle="closed form: by Parseval, with the sums over the last axis for the frequency that has no partner",
    reported=Raises("foreign-call", "rfftn"),
    defect=without_rule(np.fft.rfftn),
)
def power_in_three_dimensions(x):
    return np.sum(np.abs(np.fft.rfftn(x)) ** 2)


def unnormalised_inverse(x, axis):
    return np.fft.ifft(x, axis=axis) * x.shape[axis]


def normalised_inverse(x, axis):
    return np.fft.ifft(x, axis=axis)


@contextmanager
def another_inverse_runs() -> Iterator[None]:
    """The rule of the unnormalised transform is right, but computes the value of the normalised one."""
    with registry.scope():
        registry.rule(normalised_inverse, x=lambda d, out, x, axis: np.fft.fft(d, axis=axis))
        registry.procedure(unnormalised_inverse)(lambda x, axis: call(normalised_inverse, x, axis))
        yield


BLOCK = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])


@case(
    "zygote-1386",
    "https://github.com/FluxML/Zygote.jl/pull/1386",
    title="an unnormalised inverse transform has another value when it is differentiated",
    month="2023-03",
    symptom="wrong-value",
    cause="The rule for the form with an axis was copied, and computes the normalised inverse for its value.",
    needs=("complex",),
    at=(BLOCK,),
    right=(6.0 * BLOCK,),
    oracle="closed form: 2 N x, by Parseval",
    reported=(2.0 * BLOCK,),
    defect=on_traced_tier(another_inverse_runs),
)
def power_of_an_unnormalised_inverse(x):
    return np.sum(np.abs(unnormalised_inverse(x, 0)) ** 2)


RAMP = np.linspace(-1.0, 1.0, 10)


@case(
    "zygote-899",
    "https://github.com/FluxML/Zygote.jl/issues/899",
    title="an orthonormal transform of N samples has a gradient N times too large",
    month="2021-02",
    symptom="wrong-value",
    cause="The adjoint of a transform was taken to be N times its inverse, which holds for the transform without "
    "factors; of an orthonormal one it is the inverse.",
    needs=("complex",),
    at=(RAMP,),
    right=(2 * RAMP,),
    oracle="closed form: it keeps the sum of the squares",
    reported=(20 * RAMP,),
    defect=with_rule(np.fft.fft, a=lambda d, out, a, norm: len(a) * np.fft.ifft(d, norm=norm)),
)
def power_of_an_orthonormal_spectrum(x):
    return np.sum(np.abs(np.fft.fft(x, norm="ortho")) ** 2)
