"""Each workload at its first size, asked of an engine of any age: measured once, then told one figure at a time."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType, FrameType
from typing import Any

from benchmarks.workloads import WORKLOADS

__all__ = [
    "LABELS", "Counted", "Figures", "Told", "Unavailable", "count_instructions", "exact_counts", "measured", "prepared",
]  # fmt: skip

LABELS = [f"{workload.name}:{workload.sizes[0].name}" for workload in WORKLOADS.values()]

Figures = dict[str, Any]
"""What was measured of one workload; {"absent": why} where the commit lacks the API, {"problem": why} otherwise."""


class Unavailable(NotImplementedError):
    """The engine of this commit does not have what the question needs: asv leaves it out."""


def prepared(label: str) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object] | None]:
    """The gradient by the engine, right and warm, the one by hand, and the program itself where there is one.

    Raises:
        Unavailable: there is no such API in this commit.
        ArithmeticError: the gradient is wrong, and has no cost.
    """
    try:
        from benchmarks.measure import disagreement
    except ImportError as error:
        raise Unavailable(f"today's comparison does not import: {error}") from None
    name, size_name = label.split(":", 1)
    workload = WORKLOADS[name]
    args, constants = workload.size(size_name).arguments()
    try:
        by_engine = partial(workload.asked, *args, **constants)
        answer = by_engine()
    except AttributeError as error:
        if "module 'engine'" in str(error):
            raise Unavailable(str(error)) from None
        raise
    by_hand = partial(workload.hand, *args, **constants)
    if difference := disagreement(answer, by_hand()):
        raise ArithmeticError(f"a wrong gradient has no cost: {difference}")
    by_engine()
    return by_engine, by_hand, partial(workload.primal, *args, **constants) if workload.primal else None


def measured(measure: Callable[[str], Figures]) -> dict[str, Figures]:
    """`measure` of every workload; the failure of one does not hide the others."""

    def tried(label: str) -> Figures:
        try:
            return measure(label)
        except Unavailable as why:
            return {"absent": str(why)}
        except Exception as error:  # whatever the engine of the commit says; asv is told when it asks
            return {"problem": f"{type(error).__name__}: {error}"}

    return {label: tried(label) for label in LABELS}


def _counters(label: str) -> Figures:
    by_engine, _, primal = prepared(label)
    return exact_counts(by_engine, primal)


def exact_counts(by_engine: Callable[[], object], primal: Callable[[], object] | None) -> Figures:
    """What is the same in every run of a gradient that is warm; "problems" are counters that could not be had, why."""
    from benchmarks.measure import count_calls, kept_bytes, peak_bytes

    with collector_stopped():
        peak = min(peak_bytes(by_engine) for _ in range(3))  # the first holds what tracing itself needs once
    figures: Figures = {
        "calls": count_calls(by_engine),
        "instructions": count_instructions(by_engine),
        "peak bytes": peak,
        "kept bytes": kept_bytes(by_engine),
    }
    try:
        figures |= _code(primal)
    except Exception as error:  # whatever the engine of the commit prints; the other counters stand
        figures["problems"] = dict.fromkeys(CODE, f"{type(error).__name__}: {error}")
    return figures


CODE = ("statements", "names saved")


def _code(primal: Callable[[], object] | None) -> Figures:
    """How long the generated adjoint is, and what it saves; nothing for a program that is not a plain gradient."""
    import engine

    if not isinstance(primal, partial) or not hasattr(engine, "show"):
        return {}
    tree = ast.parse(engine.show(primal.func, *primal.args, **primal.keywords))
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(tree))
    return dict(zip(CODE, (statements, len(set(_read_backwards(tree)))), strict=True))


@contextmanager
def collector_stopped() -> Iterator[None]:
    """When the collector of cycles comes by depends on all that was done before."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _read_backwards(tree: ast.AST) -> Iterator[str]:
    """Lists that a loop of the forward sweep fills, and its loop of the reverse sweep reads."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="reversed"), args=[ast.Name(id=name)]):
                yield name


def count_instructions(call: Callable[[], object]) -> int:
    """How many instructions of the interpreter `call` executes: the same number in every run of one interpreter.

    >>> one, two = (count_instructions(lambda n=n: [None for _ in range(n)]) for n in (10, 20))
    >>> two > one
    True
    """
    return _monitored(call) if sys.version_info >= (3, 12) else _traced(call)


def _monitored(call: Callable[[], object]) -> int:
    """By what Python 3.12 brought: there a trace misses instructions of code that it sees for the first time."""
    executed = 0

    def executes(code: CodeType, offset: int) -> None:
        nonlocal executed
        executed += 1

    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
    tool, instruction = 4, monitoring.events.INSTRUCTION  # 4 is nobody's by convention
    monitoring.use_tool_id(tool, "gradpin")
    monitoring.register_callback(tool, instruction, executes)
    monitoring.set_events(tool, instruction)
    try:
        call()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return executed


def _traced(call: Callable[[], object]) -> int:
    executed = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal executed
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        executed += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return executed


class Told:
    """A class of benchmarks that tells figures measured beforehand, one parameter a workload."""

    params = (LABELS,)
    param_names = ("workload",)

    def setup(self, figures: dict[str, Figures], label: str) -> None:
        found = figures[label]
        if "absent" in found:
            raise NotImplementedError(found["absent"])
        if "problem" in found:
            raise RuntimeError(found["problem"])

    @staticmethod
    def told(figures: dict[str, Figures], label: str, name: str) -> float:
        """The figure; not a number, which asv takes for left out, where the workload has none.

        Raises:
            RuntimeError: it could not be had.
        """
        if problem := figures[label].get("problems", {}).get(name):
            raise RuntimeError(problem)
        return figures[label].get(name, float("nan"))


class Counted(Told):
    """A class of benchmarks that tells exact counters: they are taken once for all classes that inherit this."""

    def setup_cache(self) -> dict[str, Figures]:
        return measured(_counters)

    setup_cache.timeout = 300  # type: ignore[attr-defined]
