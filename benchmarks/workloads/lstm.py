"""A network of gates with diagonal weights that predicts a text, bit by bit: small vectors, and a loop over time.

Layer by layer: what a gate takes from the layer below is known for all times at once, and only what it takes from its
own past has to wait in the loop.
"""

from __future__ import annotations

import numpy as np

from benchmarks.workloads.workload import LARGE, Size, Workload, rng


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer(weight, bias, hidden, cell, inputs):
    """The hidden states (t, b) that follow on inputs (t, b)."""
    w_forget, w_in, w_out, w_change = weight.reshape(4, -1)
    b_forget, b_in, b_out, b_change = bias.reshape(4, -1)
    forgets = sigmoid(inputs * w_forget + b_forget)
    outs = sigmoid(inputs * w_out + b_out)
    states = []
    for forget, out in zip(forgets, outs, strict=True):
        cell = cell * forget + sigmoid(hidden * w_in + b_in) * np.tanh(hidden * w_change + b_change)
        hidden = out * np.tanh(cell)
        states.append(hidden)
    return np.stack(states)


def objective(main_params, extra_params, state, sequence):
    x = sequence[:-1] * extra_params[0]
    for i in range(0, len(main_params), 2):
        x = layer(main_params[i], main_params[i + 1], state[i], state[i + 1], x)
    predicted = x * extra_params[1] + extra_params[2]
    normaliser = np.log(2 + np.sum(np.exp(predicted), axis=1))
    return -np.mean(sequence[1:] * (predicted - normaliser[:, np.newaxis]))


def layer_forward(weight, bias, hidden, cell, inputs):
    """The hidden states, and what `layer_backward` needs."""
    w_forget, w_in, w_out, w_change = weight.reshape(4, -1)
    b_forget, b_in, b_out, b_change = bias.reshape(4, -1)
    forgets = sigmoid(inputs * w_forget + b_forget)
    outs = sigmoid(inputs * w_out + b_out)
    steps, (b,) = len(inputs), hidden.shape
    hiddens, cells = np.empty((steps + 1, b)), np.empty((steps + 1, b))
    ins, changes, tanhs = np.empty((steps, b)), np.empty((steps, b)), np.empty((steps, b))
    hiddens[0], cells[0] = hidden, cell
    for t in range(steps):
        ins[t] = gate = sigmoid(hidden * w_in + b_in)
        changes[t] = change = np.tanh(hidden * w_change + b_change)
        cells[t + 1] = cell = cell * forgets[t] + gate * change
        tanhs[t] = bent = np.tanh(cell)
        hiddens[t + 1] = hidden = outs[t] * bent
    return hiddens[1:], (weight, inputs, forgets, outs, hiddens, cells, ins, changes, tanhs)


def layer_backward(hiddens_bar, saved):
    """Cotangents of weight, bias and inputs; the slopes that do not wait for a cotangent are found for all times."""
    weight, inputs, forgets, outs, hiddens, cells, ins, changes, tanhs = saved
    w_forget, w_in, w_out, w_change = weight.reshape(4, -1)
    to_cell = outs * (1 - tanhs * tanhs)
    in_slopes, change_slopes = changes * ins * (1 - ins), ins * (1 - changes * changes)
    to_hidden = in_slopes * w_in + change_slopes * w_change
    cells_bar, all_bar = np.empty_like(ins), np.empty_like(ins)
    hidden_bar, cell_bar = np.zeros_like(w_in), np.zeros_like(w_in)
    for t in reversed(range(len(inputs))):
        all_bar[t] = hidden_bar = hidden_bar + hiddens_bar[t]
        cells_bar[t] = cell_bar = cell_bar + hidden_bar * to_cell[t]
        hidden_bar = cell_bar * to_hidden[t]
        cell_bar = cell_bar * forgets[t]
    forget_bar = cells_bar * cells[:-1] * forgets * (1 - forgets)
    out_bar = all_bar * tanhs * outs * (1 - outs)
    in_bar, change_bar = cells_bar * in_slopes, cells_bar * change_slopes
    pairs = ((forget_bar, inputs), (in_bar, hiddens[:-1]), (out_bar, inputs), (change_bar, hiddens[:-1]))
    weight_bar = np.concatenate([np.einsum("tb,tb->b", bar, x) for bar, x in pairs])
    bias_bar = np.concatenate([bar.sum(axis=0) for bar, _ in pairs])
    return weight_bar, bias_bar, forget_bar * w_forget + out_bar * w_out


def gradient(main_params, extra_params, state, sequence):
    inputs, targets = sequence[:-1], sequence[1:]
    x, saved = inputs * extra_params[0], []
    for i in range(0, len(main_params), 2):
        x, kept = layer_forward(main_params[i], main_params[i + 1], state[i], state[i + 1], x)
        saved.append(kept)
    e = np.exp(x * extra_params[1] + extra_params[2])
    total = targets.sum(axis=1, keepdims=True)
    predicted_bar = (total * e / (2 + e.sum(axis=1, keepdims=True)) - targets) / targets.size
    x_bar = predicted_bar * extra_params[1]
    out_weight_bar = np.einsum("tb,tb->b", predicted_bar, x)
    main_bar = np.empty_like(main_params)
    for i in reversed(range(len(saved))):
        main_bar[2 * i], main_bar[2 * i + 1], x_bar = layer_backward(x_bar, saved[i])
    extra_bar = np.stack((np.einsum("tb,tb->b", x_bar, inputs), out_weight_bar, predicted_bar.sum(axis=0)))
    return main_bar, extra_bar


def arguments(layers, characters, bits=14):
    draw = rng()
    main, extra = draw.random((2 * layers, 4 * bits)), draw.random((3, bits))
    sequence = draw.integers(0, 2, (characters, bits)).astype(float)
    return (main, extra), {"state": draw.random((2 * layers, bits)), "sequence": sequence}


GAP = (
    "Cotangents of gates are put together from slices, and each step adds to whole weights; by hand the "
    "products of all steps are one product at the end. It would take hoisting products out of the reverse "
    "loop."
)

WORKLOAD = Workload(
    "lstm",
    objective,
    gradient,
    (
        Size("l=2,c=8", lambda: arguments(2, 8)),
        Size("l=2,c=1024", lambda: arguments(2, 1024)),
        Size("l=4,c=1024,b=1024", lambda: arguments(4, 1024, 1024), target=LARGE),
    ),
    gap=GAP,
)
