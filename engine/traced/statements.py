"""Statements of the user's program: what they are, with their expressions rewritten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from .. import errors
from .expressions import BINARY, Expressions
from .match import pattern_spec
from .nodes import PREFIX, assign_name, cell_of, name, run, starred_names, stored

__all__ = ["Rewriter"]


class Rewriter(Expressions):
    """The statements of one function or class body; `statement` dispatches on the kind of node."""

    def prologue(self) -> list[ast.stmt]:
        """New cells for captured variables, and a recorded dict for `**kwargs`."""
        made: list[ast.stmt] = []
        a = self.node.args
        if a.kwarg is not None:
            made.append(assign_name(a.kwarg.arg, run("kwargs_dict", name(a.kwarg.arg))))
        arguments = {arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if arg is not None}
        for captured in sorted(self.scope.cells):
            initial = [name(captured)] if captured in arguments else []
            made.append(assign_name(cell_of(captured), run("new_cell", *initial)))
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
            yield assign_name(held, value)
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
        yield assign_name(holder, self.expr(target.value))
        if isinstance(target, ast.Attribute):
            label = ast.Constant(self.scope.mangle(target.attr))
            yield ast.Expr(run("aug_attribute", name(holder), label, operation, self.expr(node.value)))
        else:
            index = self.fresh("index")
            yield assign_name(index, self.expr(target.slice))
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
            return stored(target), []
        held = self.fresh("item")
        return name(held, ast.Store()), list(self.assign(target, name(held)))

    def binds_locals_only(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Tuple | ast.List):
            return all(self.binds_locals_only(t) for t in target.elts)
        if isinstance(target, ast.Starred):
            return self.binds_locals_only(target.value)
        return isinstance(target, ast.Name) and self.scope.kind(target.id) == "local"

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
            yield assign_name(held, value)
            yield ast.Expr(run("set_attribute", self.expr(target.value), label, name(held)))
        elif isinstance(target, ast.Subscript):
            held = self.fresh("value")
            yield assign_name(held, value)
            yield ast.Expr(run("setitem", self.expr(target.value), self.expr(target.slice), name(held)))
        elif self.binds_locals_only(target):
            yield ast.Assign([stored(target)], run("unpack", value, self.structure(target)))
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
            for star in starred_names(target):
                yield assign_name(star, run("make_list", name(star)))

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
        yield assign_name(subject, self.expr(node.subject))
        chain: list[ast.stmt] = []
        done = self.fresh("matched")
        yield assign_name(done, ast.Constant(False))
        for case in node.cases:
            spec, captures = pattern_spec(self, case.pattern)
            body: list[ast.stmt] = []
            for captured in captures:
                item = ast.Subscript(name(bound), ast.Constant(captured), ast.Load())
                body.extend(self.assign(name(captured, ast.Store()), item))
            taken = [assign_name(done, ast.Constant(True)), *self.body(case.body)]
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
        """The body of a class runs as a function whose variables become the class's attributes."""
        if getattr(node, "type_params", ()):
            raise self.unsupported(node, "a nested class with type parameters", "write it outside")
        body = self.fresh("class")
        inner = Rewriter(self.codes[node], node, self.source, self.constants)
        yield ast.FunctionDef(
            name=body, args=ast.arguments([], [], None, [], [], None, []), body=inner.class_body(), decorator_list=[],
            returns=None, type_params=[],
        )  # fmt: skip
        qualname = ast.Constant(inner.code.co_qualname)
        bases = [self.expr(b) for b in node.bases]
        keywords = [ast.keyword(k.arg, self.expr(k.value)) for k in node.keywords]
        made = run("build_class", name(body), name(PREFIX + "globals"), qualname, *bases, keywords=keywords)
        yield from self.assign(name(node.name), self.decorated(node, made))

    def class_body(self) -> list[ast.stmt]:
        node = self.node
        made: list[ast.stmt] = []
        cell: ast.expr = ast.Constant(None)
        if self.scope.cells:
            cell = name(cell_of("__class__"))
            made.append(assign_name(cell_of("__class__"), run("new_cell")))
        if ast.get_docstring(node, clean=False) is not None:
            made.append(assign_name("__doc__", ast.Constant(ast.get_docstring(node, clean=False))))
        made.extend(self.body(node.body))
        annotated = [s for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
        if annotated:
            pairs = [
                ast.Tuple([ast.Constant(s.target.id), self.annotation(s.annotation)], ast.Load()) for s in annotated
            ]
            made.append(assign_name("__annotations__", run("make_dict", ast.List(pairs, ast.Load()))))
        variables = ast.Call(self.constant(locals, "locals"), [], [])
        made.append(ast.Return(ast.Tuple([variables, cell], ast.Load())))
        return [ast.copy_location(s, node) if not hasattr(s, "lineno") else s for s in made]

    def on_import(self, node: ast.Import | ast.ImportFrom) -> Iterator[ast.stmt]:
        if any(alias.name == "*" for alias in node.names):
            raise self.unsupported(node, "`import *` inside a function", "name what is imported")
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            if self.scope.kind(bound) == "local":
                yield self.importing(node, alias)
                continue
            held = self.fresh("imported")  # under its own name it would be a variable of the rewritten function
            yield self.importing(node, ast.alias(alias.name, held))
            if alias.asname is None and "." in alias.name:
                yield ast.Import([ast.alias(bound, held)])
            yield from self.assign(name(bound), name(held))

    on_importfrom = on_import

    @staticmethod
    def importing(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
        return (
            ast.ImportFrom(node.module, [alias], node.level)
            if isinstance(node, ast.ImportFrom)
            else ast.Import([alias])
        )

    def on_typealias(self, node: Any) -> Iterator[ast.stmt]:
        raise self.unsupported(node, "a `type` statement inside a function", "write it outside")

    def on_global(self, node: ast.Global | ast.Nonlocal) -> Iterator[ast.stmt]:
        yield ast.Pass()

    on_nonlocal = on_global


def _names_engine_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return False
    written = {n.id if isinstance(n, ast.Name) else getattr(n, "attr", "") for n in ast.walk(handler.type)}
    return not written.isdisjoint(errors.__all__)
