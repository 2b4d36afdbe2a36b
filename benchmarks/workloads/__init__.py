"""The programs that are measured, each with its hand-written gradient: one module a workload."""

from __future__ import annotations

from benchmarks.workloads import (
    index_sum,
    list_appends,
    masked_lengths,
    mlp,
    mlp_objects,
    rnn,
    scalar_loop,
    scalar_loop_exits,
    scalar_loop_helper,
)
from benchmarks.workloads.workload import Size, Workload

__all__ = ["WORKLOADS", "Size", "Workload"]

WORKLOADS: dict[str, Workload] = {
    module.WORKLOAD.name: module.WORKLOAD
    for module in (
        scalar_loop,
        scalar_loop_helper,
        scalar_loop_exits,
        mlp,
        mlp_objects,
        rnn,
        index_sum,
        list_appends,
        masked_lengths,
    )
}
