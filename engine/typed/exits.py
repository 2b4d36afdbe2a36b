"""How statements leave a block: what always leaves, what is assigned, and returns moved behind their loops."""

from __future__ import annotations

import ast
import copy
from functools import lru_cache

from .types import NotTyped

LOOPS = (ast.For, ast.While)
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def always(stmts: list) -> bool:
    """Does every path through `stmts` end in return, raise, break or continue?"""
    for stmt in stmts:
        if isinstance(stmt, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return True
        if isinstance(stmt, ast.While) and is_endless(stmt):
            return True
        if isinstance(stmt, ast.If) and stmt.orelse and always(stmt.body) and always(stmt.orelse):
            return True
    return False


def is_endless(loop: ast.For | ast.While) -> bool:
    """Is it a `while True:` that only return and raise leave?"""
    return isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and bool(loop.test.value) and not (
        any(map(has_break, loop.body))
    )  # fmt: skip


def has_break(stmt: ast.stmt) -> bool:
    """Does it leave the loop that it stands in by `break`?"""
    if isinstance(stmt, ast.Break):
        return True
    inner = stmt.orelse if isinstance(stmt, LOOPS) else [] if isinstance(stmt, SCOPES) else ast.iter_child_nodes(stmt)
    return any(has_break(child) for child in inner if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case))


@lru_cache(maxsize=4096)
def assigned(node: ast.AST) -> tuple[str, ...]:
    """The names bound by statements in `node`, not those of the scopes nested in it."""
    found: dict[str, None] = {}
    pending = list(ast.iter_child_nodes(node)) if isinstance(node, SCOPES) else [node]
    while pending:
        child = pending.pop()
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store | ast.Del):
            found[child.id] = None
        elif isinstance(child, ast.FunctionDef | ast.ClassDef):
            found[child.name] = None
        elif isinstance(child, ast.comprehension | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            found.update((n.target.id, None) for n in ast.walk(child) if isinstance(n, ast.NamedExpr))
            continue
        if not isinstance(child, SCOPES):
            pending.extend(ast.iter_child_nodes(child))
    return tuple(sorted(found))


@lru_cache(maxsize=1024)
def without_returns(loop: ast.For | ast.While) -> tuple[ast.For | ast.While, list]:
    """The loop with `return e` as "raise a flag and break", and the `if flag: return e` that follow it.

    Nothing runs between the break and the return, so `e` has the value it would have had inside.
    """
    if not any(isinstance(n, ast.Return) for stmt in loop.body for n in _statements(stmt)):
        return loop, []
    after: list[ast.stmt] = []
    mover = _Mover(loop, after)
    body = [s for stmt in loop.body for s in mover.move(copy.copy(stmt))]
    made = copy.copy(loop)
    made.body = body
    made.flags = tuple([stmt.test.id for stmt in after])
    if is_endless(loop) and after:
        after[-1:] = after[-1].body  # there is no other way out
    return made, after


def _statements(stmt: ast.AST) -> list:
    found, pending = [], [stmt]
    while pending:
        node = pending.pop()
        found.append(node)
        if not isinstance(node, SCOPES):
            pending.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
    return found


def _at(node: ast.AST, where: ast.AST) -> ast.AST:
    return ast.fix_missing_locations(ast.copy_location(node, where))


class _Mover:
    def __init__(self, loop: ast.AST, after: list) -> None:
        self.loop, self.after = loop, after

    def move(self, stmt: ast.stmt) -> list[ast.stmt]:
        if isinstance(stmt, ast.Return):
            name = f"$returns{id(self.loop)}_{len(self.after)}"
            self.after.append(_at(ast.If(_at(ast.Name(name, ast.Load()), stmt), [stmt], []), stmt))
            return [_at(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(True)), stmt), _at(ast.Break(), stmt)]
        if isinstance(stmt, ast.If):
            stmt.body = [s for child in stmt.body for s in self.move(copy.copy(child))]
            stmt.orelse = [s for child in stmt.orelse for s in self.move(copy.copy(child))]
            return [stmt]
        if isinstance(stmt, LOOPS):
            inner, moved = without_returns(stmt)
            return [inner, *[s for child in moved for s in self.move(child)]]
        return [stmt]


@lru_cache(maxsize=4096)
def assigned_in(node: ast.FunctionDef) -> tuple[str, ...]:
    """The names that the body of a function binds."""
    names: set = set()
    for stmt in node.body:
        names.update((stmt.name,) if isinstance(stmt, ast.FunctionDef | ast.ClassDef) else assigned(stmt))
    return tuple(sorted(names))


@lru_cache(maxsize=4096)
def is_generator(node: ast.AST) -> bool:
    pending = list(ast.iter_child_nodes(node))
    while pending:
        child = pending.pop()
        if isinstance(child, ast.Yield | ast.YieldFrom | ast.Await):
            return True
        if not isinstance(child, SCOPES):
            pending.extend(ast.iter_child_nodes(child))
    return False


@lru_cache(maxsize=4096)
def refuse_scope_statements(node: ast.FunctionDef) -> None:
    """global and nonlocal make a store reach out of the function, which this tier does not follow."""
    for stmt in node.body:
        for child in ast.walk(stmt):
            if isinstance(child, ast.Global | ast.Nonlocal):
                raise NotTyped("global or nonlocal")


class Append(ast.stmt):
    """What a comprehension does with an item."""

    _fields = ("value",)


@lru_cache(maxsize=1024)
def comprehension_loop(node: ast.ListComp | ast.GeneratorExp) -> ast.For:
    """The loops of a comprehension, with an Append inside; the first iterable has been evaluated before."""
    body: list = [_at(Append(node.elt), node.elt)]
    for i, generator in reversed(list(enumerate(node.generators))):
        if generator.is_async:
            raise NotTyped("an asynchronous comprehension")
        for test in reversed(generator.ifs):
            body = [_at(ast.If(test, body, []), test)]
        iterable = _at(ast.Name("$first", ast.Load()), generator.iter) if i == 0 else generator.iter
        body = [_at(ast.For(generator.target, iterable, body, []), generator.iter)]
    return body[0]
