"""The few kinds of node that rewritten code is made of, and the names it uses for itself."""

from __future__ import annotations

import ast

from ..errors import UnsupportedSyntaxError
from ..frontend import Source

__all__ = ["PREFIX", "assign_name", "bound_names", "cell_of", "name", "run", "starred_names", "stored", "unsupported"]

PREFIX = "ad_"


def unsupported(node: ast.AST, source: Source, what: str, remedy: str) -> UnsupportedSyntaxError:
    line = getattr(node, "lineno", 0)
    owner = getattr(source.node, "name", "<lambda>")
    return UnsupportedSyntaxError(
        f"cannot differentiate {what}  ({source.filename}:{line}, in {owner})\n  Way out: {remedy}."
    )


def cell_of(variable: str) -> str:
    """What the cell of a captured variable is called."""
    return f"{PREFIX}cell_{variable}"


def name(identifier: str, ctx: ast.expr_context | None = None) -> ast.Name:
    return ast.Name(identifier, ctx or ast.Load())


def run(helper: str, *args: ast.expr, keywords: list[ast.keyword] | None = None, at: ast.AST | None = None) -> ast.Call:
    """A call of a runtime function."""
    made = ast.Call(name(PREFIX + helper), list(args), keywords or [])
    return ast.copy_location(made, at) if at is not None else made


def assign_name(identifier: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([name(identifier, ast.Store())], value)


def stored(target: ast.expr) -> ast.expr:
    """A fresh copy of an assignment target made of names."""
    if isinstance(target, ast.Tuple | ast.List):
        return ast.copy_location(ast.Tuple([stored(t) for t in target.elts], ast.Store()), target)
    if isinstance(target, ast.Starred):
        return ast.copy_location(ast.Starred(stored(target.value), ast.Store()), target)
    return ast.copy_location(ast.Name(target.id, ast.Store()), target)  # type: ignore[attr-defined]


def starred_names(target: ast.expr) -> list[str]:
    """The names that take a starred rest."""
    if isinstance(target, ast.Starred):
        return [target.value.id]  # type: ignore[attr-defined]
    if isinstance(target, ast.Tuple | ast.List):
        return [star for t in target.elts for star in starred_names(t)]
    return []


def bound_names(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
