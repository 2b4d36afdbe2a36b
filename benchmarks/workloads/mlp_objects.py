"""The same network as nested objects: what it costs to write a model the way models are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.workloads import mlp
from benchmarks.workloads.workload import Size, Workload
from regressions.case import fields


def identity(x):
    return x


@dataclass
class Dense:
    weight: np.ndarray
    bias: np.ndarray
    activation: Callable

    def __call__(self, x):
        return self.activation(x @ self.weight + self.bias)


@dataclass
class Chain:
    layers: list[Dense]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def loss(model, x, y):
    r = model(x) - y
    return np.mean(r * r)


def loss_gradient(model, x, y):
    hidden, out = model.layers
    w1_bar, b1_bar, w2_bar, b2_bar = mlp.loss_gradient(hidden.weight, hidden.bias, out.weight, out.bias, x, y)
    hidden_bar = fields(weight=w1_bar, bias=b1_bar, activation=None)
    out_bar = fields(weight=w2_bar, bias=b2_bar, activation=None)
    return (fields(layers=[hidden_bar, out_bar]),)


def arguments(batch, width):
    (w1, b1, w2, b2), constants = mlp.arguments(batch, width)
    return (Chain([Dense(w1, b1, np.tanh), Dense(w2, b2, identity)]),), constants


GAP = "Attributes are read and checked, and the tangents of objects built, at each call."

WORKLOAD = Workload(
    "mlp_objects",
    loss,
    loss_gradient,
    (
        Size("32x64-64-1", lambda: arguments(32, 64), target=1.15),
        Size("256x512-512-1", lambda: arguments(256, 512), target=1.15),
    ),
    flat=mlp.WORKLOAD,
    gap=GAP,
)
