"""Expressions of the user's program -> the calls of the runtime that mean them."""

from __future__ import annotations
import __future__

import ast
import itertools
from collections.abc import Callable
from types import CodeType
from typing import Any

from ..errors import UnsupportedSyntaxError
from ..frontend import Source
from .nodes import PREFIX, bound_names, cell_of, name, run, stored, unsupported
from .scope import Scope, nested_codes

__all__ = ["BINARY", "Expressions"]

BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.MatMult: "matmul", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or_",
    ast.BitXor: "xor", ast.BitAnd: "and_",
}  # fmt: skip
UNARY = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}
COMPARE = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Is: "is_",
    ast.IsNot: "is_not", ast.In: "in_", ast.NotIn: "not_in",
}  # fmt: skip


class Expressions:
    """The expressions of one function or class body; `expr` dispatches on the kind of node."""

    def __init__(self, code: CodeType, node: Any, source: Source, constants: dict[str, Any]) -> None:
        self.code = code
        self.node = node
        self.source = source
        self.constants = constants
        self.scope = Scope(code, node, node.name if isinstance(node, ast.ClassDef) else source.class_name)
        self.codes = nested_codes(code, node)
        self.numbers = constants.setdefault(f"{PREFIX}numbers", itertools.count(1))

    def fresh(self, stem: str) -> str:
        return f"{PREFIX}{stem}{next(self.numbers)}"

    def constant(self, value: Any, stem: str) -> ast.Name:
        label = self.fresh(stem)
        self.constants[label] = value
        return name(label)

    def unsupported(self, node: ast.AST, what: str, remedy: str) -> UnsupportedSyntaxError:
        return unsupported(node, self.source, what, remedy)

    def structure(self, target: ast.expr) -> ast.expr:
        """How many items an unpacking wants, nested: (count, position of the star or None, nested structures)."""
        items = target.elts  # type: ignore[attr-defined]
        star = next((i for i, t in enumerate(items) if isinstance(t, ast.Starred)), None)
        inner = [self.structure(t) if isinstance(t, ast.Tuple | ast.List) else ast.Constant(None) for t in items]
        return ast.Tuple([ast.Constant(len(items)), ast.Constant(star), ast.Tuple(inner, ast.Load())], ast.Load())

    def expr(self, node: ast.expr) -> ast.expr:
        handler = getattr(self, f"of_{type(node).__name__.lower()}", None)
        if handler is None:
            raise self.unsupported(node, f"`{type(node).__name__}`", "write it without this expression")
        return ast.copy_location(handler(node), node)

    def test(self, node: ast.expr) -> ast.expr:
        return run("truth", self.expr(node), at=node)

    def of_constant(self, node: ast.Constant) -> ast.expr:
        return node

    def of_name(self, node: ast.Name) -> ast.expr:
        kind = self.scope.kind(node.id)
        if kind == "local":
            return name(node.id)
        if kind == "cell":
            return run("load_cell", name(cell_of(node.id)), ast.Constant(node.id))
        return run("load_global", name(PREFIX + "globals"), ast.Constant(node.id), name(node.id))

    def of_binop(self, node: ast.BinOp) -> ast.expr:
        return run(BINARY[type(node.op)], self.expr(node.left), self.expr(node.right))

    def of_unaryop(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return ast.UnaryOp(ast.Not(), self.test(node.operand))
        return run(UNARY[type(node.op)], self.expr(node.operand))

    def of_boolop(self, node: ast.BoolOp) -> ast.expr:
        return ast.BoolOp(node.op, [self.expr(v) for v in node.values])

    def of_compare(self, node: ast.Compare) -> ast.expr:
        parts: list[ast.expr] = []
        left = self.expr(node.left)
        for position, (op, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            value = self.expr(right)
            if position < len(node.ops) - 1:
                held = self.fresh("middle")
                parts.append(run(COMPARE[type(op)], left, ast.NamedExpr(name(held, ast.Store()), value)))
                left = name(held)
            else:
                parts.append(run(COMPARE[type(op)], left, value))
        return parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), parts)

    def of_ifexp(self, node: ast.IfExp) -> ast.expr:
        return ast.IfExp(self.test(node.test), self.expr(node.body), self.expr(node.orelse))

    def of_namedexpr(self, node: ast.NamedExpr) -> ast.expr:
        kind, label, value = self.scope.kind(node.target.id), node.target.id, self.expr(node.value)
        if kind == "local":
            return ast.NamedExpr(name(label, ast.Store()), value)
        if kind == "cell":
            return run("keep_cell", name(cell_of(label)), value)
        return run("keep_global", name(PREFIX + "globals"), ast.Constant(label), value)

    def of_attribute(self, node: ast.Attribute) -> ast.expr:
        return run("get_attribute", self.expr(node.value), ast.Constant(self.scope.mangle(node.attr)))

    def of_subscript(self, node: ast.Subscript) -> ast.expr:
        return run("getitem", self.expr(node.value), self.expr(node.slice))

    def of_slice(self, node: ast.Slice) -> ast.expr:
        none = ast.Constant(None)
        return run("slice", *[self.expr(p) if p is not None else none for p in (node.lower, node.upper, node.step)])

    def of_starred(self, node: ast.Starred) -> ast.expr:
        return ast.Starred(run("iterate", self.expr(node.value)), ast.Load())

    def of_call(self, node: ast.Call) -> ast.expr:
        special = self.special_call(node)
        if special is not None:
            return special
        args = [self.expr(a) for a in node.args]
        keywords = [
            ast.keyword(k.arg, self.expr(k.value) if k.arg else run("keywords", self.expr(k.value)))
            for k in node.keywords
        ]
        if isinstance(node.func, ast.Attribute):
            label = ast.Constant(self.scope.mangle(node.func.attr))
            return run("call_method", self.expr(node.func.value), label, *args, keywords=keywords)
        return run("call", self.expr(node.func), *args, keywords=keywords)

    def special_call(self, node: ast.Call) -> ast.expr | None:
        """Calls that ask for the caller's own frame."""
        if not isinstance(node.func, ast.Name) or self.scope.kind(node.func.id) != "global":
            return None
        called = node.func.id
        if called == "super" and not node.args and "__class__" in self.code.co_freevars:
            a = self.node.args
            first = (a.posonlyargs + a.args)[0].arg
            return run("super", name(cell_of("__class__")), self.expr(name(first)))
        if called == "globals":
            return name(PREFIX + "globals")
        if called in ("locals", "exec", "eval") or (called in ("vars", "dir") and not node.args):
            raise self.unsupported(node, f"`{called}()`", "name the variables it reads or writes")
        return None

    def of_tuple(self, node: ast.Tuple) -> ast.expr:
        return ast.Tuple([self.expr(e) for e in node.elts], ast.Load())

    def of_list(self, node: ast.List) -> ast.expr:
        return run("make_list", ast.List([self.expr(e) for e in node.elts], ast.Load()))

    def of_set(self, node: ast.Set) -> ast.expr:
        return run("make_set", ast.List([self.expr(e) for e in node.elts], ast.Load()))

    def of_dict(self, node: ast.Dict) -> ast.expr:
        pairs: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                pairs.append(ast.Starred(run("items", self.expr(value)), ast.Load()))
            else:
                pairs.append(ast.Tuple([self.expr(key), self.expr(value)], ast.Load()))
        return run("make_dict", ast.List(pairs, ast.Load()))

    def of_joinedstr(self, node: ast.JoinedStr) -> ast.expr:
        return ast.JoinedStr([self.expr(v) for v in node.values])

    def of_formattedvalue(self, node: ast.FormattedValue) -> ast.expr:
        spec = self.expr(node.format_spec) if node.format_spec is not None else None
        return ast.FormattedValue(run("plain", self.expr(node.value)), node.conversion, spec)

    def of_templatestr(self, node: Any) -> ast.expr:
        raise self.unsupported(node, "a template string, t'...'", "pass the values themselves, or write an f-string")

    def of_lambda(self, node: ast.Lambda) -> ast.expr:
        return self.function(node)

    def of_await(self, node: ast.Await) -> ast.expr:
        raise self.unsupported(node, "`await`", "compute the value before, in plain code")

    def of_yield(self, node: ast.Yield) -> ast.expr:
        return ast.Yield(self.expr(node.value) if node.value else None)

    def of_yieldfrom(self, node: ast.YieldFrom) -> ast.expr:
        return ast.YieldFrom(run("iterate", self.expr(node.value)))

    def of_listcomp(self, node: ast.ListComp) -> ast.expr:
        return self.comprehension(node, lambda gens: run("make_list", ast.ListComp(self.expr(node.elt), gens)))

    def of_setcomp(self, node: ast.SetComp) -> ast.expr:
        return self.comprehension(node, lambda gens: run("make_set", ast.ListComp(self.expr(node.elt), gens)))

    def of_dictcomp(self, node: ast.DictComp) -> ast.expr:
        return self.comprehension(
            node,
            lambda gens: run(
                "make_dict",
                ast.ListComp(ast.Tuple([self.expr(node.key), self.expr(node.value)], ast.Load()), gens),
            ),
        )

    def of_generatorexp(self, node: ast.GeneratorExp) -> ast.expr:
        return self.comprehension(node, lambda gens: ast.GeneratorExp(self.expr(node.elt), gens))

    def comprehension(self, node: Any, build: Callable[[list[ast.comprehension]], ast.expr]) -> ast.expr:
        """A comprehension of the rewritten code, with its own variables local to it.

        A variable that a lambda inside it captures is one cell for the whole comprehension, as in Python.
        """
        if any(gen.is_async for gen in node.generators):
            raise self.unsupported(node, "an async comprehension", "iterate over plain values")
        first = self.expr(node.generators[0].iter)
        with self.scope.comprehension(node) as captured:
            gens = []
            for position, gen in enumerate(node.generators):
                iterable = run("iterate", first if position == 0 else self.expr(gen.iter), at=gen.iter)
                if isinstance(gen.target, ast.Tuple | ast.List):
                    iterable = run("unpacking", iterable, self.structure(gen.target))
                gens.append(ast.comprehension(stored(gen.target), iterable, [], 0))
                for bound in sorted(bound_names(gen.target) & captured):
                    keep = run("keep_cell", name(cell_of(bound)), name(bound))
                    gens.append(ast.comprehension(name(self.fresh("kept"), ast.Store()),
                                                  ast.Tuple([keep], ast.Load()), [], 0))  # fmt: skip
                gens[-1].ifs.extend(self.test(c) for c in gen.ifs)
            made = build(gens)
        if not captured:
            return made
        cells = sorted(cell_of(bound) for bound in captured)
        inner = ast.Lambda(ast.arguments([], [ast.arg(c) for c in cells], None, [], [], None, []), made)
        return ast.Call(inner, [run("new_cell") for _ in cells], [])

    # -- nested functions ---------------------------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.Lambda) -> ast.expr:
        """The plain nested function, from its own code, over explicit cells."""
        a = node.args
        defaults = ast.Tuple([self.expr(d) for d in a.defaults], ast.Load())
        named = [(arg.arg, d) for arg, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d is not None]
        keyword_defaults = ast.List(
            [ast.Tuple([ast.Constant(label), self.expr(d)], ast.Load()) for label, d in named], ast.Load()
        )
        code = self.codes[node]
        if any(parameter.name in code.co_freevars for parameter in getattr(node, "type_params", ())):
            raise self.unsupported(node, "a nested function that reads its own type parameters", "write it outside")
        return self.closure("make_function", code, [defaults, keyword_defaults, self.annotations(node)])

    def annotations(self, node: ast.FunctionDef | ast.Lambda) -> ast.expr:
        """Annotations, for decorators that read them (`singledispatch`); an undecorated function goes without.

        They are a function of nothing, since Python 3.14 computes them when they are read.
        """
        if not isinstance(node, ast.FunctionDef) or not node.decorator_list:
            return ast.Constant(None)
        a = node.args
        arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        found = [(arg.arg, arg.annotation) for arg in arguments if arg.annotation is not None]
        if node.returns is not None:
            found.append(("return", node.returns))
        pairs: list[ast.expr] = [
            ast.Tuple([ast.Constant(label), self.annotation(note)], ast.Load()) for label, note in found
        ]
        return ast.Lambda(ast.arguments([], [], None, [], [], None, []), ast.List(pairs, ast.Load()))

    def annotation(self, written: ast.expr) -> ast.expr:
        """An annotation as its module has them: the value, or the text."""
        as_text = self.code.co_flags & __future__.annotations.compiler_flag
        return ast.Constant(ast.unparse(written)) if as_text else self.expr(written)

    def closure(self, helper: str, code: CodeType, more: list[ast.expr]) -> ast.expr:
        cells = ast.Tuple([name(cell_of(free)) for free in code.co_freevars], ast.Load())
        return run(helper, self.constant(code, "code"), name(PREFIX + "globals"), cells, *more)
