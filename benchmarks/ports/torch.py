"""PyTorch: tensors in double precision, eager, as its users write it, and gradients from a tape."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.ports import Asked, NoPort, plain, torch_derivatives
from benchmarks.ports.tensors import lift, lower, torch
from benchmarks.workloads import Workload, det, gmm
from benchmarks.workloads.ode import END
from benchmarks.workloads.scalar_loop import ITERATIONS

__all__ = ["prepare"]


def prepare(workload: Workload, args: tuple, constants: dict[str, Any]) -> Asked:
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    if workload.name in CALLS:
        call = CALLS[workload.name](args, constants)
    elif workload.name in PROGRAMS:
        call = gradient(PROGRAMS[workload.name], args, constants)
    else:
        raise NoPort("nobody has written one")
    return Asked(call, partial(plain, lower=lower))


def gradient(program: Callable, args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """Of tensors that are leaves once and for all."""
    inputs = [x.requires_grad_() for x in lift(args)]
    given = lift(constants)
    return lambda: torch.autograd.grad(program(*inputs, **given), inputs)


def square(x):
    return x * x


def scalar_loop(x, a):
    for _ in range(ITERATIONS):
        x = torch.sin(x) * a + x / 2
    return x


def scalar_loop_exits(x, a, limit):
    total = 0.0
    for _ in range(ITERATIONS):
        if abs(x) > 2.0:
            x = x / 4
            continue
        x = torch.sin(x) * a + x / 2
        total = total + x
        if total > limit:
            break
        if total < -limit:
            return total * a
    return total


def deep_chain(x, a, steps):
    rate = a / steps
    for _ in range(steps):
        x = x + rate * torch.sin(x)
    return x.sum()


def reuse_graph(x, y, steps):
    for _ in range(steps):
        s = torch.tanh(x + y)
        x, y = s * x - y, s + 0.5 * x
    return (x * y).sum()


def index_sum(x):
    total = 0.0
    for i in range(len(x) - 1):
        total = total + x[i] * x[i + 1]
    return total


def index_writes(x, a, b):
    """A list that is stacked: each write into a tensor would be a copy on the tape."""
    ys = [x[0]]
    for i in range(1, len(x)):
        ys.append(a * ys[-1] + b * x[i] * x[i - 1])
    y = torch.stack(ys)
    return (y * y).sum()


def list_appends(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """The list is a tensor that is taken apart."""

    def program(xs, a):
        y, ys = torch.zeros(()), []
        for s in torch.sin(xs).unbind():
            y = s * a + y / 2
            ys.append(y)
        y = torch.stack(ys)
        return (y * y).sum()

    xs, a = args
    return gradient(program, (np.array(xs), a), constants)


def stencil(start, conductivity, steps):
    u, inner = start, conductivity[1:-1]
    for _ in range(steps):
        middle = u[1:-1] + inner * (u[:-2] - 2 * u[1:-1] + u[2:])
        u = torch.cat((u[:1], middle, u[-1:]))
    return (u * u).sum()


def convolution(image, kernel):
    out = torch.relu(torch.nn.functional.conv2d(image[None, None], kernel[None, None]))
    return (out * out).mean()


def fft_filter(taps, signal, target, power):
    n = len(signal)
    spectrum = torch.fft.rfft(signal) * torch.fft.rfft(taps, n)
    error = torch.fft.irfft(spectrum, n) - target
    difference = (spectrum.real**2 + spectrum.imag**2) / n - power
    return (error**2).mean() + (difference**2).mean()


def masked_lengths(x, w):
    return (w * torch.sqrt(torch.clamp((x * x).sum(dim=1), min=0.25))).sum()


def mlp(w1, b1, w2, b2, x, y):
    r = torch.addmm(b2, torch.tanh(torch.addmm(b1, x, w1)), w2) - y
    return (r * r).mean()


def mlp_objects(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    """A module of modules, whose weights are transposed."""
    (chain,) = args
    layers = []
    for layer in chain.layers:
        linear = torch.nn.Linear(*layer.weight.shape)
        linear.weight.data, linear.bias.data = lift(np.ascontiguousarray(layer.weight.T)), lift(layer.bias)
        layers.append(linear)
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])
    x, y = lift(constants["x"]), lift(constants["y"])

    def asked():
        model.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        bars = [{"weight": layer.weight.grad.T, "bias": layer.bias.grad} for layer in layers]
        return ({"layers": bars},)

    return asked


def rnn(w, u, b, xs):
    h = torch.zeros(xs.shape[1:])
    for x in xs:
        h = torch.tanh(x @ w + h @ u + b)
    return (h * h).sum()


def kalman(transition, log_process, log_noise, observation, ys):
    process, noise = torch.diag(torch.exp(log_process)), torch.diag(torch.exp(log_noise))
    mean, covariance = torch.zeros(len(transition)), torch.eye(len(transition))
    total = 0.5 * ys.numel() * math.log(2 * math.pi)
    for y in ys:
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + process
        innovation = y - observation @ mean
        spread = observation @ covariance
        s = spread @ observation.T + noise
        gain = torch.linalg.solve(s, spread)
        weighed = torch.linalg.solve(s, innovation)
        total = total + 0.5 * (innovation @ weighed + torch.logdet(s))
        mean = mean + innovation @ gain
        covariance = covariance - spread.T @ gain
    return total


def gaussian_process(log_length, log_scale, log_noise, x, y):
    z = x * torch.exp(-log_length)
    norms = (z * z).sum(dim=1)
    k = torch.exp(2 * log_scale - 0.5 * (norms[:, None] + norms - 2 * z @ z.T))
    factor = torch.linalg.cholesky(k + torch.exp(2 * log_noise) * torch.eye(len(y)))
    half = torch.linalg.solve_triangular(factor, y[:, None], upper=False)
    return 0.5 * (half * half).sum() + factor.diagonal().log().sum() + 0.5 * len(y) * math.log(2 * math.pi)


def gmm_objective(args: tuple, constants: dict[str, Any]) -> Callable[[], Any]:
    x, m, gamma = lift(constants["x"]), constants["m"], constants["gamma"]
    n, d = x.shape
    rows, columns = map(lift, gmm.lower_triangle(d))
    constant = gmm.log_normaliser(n, d, len(args[0]), m, gamma)

    def program(alpha, mu, q, lower):
        below = torch.zeros(len(alpha), d, d)
        below[:, rows, columns] = lower
        factor = below + torch.diag_embed(torch.exp(q))
        z = (x - mu[:, None]) @ factor.mT
        log_det = q.sum(dim=1)
        terms = (alpha + log_det)[:, None] - 0.5 * (z * z).sum(dim=2)
        likelihood = torch.logsumexp(terms, 0).sum() - n * torch.logsumexp(alpha, 0)
        return likelihood + m * log_det.sum() - 0.5 * gamma**2 * (factor * factor).sum() + constant

    return gradient(program, args, {})


def lstm(main_params, extra_params, state, sequence):
    def layer(weight, bias, hidden, cell, inputs):
        w_forget, w_in, w_out, w_change = weight.reshape(4, -1)
        b_forget, b_in, b_out, b_change = bias.reshape(4, -1)
        forgets = torch.sigmoid(inputs * w_forget + b_forget)
        outs = torch.sigmoid(inputs * w_out + b_out)
        states = []
        for forget, out in zip(forgets.unbind(), outs.unbind(), strict=True):
            ingate = torch.sigmoid(hidden * w_in + b_in)
            cell = cell * forget + ingate * torch.tanh(hidden * w_change + b_change)
            hidden = out * torch.tanh(cell)
            states.append(hidden)
        return torch.stack(states)

    x = sequence[:-1] * extra_params[0]
    for i in range(0, len(main_params), 2):
        x = layer(main_params[i], main_params[i + 1], state[i], state[i + 1], x)
    predicted = x * extra_params[1] + extra_params[2]
    normaliser = torch.log(2 + torch.exp(predicted).sum(dim=1))
    return -(sequence[1:] * (predicted - normaliser[:, None])).mean()


def llsq(x, n):
    t = torch.linspace(-1.0, 1.0, n)
    r = torch.sign(t) - torch.vander(t, len(x), increasing=True) @ x
    return 0.5 * torch.dot(r, r)


def lse(x):
    return torch.logsumexp(x, 0)


def ode(x, s):
    h, one = END / s, torch.ones(1)

    def slope(y):
        return x * torch.cat((one, y[:-1]))

    y = torch.zeros_like(x)
    for _ in range(s):
        k1 = slope(y)
        k2 = slope(y + (h / 2) * k1)
        k3 = slope(y + (h / 2) * k2)
        k4 = slope(y + h * k3)
        y = y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
    return y.sum()


def determinants(a):
    m = a.shape[-1]
    if m == 1:
        return a[..., 0, 0]
    minors = a[..., 1:, :][..., det.other_columns(m)].movedim(-2, -3)
    return (lift(det.alternating(m)) * a[..., 0, :] * determinants(minors)).sum(dim=-1)


def determinant(a, ell):
    return determinants(a.reshape(ell, ell))


PROGRAMS: dict[str, Callable] = {
    "hello": square,
    "scalar_loop": scalar_loop,
    "scalar_loop_helper": scalar_loop,
    "scalar_loop_exits": scalar_loop_exits,
    "deep_chain": deep_chain,
    "reuse_graph": reuse_graph,
    "index_sum": index_sum,
    "index_writes": index_writes,
    "stencil": stencil,
    "convolution": convolution,
    "fft_filter": fft_filter,
    "masked_lengths": masked_lengths,
    "mlp": mlp,
    "rnn": rnn,
    "kalman": kalman,
    "gaussian_process": gaussian_process,
    "lstm": lstm,
    "llsq": llsq,
    "lse": lse,
    "ode": ode,
    "det": determinant,
}

CALLS: dict[str, Callable[[tuple, dict[str, Any]], Callable[[], Any]]] = {
    "list_appends": list_appends,
    "mlp_objects": mlp_objects,
    "gmm": gmm_objective,
    **torch_derivatives.CALLS,
}
