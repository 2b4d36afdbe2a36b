"""A Python function -> the same function with every operation written as a call of the runtime, which records it.

    def f(x, l):                            def f(x, l):
        l.append(x * 2)          ->             call_method(l, "append", mul(x, 2))
        if x > 0:                               if truth(gt(x, 0)):
            return l[-1]                            return getitem(l, -1)

Statements stay what they are: loops, `try`, `with`, generators and early exits are Python's own, so their meaning is
Python's too. Variables that nested functions capture live in explicit cells; a nested function is made from its own
original code over those cells, so it is the plain function that it would be without the engine, and it is rewritten
when it is called. Rewritten code keeps the user's file name and line numbers.
"""

from __future__ import annotations

import __future__

import ast
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from .. import errors
from ..errors import UnsupportedSyntaxError, register_generated
from ..frontend import Source, source_of
from .match import pattern_spec
from .scope import Scope, nested_codes, own_nodes

__all__ = ["rewritten", "rewritten_source"]

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

_factories: dict[tuple[CodeType, int], Any] = {}


def rewritten(function: FunctionType) -> Callable:
    """The rewritten form of a function, over the same globals, cells and defaults."""
    code = function.__code__
    key = (code, id(code))  # code objects compare by value: two equal lambdas are two functions
    factory = _factories.get(key)
    if factory is None:
        factory = _factories[key] = _factory(function)
    made = factory(function.__globals__, function.__closure__ or ())
    made.__defaults__ = function.__defaults__
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def rewritten_source(function: FunctionType) -> str:
    """The rewritten form as text."""
    module, _ = _rewrite(function, source_of(function))
    return ast.unparse(module.body[0].body[0])  # type: ignore[attr-defined]


def _factory(function: FunctionType) -> Callable[[dict, tuple], FunctionType]:
    from .runtime import RUNTIME

    source = source_of(function)
    module, constants = _rewrite(function, source)
    try:
        compiled = compile(module, source.filename, "exec")
    except SyntaxError as error:
        raise UnsupportedSyntaxError(
            f"cannot differentiate {function.__qualname__} ({source.filename}:{error.lineno}): {error.msg}\n"
            f"  Way out: move the assignment expression out of the comprehension's iterable, or the like."
        ) from error
    register_generated(compiled)
    label = function.__code__.co_name
    renamed: list[CodeType] = []
    names = function.__code__.co_freevars

    def make(module_globals: dict, cells: tuple[CellType, ...]) -> FunctionType:
        built: dict[str, Any] = {}
        exec(compiled, module_globals, built)
        given = {f"{PREFIX}cell_{name}": cell for name, cell in zip(names, cells, strict=True)}
        made = built["_make"](**given, **constants, **{f"{PREFIX}{n}": r for n, r in RUNTIME.items()},
                              **{f"{PREFIX}globals": module_globals})  # fmt: skip
        if not renamed:
            renamed.append(made.__code__.replace(co_name=label, co_qualname=function.__code__.co_qualname))
            register_generated(renamed[0])
        made.__code__ = renamed[0]
        made.__name__ = label
        return made

    return make


PREFIX = "ad_"


def _rewrite(function: FunctionType, source: Source) -> tuple[ast.Module, dict[str, Any]]:
    from .runtime import RUNTIME

    node = source.node
    if isinstance(node, ast.AsyncFunctionDef):
        raise unsupported(node, source, "an async function", "write it as a plain function")
    rewriter = Rewriter(function, source)
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.Return(rewriter.expr(node.body))]
    else:
        body = rewriter.body(node.body)
    body = rewriter.prologue() + body
    definition = ast.FunctionDef(
        name=f"{PREFIX}def_{getattr(node, 'name', 'lambda')}",  # not its own name: that is looked up where the user put it
        args=rewriter.bare_arguments(node.args), body=body, decorator_list=[], returns=None, type_params=[],
    )  # fmt: skip
    cells = [f"{PREFIX}cell_{name}" for name in function.__code__.co_freevars]
    given = [*cells, *rewriter.constants, *(f"{PREFIX}{n}" for n in RUNTIME), f"{PREFIX}globals"]
    outer = ast.FunctionDef(
        name="_make",
        args=ast.arguments([], [], None, [ast.arg(n) for n in given], [None] * len(given), None, []),
        body=[definition, ast.Return(name(definition.name))], decorator_list=[], returns=None, type_params=[],
    )  # fmt: skip
    ast.copy_location(definition, node)
    ast.copy_location(outer, node)
    module = ast.Module([outer], [])
    ast.fix_missing_locations(module)
    return module, rewriter.constants


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


class Rewriter:
    """One function's body; `expr` and `statement` dispatch on the kind of node."""

    def __init__(self, function: FunctionType, source: Source) -> None:
        self.source = source
        self.code = function.__code__
        self.scope = Scope(function, source)
        self.codes = nested_codes(self.code, source.node)
        self.constants: dict[str, Any] = {}
        self.count = 0

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{PREFIX}{stem}{self.count}"

    def constant(self, value: Any, stem: str) -> ast.Name:
        label = self.fresh(stem)
        self.constants[label] = value
        return name(label)

    def prologue(self) -> list[ast.stmt]:
        """New cells for captured variables, and a recorded dict for `**kwargs`."""
        made: list[ast.stmt] = []
        a = self.source.node.args
        if a.kwarg is not None:
            made.append(_assign(a.kwarg.arg, run("kwargs_dict", name(a.kwarg.arg))))
        arguments = {arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if arg is not None}
        for captured in sorted(self.scope.cells):
            initial = [name(captured)] if captured in arguments else []
            made.append(_assign(cell_of(captured), run("new_cell", *initial)))
        return made

    def bare_arguments(self, a: ast.arguments) -> ast.arguments:
        """The same parameters without annotations; defaults are set on the function object."""

        def bare(arg: ast.arg) -> ast.arg:
            return ast.copy_location(ast.arg(self.scope.mangle(arg.arg)), arg)

        none = ast.Constant(None)
        return ast.arguments(
            [bare(x) for x in a.posonlyargs], [bare(x) for x in a.args], bare(a.vararg) if a.vararg else None,
            [bare(x) for x in a.kwonlyargs], [none if d is not None else None for d in a.kw_defaults],
            bare(a.kwarg) if a.kwarg else None, [none] * len(a.defaults),
        )  # fmt: skip

    # -- statements ---------------------------------------------------------------------------------------------------

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for node in statements:
            for statement in self.statement(node):
                made.append(ast.copy_location(statement, node) if not hasattr(statement, "lineno") else statement)
        return made or [ast.Pass()]

    def statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        handler = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if handler is None:
            raise self.unsupported(node, f"`{type(node).__name__}`", "write it without this statement")
        yield from handler(node)

    def unsupported(self, node: ast.AST, what: str, remedy: str) -> UnsupportedSyntaxError:
        return unsupported(node, self.source, what, remedy)

    def on_expr(self, node: ast.Expr) -> Iterator[ast.stmt]:
        yield ast.Expr(self.expr(node.value))

    def on_pass(self, node: ast.Pass) -> Iterator[ast.stmt]:
        yield node

    on_break = on_continue = on_pass

    def on_return(self, node: ast.Return) -> Iterator[ast.stmt]:
        yield ast.Return(self.expr(node.value) if node.value else None)

    def on_assign(self, node: ast.Assign) -> Iterator[ast.stmt]:
        value = self.expr(node.value)
        if len(node.targets) > 1:
            held = self.fresh("value")
            yield _assign(held, value)
            value = name(held)
        for target in node.targets:
            yield from self.assign(target, value)

    def on_annassign(self, node: ast.AnnAssign) -> Iterator[ast.stmt]:
        if node.value is not None:
            yield from self.assign(node.target, self.expr(node.value))

    def on_augassign(self, node: ast.AugAssign) -> Iterator[ast.stmt]:
        operation = name(PREFIX + "i" + BINARY[type(node.op)].rstrip("_"))
        target = node.target
        if isinstance(target, ast.Name):
            old, value = self.expr(name(target.id)), self.expr(node.value)
            yield from self.assign(target, ast.Call(operation, [old, value], []))
            return
        holder = self.fresh("holder")
        yield _assign(holder, self.expr(target.value))
        if isinstance(target, ast.Attribute):
            label = ast.Constant(self.scope.mangle(target.attr))
            yield ast.Expr(run("aug_attribute", name(holder), label, operation, self.expr(node.value)))
        else:
            index = self.fresh("index")
            yield _assign(index, self.expr(target.slice))
            new = ast.Call(operation, [run("getitem", name(holder), name(index)), self.expr(node.value)], [])
            yield ast.Expr(run("aug_item", name(holder), name(index), new))

    def on_delete(self, node: ast.Delete) -> Iterator[ast.stmt]:
        for target in node.targets:
            if isinstance(target, ast.Name):
                kind = self.scope.kind(target.id)
                if kind == "cell":
                    yield ast.Expr(run("delete_cell", name(cell_of(target.id)), ast.Constant(target.id)))
                elif kind == "global":
                    yield ast.Expr(run("delete_global", name(PREFIX + "globals"), ast.Constant(target.id)))
                else:
                    yield ast.Delete([ast.Name(target.id, ast.Del())])
            elif isinstance(target, ast.Attribute):
                label = ast.Constant(self.scope.mangle(target.attr))
                yield ast.Expr(run("delete_attribute", self.expr(target.value), label))
            elif isinstance(target, ast.Subscript):
                yield ast.Expr(run("delitem", self.expr(target.value), self.expr(target.slice)))
            else:
                yield from self.on_delete(ast.copy_location(ast.Delete(target.elts), node))  # type: ignore[attr-defined]

    def on_if(self, node: ast.If) -> Iterator[ast.stmt]:
        yield ast.If(self.test(node.test), self.body(node.body), self.body(node.orelse) if node.orelse else [])

    def on_while(self, node: ast.While) -> Iterator[ast.stmt]:
        yield ast.While(self.test(node.test), self.body(node.body), self.body(node.orelse) if node.orelse else [])

    def on_for(self, node: ast.For) -> Iterator[ast.stmt]:
        iterable = run("iterate", self.expr(node.iter), at=node.iter)
        target, before = self.loop_target(node.target)
        if isinstance(target, ast.Tuple):
            iterable = run("unpacking", iterable, self.structure(node.target))
        yield ast.For(target, iterable, before + self.body(node.body), self.body(node.orelse) if node.orelse else [])

    def loop_target(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """What a `for` may bind directly, and the statements that bind the rest."""
        if self.binds_locals_only(target):
            return _stored(target), []
        held = self.fresh("item")
        return name(held, ast.Store()), list(self.assign(target, name(held)))

    def binds_locals_only(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Tuple | ast.List):
            return all(self.binds_locals_only(t) for t in target.elts)
        if isinstance(target, ast.Starred):
            return self.binds_locals_only(target.value)
        return isinstance(target, ast.Name) and self.scope.kind(target.id) == "local"

    def structure(self, target: ast.expr) -> ast.expr:
        """How many items an unpacking wants, nested: (count, position of the star or None, nested structures)."""
        items = target.elts  # type: ignore[attr-defined]
        star = next((i for i, t in enumerate(items) if isinstance(t, ast.Starred)), None)
        inner = [
            self.structure(t) if isinstance(t, ast.Tuple | ast.List) else ast.Constant(None) for t in items
        ]
        return ast.Tuple([ast.Constant(len(items)), ast.Constant(star), ast.Tuple(inner, ast.Load())], ast.Load())

    def assign(self, target: ast.expr, value: ast.expr) -> Iterator[ast.stmt]:
        if isinstance(target, ast.Name):
            kind = self.scope.kind(target.id)
            if kind == "local":
                yield ast.Assign([name(target.id, ast.Store())], value)
            elif kind == "cell":
                yield ast.Expr(run("store_cell", name(cell_of(target.id)), value))
            else:
                yield ast.Expr(run("store_global", name(PREFIX + "globals"), ast.Constant(target.id), value))
        elif isinstance(target, ast.Attribute):
            label = ast.Constant(self.scope.mangle(target.attr))
            held = self.fresh("value")
            yield _assign(held, value)
            yield ast.Expr(run("set_attribute", self.expr(target.value), label, name(held)))
        elif isinstance(target, ast.Subscript):
            held = self.fresh("value")
            yield _assign(held, value)
            yield ast.Expr(run("setitem", self.expr(target.value), self.expr(target.slice), name(held)))
        elif self.binds_locals_only(target):
            yield ast.Assign([_stored(target)], run("unpack", value, self.structure(target)))
        else:
            parts = [self.fresh("part") for _ in target.elts]  # type: ignore[attr-defined]
            flat = ast.Tuple([
                ast.Starred(name(p, ast.Store()), ast.Store()) if isinstance(t, ast.Starred) else name(p, ast.Store())
                for p, t in zip(parts, target.elts, strict=True)  # type: ignore[attr-defined]
            ], ast.Store())  # fmt: skip
            level = ast.Tuple([self.structure(target).elts[0], self.structure(target).elts[1],  # type: ignore[attr-defined]
                               ast.Tuple([ast.Constant(None)] * len(parts), ast.Load())], ast.Load())  # fmt: skip
            yield ast.Assign([flat], run("unpack", value, level))
            for part, inner in zip(parts, target.elts, strict=True):  # type: ignore[attr-defined]
                if isinstance(inner, ast.Starred):
                    yield from self.assign(inner.value, run("make_list", name(part)))
                else:
                    yield from self.assign(inner, name(part))
            return
        if isinstance(target, ast.Tuple | ast.List):
            for star in _stars(target):
                yield _assign(star, run("make_list", name(star)))

    def on_assert(self, node: ast.Assert) -> Iterator[ast.stmt]:
        message = [self.expr(node.msg)] if node.msg else []
        error = run("call", self.constant(AssertionError, "error"), *message)
        failed = ast.BoolOp(ast.And(), [name("__debug__"), ast.UnaryOp(ast.Not(), self.test(node.test))])
        yield ast.If(failed, [ast.copy_location(ast.Raise(run("plain", error), None), node)], [])

    def on_raise(self, node: ast.Raise) -> Iterator[ast.stmt]:
        yield ast.Raise(
            run("plain", self.expr(node.exc)) if node.exc else None,
            run("plain", self.expr(node.cause)) if node.cause else None,
        )

    def on_try(self, node: ast.Try) -> Iterator[ast.stmt]:
        # An error of the engine inside a `try` must reach the user: taking the program's own handler instead would
        # differentiate another path than the one the primal takes.
        # A handler that names an error of the engine is meant for it.
        handlers = [ast.copy_location(self.handler(h), h) for h in node.handlers]
        if handlers:
            guard = ast.ExceptHandler(name(PREFIX + "DifferentiationError"), None, [ast.Raise(None, None)])
            first = next((i for i, h in enumerate(node.handlers) if not _names_engine_error(h)), len(handlers))
            handlers.insert(first, ast.copy_location(guard, node.handlers[0]))
        yield type(node)(self.body(node.body), handlers, self.body(node.orelse) if node.orelse else [],
                         self.body(node.finalbody) if node.finalbody else [])  # fmt: skip

    on_trystar = on_try

    def handler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        body = self.body(node.body)
        label = node.name
        if label is not None and self.scope.kind(label) == "cell":
            held = self.fresh("caught")
            body = [ast.Expr(run("store_cell", name(cell_of(label)), name(held))), *body]
            label = held
        return ast.ExceptHandler(run("plain", self.expr(node.type)) if node.type else None, label, body)

    def on_with(self, node: ast.With) -> Iterator[ast.stmt]:
        first, *rest = node.items
        inner = [ast.copy_location(ast.With(rest, node.body), node)] if rest else node.body
        manager = run("context", self.expr(first.context_expr))
        if first.optional_vars is None:
            yield ast.With([ast.withitem(manager, None)], self.body(inner))
            return
        held = self.fresh("entered")
        bind = [ast.copy_location(s, node) for s in self.assign(first.optional_vars, name(held))]
        yield ast.With([ast.withitem(manager, name(held, ast.Store()))], [*bind, *self.body(inner)])

    def on_match(self, node: ast.Match) -> Iterator[ast.stmt]:
        subject, bound = self.fresh("subject"), self.fresh("bound")
        yield _assign(subject, self.expr(node.subject))
        chain: list[ast.stmt] = []
        done = self.fresh("matched")
        yield _assign(done, ast.Constant(False))
        for case in node.cases:
            spec, captures = pattern_spec(self, case.pattern)
            body: list[ast.stmt] = []
            for captured in captures:
                item = ast.Subscript(name(bound), ast.Constant(captured), ast.Load())
                body.extend(self.assign(name(captured, ast.Store()), item))
            taken = [_assign(done, ast.Constant(True)), *self.body(case.body)]
            body.extend([ast.If(self.test(case.guard), taken, [])] if case.guard else taken)
            condition = ast.BoolOp(ast.And(), [
                ast.UnaryOp(ast.Not(), name(done)),
                ast.Compare(ast.NamedExpr(name(bound, ast.Store()), run("matches", name(subject), spec)), [ast.IsNot()],
                            [ast.Constant(None)]),
            ])  # fmt: skip
            chain.append(ast.If(condition, [ast.copy_location(s, case.pattern) for s in body], []))
        yield from (ast.copy_location(s, node) for s in chain)

    def on_functiondef(self, node: ast.FunctionDef) -> Iterator[ast.stmt]:
        yield from self.assign(name(node.name), self.decorated(node, self.function(node)))

    def on_asyncfunctiondef(self, node: ast.AsyncFunctionDef) -> Iterator[ast.stmt]:
        raise self.unsupported(node, "an async function", "write it as a plain function")

    def on_asyncfor(self, node: ast.AsyncFor) -> Iterator[ast.stmt]:
        raise self.unsupported(node, "`async for`", "iterate over plain values")

    def on_asyncwith(self, node: ast.AsyncWith) -> Iterator[ast.stmt]:
        raise self.unsupported(node, "`async with`", "use a plain `with`")

    def decorated(self, node: ast.FunctionDef | ast.ClassDef, made: ast.expr) -> ast.expr:
        for decorator in reversed(node.decorator_list):
            made = run("call", self.expr(decorator), made, at=decorator)
        return made

    def on_classdef(self, node: ast.ClassDef) -> Iterator[ast.stmt]:
        code = self.codes[node]
        read = {n.id for child in node.body for n in _read_at_once(child) if isinstance(n, ast.Name)}
        body = self.closure("class_body", code, [ast.Tuple([ast.Constant(r) for r in sorted(read)], ast.Load())])
        bases = [self.expr(b) for b in node.bases]
        keywords = [ast.keyword(k.arg, self.expr(k.value)) for k in node.keywords]
        made = run("build_class", body, ast.Constant(node.name), *bases, keywords=keywords)
        yield from self.assign(name(node.name), self.decorated(node, made))

    def on_import(self, node: ast.Import | ast.ImportFrom) -> Iterator[ast.stmt]:
        if any(alias.name == "*" for alias in node.names):
            raise self.unsupported(node, "`import *` inside a function", "name what is imported")
        yield node
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if self.scope.kind(bound) != "local":
                yield from self.assign(name(bound), name(bound))

    on_importfrom = on_import

    def on_global(self, node: ast.Global | ast.Nonlocal) -> Iterator[ast.stmt]:
        yield ast.Pass()

    on_nonlocal = on_global

    # -- expressions --------------------------------------------------------------------------------------------------

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
            a = self.source.node.args
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
                gens.append(ast.comprehension(_stored(gen.target), iterable, [], 0))
                for bound in sorted(_names(gen.target) & captured):
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
        return self.closure("make_function", self.codes[node], [defaults, keyword_defaults, self.annotations(node)])

    def annotations(self, node: ast.FunctionDef | ast.Lambda) -> ast.expr:
        """Annotations, for decorators that read them (`singledispatch`); an undecorated function goes without."""
        pairs: list[ast.expr] = []
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            a = node.args
            arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
            found = [(arg.arg, arg.annotation) for arg in arguments if arg.annotation is not None]
            if node.returns is not None:
                found.append(("return", node.returns))
            as_text = bool(self.code.co_flags & __future__.annotations.compiler_flag)
            for label, written in found:
                value = ast.Constant(ast.unparse(written)) if as_text else self.expr(written)
                pairs.append(ast.Tuple([ast.Constant(label), value], ast.Load()))
        return ast.List(pairs, ast.Load())

    def closure(self, helper: str, code: CodeType, more: list[ast.expr]) -> ast.expr:
        cells = ast.Tuple([name(cell_of(free)) for free in code.co_freevars], ast.Load())
        return run(helper, self.constant(code, "code"), name(PREFIX + "globals"), cells, *more)


def _names_engine_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return False
    written = {n.id if isinstance(n, ast.Name) else getattr(n, "attr", "") for n in ast.walk(handler.type)}
    return not written.isdisjoint(errors.__all__)


def _read_at_once(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes that a class body evaluates itself: not the bodies of its methods."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        for part in (*statement.decorator_list, *statement.args.defaults, *filter(None, statement.args.kw_defaults)):
            yield from ast.walk(part)
    else:
        yield statement
        yield from own_nodes(statement)


def _assign(identifier: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([name(identifier, ast.Store())], value)


def _stored(target: ast.expr) -> ast.expr:
    """A fresh copy of an assignment target made of names."""
    if isinstance(target, ast.Tuple | ast.List):
        return ast.copy_location(ast.Tuple([_stored(t) for t in target.elts], ast.Store()), target)
    if isinstance(target, ast.Starred):
        return ast.copy_location(ast.Starred(_stored(target.value), ast.Store()), target)
    return ast.copy_location(ast.Name(target.id, ast.Store()), target)  # type: ignore[attr-defined]


def _stars(target: ast.expr) -> list[str]:
    """The names that take a starred rest."""
    if isinstance(target, ast.Starred):
        return [target.value.id]  # type: ignore[attr-defined]
    if isinstance(target, ast.Tuple | ast.List):
        return [star for t in target.elts for star in _stars(t)]
    return []


def _names(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
