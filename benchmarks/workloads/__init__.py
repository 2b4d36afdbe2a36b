"""The programs that are measured, each with its derivative written by hand: one module a workload."""

from __future__ import annotations

from importlib import import_module

from benchmarks.workloads.workload import Size, Workload

__all__ = ["GRADBENCH", "WORKLOADS", "Size", "Workload"]

GRADBENCH = ("hello", "gmm", "ba", "ht", "lstm", "kmeans", "particle", "saddle", "llsq", "lse", "ode", "det")
"""The evaluations of GradBench, https://github.com/gradbench/gradbench: their modules have GradBench's functions."""

OTHERS = (
    "scalar_loop",
    "scalar_loop_helper",
    "scalar_loop_exits",
    "deep_chain",
    "reuse_graph",
    "index_sum",
    "index_writes",
    "list_appends",
    "stencil",
    "convolution",
    "fft_filter",
    "masked_lengths",
    "mlp",
    "mlp_objects",
    "rnn",
    "kalman",
    "gaussian_process",
    "hvp",
)

WORKLOADS: dict[str, Workload] = {
    name: import_module(f"benchmarks.workloads.{name}").WORKLOAD for name in (*OTHERS, *GRADBENCH)
}
