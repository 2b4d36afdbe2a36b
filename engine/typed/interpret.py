"""A program of the core, run node by node: slow and simple, to tell which pass changed what a program means."""

from __future__ import annotations

from typing import Any

from .core import UNDEFINED, Block, Const, If, Let, Program, Var


def interpret(program: Program, values: list) -> Any:
    """The results of `program`, given the values of its params."""
    env: dict[Var, Any] = dict(zip(program.params, values, strict=True))
    _run(program.body, env)
    return _value(program.results, env)


def _value(arg: Any, env: dict) -> Any:
    if type(arg) is Const:
        return arg.value
    if type(arg) is Var:
        return env[arg]
    if arg is UNDEFINED:
        return None
    items = [_value(item, env) for item in arg.items]
    return slice(*items) if arg.kind is slice else arg.kind(items)


def _run(block: Block, env: dict) -> None:
    for stmt in block.stmts:
        if type(stmt) is Let:
            env[stmt.out] = stmt.fn(*[_value(a, env) for a in stmt.args], **{k: _value(a, env) for k, a in stmt.kw})
        elif type(stmt) is If:
            taken = bool(_value(stmt.cond, env))
            _run(stmt.then if taken else stmt.orelse, env)
            values = [_value(v, env) for v in (stmt.then_values if taken else stmt.else_values)]
            env.update(zip(stmt.outs, values, strict=True))
        else:
            _loop(stmt, env)


def _loop(loop: Any, env: dict) -> None:
    for c in loop.carried:
        env[c.param] = _value(c.init, env)
    saved: list[list] = [[] for _ in loop.ys]
    sequences = [list(_value(x.seq, env)) for x in loop.xs]
    rows = zip(*[s[::-1] if x.backwards else s for s, x in zip(sequences, loop.xs, strict=True)], strict=False)
    while loop.go is None or env[loop.go.param]:
        if loop.xs:
            row = next(rows, None)
            if row is None:
                break
            env.update(zip([x.elem for x in loop.xs], row, strict=True))
        _run(loop.body, env)
        for items, y in zip(saved, loop.ys, strict=True):
            items.append(_value(y.value, env))
        env.update(zip([c.param for c in loop.carried], [_value(c.next, env) for c in loop.carried], strict=True))
    env.update((c.out, env[c.param]) for c in loop.carried)
    env.update(zip([y.out for y in loop.ys], saved, strict=True))
