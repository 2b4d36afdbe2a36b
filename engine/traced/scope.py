"""Which kind of variable a name is, and which code object belongs to which nested definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

from ..frontend import is_constant_lambda

__all__ = ["Scope", "nested_codes", "own_nodes"]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Scope:
    """The names of one function or class body.

    `cells` are its own variables that a nested function, lambda or class captures. A comprehension needs no cell to see
    the function's variables, since it is a comprehension in the rewritten code too.
    """

    def __init__(self, code: CodeType, node: ast.AST, class_name: str | None) -> None:
        self.class_name = class_name
        own = _bindings(node)
        self.globals = _declared_global(node)
        if isinstance(node, ast.ClassDef):  # methods do not see the variables of the class body
            self.free = set(code.co_freevars) - own
            self.cells = {"__class__"} & set(code.co_cellvars)
        else:
            self.free = set(code.co_freevars)
            captured = {name for nested in _definition_codes(code) for name in nested.co_freevars}
            self.cells = captured & (own - self.free) - self.globals
        self.locals = own - self.cells - self.free - self.globals
        self.inner: list[tuple[set[str], set[str]]] = []

    def kind(self, name: str) -> str:
        """local, cell or global."""
        for bound, captured in reversed(self.inner):
            if name in bound:
                return "cell" if name in captured else "local"
        if name in self.cells or name in self.free:
            return "cell"
        return "local" if name in self.locals else "global"

    def mangle(self, name: str) -> str:
        """`__v` inside class C is `_C__v`."""
        if self.class_name and name.startswith("__") and not name.endswith("__") and "." not in name:
            return f"_{self.class_name.lstrip('_')}{name}"
        return name

    @contextmanager
    def comprehension(self, node: ast.expr) -> Iterator[set[str]]:
        """Inside: the comprehension's own variables; yields those that a nested function captures."""
        generators = node.generators  # type: ignore[attr-defined]
        bound = {n.id for gen in generators for n in ast.walk(gen.target) if isinstance(n, ast.Name)}
        captured = bound & {
            inner.id
            for definition in ast.walk(node)
            if isinstance(definition, ast.Lambda)
            for inner in ast.walk(definition)
            if isinstance(inner, ast.Name)
        }
        self.inner.append((bound, captured))
        try:
            yield captured
        finally:
            self.inner.pop()


def _bindings(node: ast.AST) -> set[str]:
    """The names a function or class body binds itself; the variables of comprehensions belong to those."""
    a = getattr(node, "args", None)
    arguments = (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if a is not None else ()
    bound = {arg.arg for arg in arguments if arg is not None}
    declared: set[str] = set()
    pending: list[tuple[ast.AST, bool]] = [(child, False) for child in _body(node)]
    while pending:
        child, inside = pending.pop()  # inside a comprehension only `:=` binds
        if isinstance(child, ast.NamedExpr):
            bound.add(child.target.id)
        elif isinstance(child, ast.Global | ast.Nonlocal):
            declared.update(child.names)
        elif not inside:
            if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
                bound.add(child.id)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                bound.add(child.name)
            elif isinstance(child, ast.alias):
                bound.add(child.asname or child.name.split(".")[0])
            elif isinstance(child, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and child.name:
                bound.add(child.name)
            elif isinstance(child, ast.MatchMapping) and child.rest:
                bound.add(child.rest)
        inside = inside or isinstance(child, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
        if not isinstance(child, Definition):
            pending.extend((grandchild, inside) for grandchild in ast.iter_child_nodes(child))
        elif not isinstance(child, ast.Lambda):
            pending.extend((decorator, inside) for decorator in child.decorator_list)
    return bound - declared


def _body(node: ast.AST) -> list[ast.AST]:
    body = node.body  # type: ignore[attr-defined]
    return body if isinstance(body, list) else [body]


def _declared_global(node: ast.AST) -> set[str]:
    """The names of `global` statements of this function itself."""
    return {name for child in own_nodes(node) if isinstance(child, ast.Global) for name in child.names}


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of nested functions and classes."""
    pending = list(ast.iter_child_nodes(node))
    while pending:
        child = pending.pop()
        yield child
        if not isinstance(child, Definition):
            pending.extend(ast.iter_child_nodes(child))


def _definition_codes(code: CodeType) -> Iterator[CodeType]:
    """The code objects of the functions and classes in `code`, also inside comprehensions and type parameters."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name in _COMPREHENSIONS or constant.co_name.startswith("<generic parameters of "):
                yield from _definition_codes(constant)
            else:
                yield constant


def nested_codes(code: CodeType, node: ast.AST) -> dict[ast.AST, CodeType]:
    """Each nested definition -> its code object."""
    definitions = [child for child in own_nodes(node) if isinstance(child, Definition)]
    found: dict[ast.AST, CodeType] = {}
    for nested in _definition_codes(code):
        match = [d for d in definitions if d not in found and _is_code_of(d, nested)]
        if match:
            found[max(match, key=lambda d: (d.lineno, d.col_offset))] = nested
    return found


def _is_code_of(node: Definition, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        if code.co_name != "<lambda>":
            return False
        spots = [p for p in code.co_positions() if None not in p and (p[2], p[3]) != (0, 0)]
        if not spots:
            return node.lineno == code.co_firstlineno and is_constant_lambda(node, code)
        start = (node.body.lineno, node.body.col_offset)
        end = (node.body.end_lineno, node.body.end_col_offset)
        return all(start <= (p[0], p[2]) and (p[1], p[3]) <= end for p in spots)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return node.name == code.co_name and first == code.co_firstlineno
