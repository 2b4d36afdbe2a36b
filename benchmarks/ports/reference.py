"""The engine of this project: it takes the workloads as they are."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.ports import Asked
from benchmarks.workloads import Workload

__all__ = ["prepare"]


def prepare(workload: Workload, args: tuple, constants: dict[str, Any]) -> Asked:
    return Asked(partial(workload.asked, *args, **constants), lambda got, like: got)
