"""Is a program of the core well formed? Every name defined once, before each use, in a block that encloses it."""

from __future__ import annotations

from typing import Any

from .core import Block, If, Let, Loop, Program, Var, blocks_of, bound_in, operands, outs_of, vars_of


class MalformedCore(Exception):
    """A pass of the engine has broken the program; the message says what and where."""


def verify(program: Program, after: str = "") -> None:
    """
    Raises:
        MalformedCore: naming the pass (`after`) and the name that is used where it is not defined, or defined twice.
    """
    seen = set(program.params)
    visible = _verify(program.body, set(program.params), seen, after)
    _visible([program.results], visible, after, "the results")


def _verify(block: Block, visible: set, seen: set, after: str) -> set:
    visible = set(visible)
    for stmt in block.stmts:
        _visible(list(operands(stmt)), visible, after, _describe(stmt))
        inside = visible | set(bound_in(stmt))
        for v in bound_in(stmt):
            _once(v, seen, after)
        for inner, values in blocks_of(stmt):
            end = _verify(inner, inside, seen, after)
            _visible(values, end, after, f"what {_describe(stmt)} hands out")
        if type(stmt) is If and not len(stmt.outs) == len(stmt.then_values) == len(stmt.else_values):
            raise MalformedCore(f"after {after}: {_describe(stmt)} hands out unequal numbers of values")
        if type(stmt) is Loop and (stmt.go is not None and stmt.go not in stmt.carried or not (stmt.xs or stmt.go)):
            raise MalformedCore(f"after {after}: {_describe(stmt)} has no end")
        for out in outs_of(stmt):
            _once(out, seen, after)
            visible.add(out)
    return visible


def _visible(args: list, visible: set, after: str, what: str) -> None:
    for v in vars_of(args):
        if v not in visible:
            raise MalformedCore(f"after {after}: {v} is used in {what} and is not defined there")


def _once(v: Var, seen: set, after: str) -> None:
    if v in seen:
        raise MalformedCore(f"after {after}: {v} is defined twice")
    seen.add(v)


def _describe(stmt: Any) -> str:
    if type(stmt) is Let:
        return f"{stmt.out} = {getattr(stmt.fn, '__name__', stmt.fn)}(...), line {stmt.line}"
    return f"{'an If' if type(stmt) is If else 'a Loop'}, line {stmt.line}"
