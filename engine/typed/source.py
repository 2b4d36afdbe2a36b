"""An instance as text, to be read and to be run: its imports, and a function of the user's own arguments.

It runs where the user's globals are: a global of the program is written as itself. Where it reads what the user's
function holds, a field of a callable object or a captured variable, that function is its first argument.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from collections import defaultdict
from types import ModuleType
from typing import Any

import numpy as np

from ..rules.registry import lookup, registered
from .compiled import Compiled
from .emit import Names
from .instances import joint, print_function
from .types import NotTyped

__all__ = ["source"]


def source(f: Any, args: tuple, kwargs: dict) -> str:
    """The joint program of f at these arguments, (value, gradients), without the checks of its entry.

    Raises:
        NotTyped: this tier cannot take the function.
    """
    names = Names()
    names.taken.update(kwargs)
    definition = print_function(joint(f, args, kwargs), False, names)
    if any(isinstance(value, Compiled) for value in names.values.values()):
        raise NotTyped("a function that calls itself, in one text")
    module_globals = getattr(f, "__globals__", {})
    own = list(inspect.signature(f).parameters)[: len(args)]
    parameters = [n if n not in names.taken else f"unused_{n}" for n in own]
    parameters += [f"unused_{i}" for i in range(len(own), len(args))]
    spelled: dict[str, str] = {}
    body: list[ast.stmt] = []
    for statement in definition.body:
        match _loaded(statement):
            case (target, "args", int(i)) if parameters[i].startswith("unused_"):
                parameters[i] = target
            case (target, "args", int(i)):
                spelled[target] = parameters[i]
            case (target, "kwargs", key):
                spelled[target] = key
            case (target, base, key) if names.values.get(base) is module_globals:
                spelled[target] = key
            case None if _is_alias(statement):
                spelled[statement.targets[0].id] = "function"  # type: ignore[attr-defined]
            case _:
                body.append(statement)
    definition.body = body
    if any(isinstance(n, ast.Name) and spelled.get(n.id, n.id) == "function" for s in body for n in ast.walk(s)):
        parameters.insert(0, "function")  # what it holds, in fields and cells, is read when it runs
    definition.args.args = [ast.arg(p) for p in parameters]
    definition.args.kwonlyargs = [ast.arg(key) for key in kwargs]
    definition.args.kw_defaults = [None] * len(kwargs)
    used = {node.id for node in ast.walk(definition) if isinstance(node, ast.Name)}
    header, same = _header({n: value for n, value in names.values.items() if n in used})
    spelled |= same
    for node in ast.walk(definition):
        if isinstance(node, ast.Name):
            node.id = spelled.get(node.id, node.id)
    text = ast.unparse(ast.fix_missing_locations(definition))
    return "\n".join([*header, *[""] * (2 * bool(header)), text])


SMALL = 20  # elements of an array that are written out


def rule_of(value: Any) -> tuple[Any, str] | None:
    """The primitive and the argument whose pullback `value` is."""
    for primal in registered():
        made = lookup(primal)
        for argument, pullback in made.differentiable().items() if made is not None else ():
            if pullback is value:
                return primal, argument
    return None


def module_of(primal: Any) -> str:
    """The shortest module in which NumPy's users find the function."""
    module = "numpy" if isinstance(primal, np.ufunc) else getattr(primal, "__module__", None) or "builtins"
    return next((m for m in ("numpy", module) if getattr(sys.modules.get(m), primal.__name__, None) is primal), module)


def spelling(primal: Any) -> str:
    return f"{module_of(primal)}.{primal.__name__}"


def _loaded(statement: ast.stmt) -> tuple[str, str, Any] | None:
    """(name, base, key) of a statement `name = base[key]`."""
    match statement:
        case ast.Assign([ast.Name(target)], ast.Subscript(ast.Name(base), ast.Constant(key))):
            return target, base, key
    return None


def _is_alias(statement: ast.stmt) -> bool:
    """Is it `name = function`?"""
    match statement:
        case ast.Assign([ast.Name()], ast.Name("function")):
            return True
    return False


def _header(constants: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """The lines that give the constants their values, and which names are another name's value."""
    imported: dict[str, list[str]] = defaultdict(list)
    modules, assigned, same = set(), {}, {}
    for name, value in constants.items():
        module = "numpy" if isinstance(value, np.ufunc) else getattr(value, "__module__", None)
        own_name = getattr(value, "__name__", "")
        if getattr(builtins, name, None) is value:
            continue
        if isinstance(value, ModuleType):
            modules.add(own_name)
            same[name] = own_name
        elif isinstance(getattr(value, "__self__", None), np.ufunc):
            modules.add("numpy")
            expression = f"numpy.{value.__self__.__name__}.{own_name}"
            if expression in assigned:
                same[name] = assigned[expression]
            else:
                assigned[expression] = name
        elif module and getattr(sys.modules.get(module), own_name, None) is value:
            imported[module].append(own_name if own_name == name else f"{own_name} as {name}")
        elif type(value) is float:
            assigned[f"float({str(value)!r})"] = name
        elif isinstance(value, np.dtype):
            modules.add("numpy")
            assigned[f"numpy.dtype({value.str!r})"] = name
        elif isinstance(value, np.ndarray) and value.size <= SMALL:
            modules.add("numpy")
            assigned[f"numpy.array({value.tolist()!r}, {value.dtype.str!r})"] = name
        elif (rule := rule_of(value)) is not None:
            modules.add("engine.rules")
            primal, argument = rule
            modules.add(module_of(primal))
            assigned[f"engine.rules.lookup({spelling(primal)}).differentiable()[{argument!r}]"] = name
        else:
            assigned[f"...  # {value!r}"] = name
    lines = [f"import {module}" for module in sorted(modules)]
    lines += [f"from {module} import {', '.join(sorted(imported[module]))}" for module in sorted(imported)]
    return lines + [f"{name} = {expression}" for expression, name in assigned.items()], same
