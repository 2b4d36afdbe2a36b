"""Functions of the program that call themselves: each becomes two compiled functions of its own.

    call(*args)               -> (*results, what the pullback needs)
    back(saved, *cotangents)  -> the cotangents of the arguments that can have one

Both are called by themselves, at every level of the recursion; what the pullback needs holds what its inner calls need.
A call is one statement of the core, like that of a primitive.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from . import runtime
from .adjoint import differentiate
from .compiled import Compiled, compile_function
from .core import Block, Const, Let, Pack, Program, Var, free_in
from .emit import Emitter, Names, name, store
from .optimise import optimise
from .projections import is_none, project, whole, zero
from .pullbacks import OF_KIND
from .types import NONE, Array, Kept, NotTyped, Scalar, Several, cotangent_type, is_active_type, type_of


class Procedure(Compiled):
    """A function that calls itself, of arguments of one structure.

    skeleton: of the arguments; types: of the names in them. `value` is what it returns, as far as that is known while
    the body is lowered, `returns` the types of the names in it. The names that it takes from outside, `free`, are
    further parameters. `active` are the positions of the parameters that may have a cotangent.
    """

    has_pullback = True

    def __init__(self, title: str, skeleton: Any, types: list, place: Any) -> None:
        super().__init__(title)
        self.skeleton, self.types, self.place = skeleton, types, place
        self.value: Any = None
        self.returns: list | None = None
        self.reads: dict = {}
        self.params: list = []
        self.free: list = []
        self.active: list = []
        self.leaves: list = []
        self.block = Block()
        self.back = Back(self)
        self.seeds: list = []
        self.grads: Any = None
        self.printing: tuple = ()
        self.is_whole = self.is_begun = False

    def type(self) -> Several:
        return Several((*self.returns, Kept()))

    def ready(self) -> Callable:
        if not self.is_begun:
            self.is_begun = True
            self.compile()
        return self.function or self

    def compile(self) -> None:
        given = [*self.params, *self.free]
        results = Pack(tuple, tuple(self.leaves))
        program = Program([*given, *self.seeds], self.block, Pack(tuple, (results, self.grads or Const(None))))
        optimise(program)
        results, grads = program.results.items
        stmts, saved = program.body.stmts, Pack(tuple, ())
        if self.grads is not None:
            at = next(i for i, stmt in enumerate(stmts) if type(stmt) is Let and stmt.fn is runtime.cut)
            behind = Block(stmts[at + 1 :])
            stmts, seeds = stmts[:at], set(self.seeds)
            saved = Pack(tuple, tuple([v for v in free_in(behind, [grads]) if v not in seeds]))
        forward = Program(given, Block(stmts), Pack(tuple, (*results.items, saved)))
        self.is_now(self.printed(self.__name__, given, forward))
        if self.grads is not None:
            program = Program([*saved.items, *self.seeds], behind, grads)
            self.back.is_now(self.printed(self.back.__name__, self.seeds, program, saved.items))

    def printed(self, title: str, given: list, program: Program, saved: tuple | None = None) -> Callable:
        """A function of `given`, and before that of the tuple `saved`."""
        filename, module_globals = self.printing
        names = Names()
        names.taken.add("saved")
        emitter = Emitter(program, names)
        body = emitter.body()
        parameters = [ast.arg(emitter.name_of(v)) for v in given]
        if saved is not None:
            parameters.insert(0, ast.arg("saved"))
            targets = ast.Tuple([store(emitter.name_of(v)) for v in saved], ast.Store())
            body.insert(0, emitter.at(ast.Assign([targets], name("saved"))))
        body.append(emitter.at(ast.Return(emitter.arg(program.results))))
        title = names.fresh(title.replace("<lambda>", "lambda"))
        definition = ast.FunctionDef(title, ast.arguments([], parameters, None, [], [], None, []), body, [])
        return compile_function(definition, names, filename, self.__name__, module_globals)


class Back(Compiled):
    """The pullback of a procedure."""

    def __init__(self, procedure: Procedure) -> None:
        super().__init__(f"pullback_of_{procedure.__name__}")
        self.procedure = procedure

    def ready(self) -> Callable:
        self.procedure.ready()
        return self.function or self


def reverse(lowerer: Any, procedure: Procedure) -> None:
    """Append the reverse of the body to it, once; its inner calls have their pullbacks called there."""
    if procedure.seeds or procedure.grads is not None:
        return
    if not procedure.is_whole:
        raise NotTyped("a derivative of a function inside itself")
    here, line, lowerer.block = lowerer.block, lowerer.line, procedure.block
    seeds: dict = {}
    lowerer.in_rule += 1
    procedure.seeds = [Var(cotangent_type(t), "d") for t in procedure.returns if is_active_type(t)]
    lowerer.emit(runtime.cut, (), NONE, must=True)
    active = [v for v, t in zip(procedure.leaves, procedure.returns, strict=True) if is_active_type(t)]
    for v, d in zip(active, procedure.seeds, strict=True):
        if isinstance(type_of(v), Array):
            d.type = cotangent_type(type_of(v))
        if type(v) is Var and is_active_type(v.type):
            seeds[v] = lowerer.let(operator.add, (seeds[v], d)) if v in seeds else project(lowerer, v, d)
    given = [*procedure.params, *procedure.free]
    targets = [given[i] for i in procedure.active]
    found = differentiate(lowerer, 0, seeds, targets) if seeds else {}
    grads = [zero(lowerer, v) if found.get(v) is None else whole(lowerer, v, found[v]) for v in targets]
    procedure.grads = Pack(tuple, tuple(grads))
    lowerer.in_rule -= 1
    lowerer.block, lowerer.line = here, line


def call_pullbacks(lowerer: Any, stmt: Let, d: Pack, wanted: set) -> list:
    """The contributions of a call of a procedure: its pullback is called."""
    procedure: Procedure = stmt.fn
    reverse(lowerer, procedure)
    seeds = []
    for i, (type_, part) in enumerate(zip(procedure.returns, d.items, strict=False)):
        if is_active_type(type_):
            v = lowerer.emit(operator.getitem, (stmt.out, Const(i)), type_)
            seeds.append(zero(lowerer, v) if is_none(part) else whole(lowerer, v, part))
    saved = lowerer.emit(operator.getitem, (stmt.out, Const(len(procedure.returns))), Kept())
    chosen = [stmt.args[i] for i in procedure.active]
    types = [
        of if isinstance(of := type_of(v), Array) else cotangent_type(given.type)
        for v, given in zip(chosen, [[*procedure.params, *procedure.free][i] for i in procedure.active], strict=True)
    ]
    out = lowerer.emit(procedure.back, (saved, *seeds), Several(tuple(types)))
    found = []
    for k, (v, type_) in enumerate(zip(chosen, types, strict=True)):
        if type(v) is Var and v in wanted and isinstance(v.type, Scalar | Array):
            taken = lowerer.emit(operator.getitem, (out, Const(k)), type_)
            found.append((v, project(lowerer, v, taken)))
    return found


OF_KIND[Procedure] = call_pullbacks
