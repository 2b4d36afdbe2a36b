"""A Kalman filter and the probability it gives to what was measured: small linear algebra, step after step."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def loss(transition, log_process, log_noise, observation, ys):
    """Minus the logarithm of the probability of ys (t, m), for states that start at zero with unit covariance."""
    d = len(transition)
    process, noise = np.diag(np.exp(log_process)), np.diag(np.exp(log_noise))
    mean, covariance = np.zeros(d), np.eye(d)
    total = 0.5 * ys.size * math.log(2 * math.pi)
    for y in ys:
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + process
        innovation = y - observation @ mean
        spread = observation @ covariance
        s = spread @ observation.T + noise
        gain = np.linalg.solve(s, spread)
        weighed = np.linalg.solve(s, innovation)
        total = total + 0.5 * (innovation @ weighed + np.linalg.slogdet(s)[1])
        mean = mean + innovation @ gain
        covariance = covariance - spread.T @ gain
    return total


def loss_gradient(transition, log_process, log_noise, observation, ys):
    """With the inverse of s at hand the reverse sweep is made of products alone."""
    d, m = len(transition), len(observation)
    process, noise = np.diag(np.exp(log_process)), np.diag(np.exp(log_noise))
    mean, covariance = np.zeros(d), np.eye(d)
    saved = []
    for y in ys:
        mean_before, covariance_before = mean, covariance
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + process
        innovation = y - observation @ mean
        spread = observation @ covariance
        inverse = np.linalg.inv(spread @ observation.T + noise)
        gain = inverse @ spread
        saved.append((mean_before, covariance_before, innovation, spread, inverse, gain))
        mean = mean + innovation @ gain
        covariance = covariance - spread.T @ gain
    transition_bar, process_bar, noise_bar = np.zeros((d, d)), np.zeros(d), np.zeros(m)
    mean_bar, covariance_bar = np.zeros(d), np.zeros((d, d))
    for mean_before, covariance_before, innovation, spread, inverse, gain in reversed(saved):
        weighed = inverse @ innovation
        gain_bar = np.outer(innovation, mean_bar) - spread @ covariance_bar
        through = inverse @ gain_bar
        s_bar = 0.5 * (inverse - np.outer(weighed, weighed)) - through @ gain.T
        spread_bar = through - gain @ covariance_bar.T + s_bar @ observation
        innovation_bar = gain @ mean_bar + weighed
        noise_bar += np.diag(s_bar)
        predicted_bar = covariance_bar + observation.T @ spread_bar
        process_bar += np.diag(predicted_bar)
        mean_bar = mean_bar - observation.T @ innovation_bar
        transition_bar += np.outer(mean_bar, mean_before)
        transition_bar += (predicted_bar + predicted_bar.T) @ transition @ covariance_before
        mean_bar = transition.T @ mean_bar
        covariance_bar = transition.T @ predicted_bar @ transition
    return transition_bar, process_bar * np.exp(log_process), noise_bar * np.exp(log_noise)


def arguments(d, m, steps):
    draw = rng().standard_normal
    transition = 0.9 * np.linalg.qr(draw((d, d)))[0]
    return (transition, 0.1 * draw(d), 0.1 * draw(m)), {"observation": draw((m, d)), "ys": draw((steps, m))}


GAP = (
    "s is solved for twice, its determinant and inverse are computed beside that, and outer products are "
    "added term by term; by hand one inverse serves all and symmetric terms are one product. It would "
    "take sharing a factor between solve, inv and slogdet."
)

WORKLOAD = Workload(
    "kalman",
    loss,
    loss_gradient,
    (
        Size("d=2,m=1,steps=10", lambda: arguments(2, 1, 10)),
        Size("d=100,m=50,steps=50", lambda: arguments(100, 50, 50), target=LARGE),
    ),
    gap=GAP,
)
