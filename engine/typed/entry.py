"""The entry of an instance: checks that the arguments and globals are as they were when it was lowered, and loads.

One statement a place, in the order in which lowering met them; whatever does not fit returns MISS, before anything ran.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from .emit import Names, attribute, call, name, store, subscript
from .places import Place, Places
from .types import Array, Scalar, class_of_kind


class Entry:
    """Prints the loads (and, if asked, the checks) of the places of an instance."""

    def __init__(self, places: Places, names: Names, wanted: set, var_name: Any, miss: Any) -> None:
        self.places, self.names, self.wanted, self.var_name, self.miss = places, names, wanted, var_name, miss
        self.held: dict[Place, str] = {}

    def statements(self, checked: bool) -> list[ast.stmt]:
        out: list[ast.stmt] = self.arguments() if checked else []
        needed = self.needed(checked)
        for place in self.places.read:
            if place in needed and place.how != "constant":
                out.extend(self.load(place, checked))
        for a, b in self.places.identical if checked else ():
            out.append(self.unless(ast.Compare(self.held_expr(a), [ast.Is()], [self.held_expr(b)])))
        for place, known in self.places.shapes.items() if checked else ():
            of = attribute(self.held_expr(place), "shape")
            out.append(
                self.unless(ast.Compare(of, [ast.Eq()], [ast.Tuple(list(map(ast.Constant, known)), ast.Load())]))
            )
        for place, other in self.places.same_shapes.items() if checked else ():
            shapes = [attribute(self.held_expr(p), "shape") for p in (place, other)]
            out.append(self.unless(ast.Compare(shapes[0], [ast.Eq()], [shapes[1]])))
        containers = list(self.places.containers.values())
        if checked and len(containers) > 1:
            ids = ast.Set([call(self.names.constant(id), self.held_expr(p)) for p in containers])
            out.append(
                self.unless(
                    ast.Compare(call(self.names.constant(len), ids), [ast.Eq()], [ast.Constant(len(containers))])
                )
            )
        return out

    def arguments(self) -> list[ast.stmt]:
        """Names for the arguments, which are as many as there were, and no others by keyword."""
        named = [place for place in self.places.read if place.how == "kwarg"]
        roots = sorted([place for place in self.places.read if place.how == "arg"], key=lambda place: place.key)
        for place in roots:
            kept = place.var is not None and place.var in self.wanted
            self.held[place] = self.var_name(place.var) if kept else self.names.fresh(place.path())
        self.held.update((place, "function") for place in self.places.read if place.how == "function")
        more: ast.expr = name("kwargs")
        if named:
            more = ast.Compare(call(self.names.constant(len), more), [ast.NotEq()], [ast.Constant(len(named))])
        if not roots:
            return [self.miss_if(more), self.miss_if(name("args"))]
        targets = ast.Tuple([store(self.held[place]) for place in roots], ast.Store())
        return [self.miss_if(more), ast.Assign([targets], name("args"))]

    def needed(self, checked: bool) -> set:
        """All places, or, without checks, those that a name of the body comes from."""
        found: set = set()
        for place in self.places.read:
            if checked or (place.var is not None and place.var in self.wanted):
                here: Place | None = place
                while here is not None and here not in found:
                    found.add(here)
                    here = here.parent
        return found

    def load(self, place: Place, checked: bool) -> list[ast.stmt]:
        if place in self.held:
            return [self.unless(self.test(place, name(self.held[place])))]
        access = self.access(place)
        kept = place.var is not None and place.var in self.wanted
        children = any(child.number >= 0 for child in place.children.values())
        if kept:
            self.held[place] = self.var_name(place.var)
        elif children or place.check[0] not in ("is", "lacks") or id(place.value) in self.places.containers:
            self.held[place] = self.names.fresh(place.path())
        else:
            return [self.unless(self.test(place, access))] if checked else []
        loaded = ast.Assign([store(self.held[place])], access)
        return [loaded, self.unless(self.test(place, name(self.held[place])))] if checked else [loaded]

    def held_expr(self, place: Place) -> ast.expr:
        if place.how == "constant":
            return self.names.constant(place.value)
        return name(self.held[place]) if place in self.held else self.access(place)

    def access(self, place: Place) -> ast.expr:
        key = place.key
        if place.how == "arg":
            return subscript(name("args"), ast.Constant(key))
        if place.how == "kwarg":
            return subscript(name("kwargs"), ast.Constant(key))
        if place.how == "function":
            return name("function")
        if place.how == "cell" and self.is_constant(place.parent):
            function = getattr(place.parent.value, "fget", None) or place.parent.value
            return attribute(self.names.constant(function.__closure__[key]), "cell_contents")
        of = self.held_expr(place.parent)
        if place.how == "lacks":
            return of
        if place.how == "cell":
            return attribute(subscript(attribute(of, "__closure__"), ast.Constant(key)), "cell_contents")
        if place.how == "default":
            return subscript(attribute(of, "__defaults__"), ast.Constant(key))
        if place.how == "kwdefault":
            return subscript(attribute(of, "__kwdefaults__"), ast.Constant(key))
        if place.how == "attr":
            return attribute(of, key)
        return subscript(of, ast.Constant(key))

    def is_constant(self, place: Place) -> bool:
        """Is it the very object that was seen, once the checks have passed?"""
        return place.how == "constant" or place.check == ("is", place.value)

    def miss_if(self, test: ast.expr) -> ast.stmt:
        return ast.If(test, [ast.Return(self.names.constant(self.miss))], [])

    def unless(self, test: ast.expr) -> ast.stmt:
        return self.miss_if(ast.UnaryOp(ast.Not(), test))

    def test(self, place: Place, of: ast.expr) -> ast.expr:
        kind, *rest = place.check
        constant = self.names.constant

        def class_is(cls: type) -> ast.expr:
            return ast.Compare(call(constant(type), of), [ast.Is()], [constant(cls)])

        if kind == "type":
            return self.type_test(rest[0], of, class_is)
        if kind == "is":
            value = rest[0]
            literal = value is None or isinstance(value, bool) or value is Ellipsis
            return ast.Compare(of, [ast.Is()], [ast.Constant(value) if literal else constant(value)])
        if kind == "equal":
            return ast.BoolOp(
                ast.And(), [class_is(type(rest[0])), ast.Compare(of, [ast.Eq()], [ast.Constant(rest[0])])]
            )
        if kind == "lacks":
            return ast.Compare(ast.Constant(rest[0]), [ast.NotIn()], [call(constant(vars), of)])
        if kind == "code":
            same = [
                ast.Compare(attribute(of, part), [ast.Is()], [constant(getattr(rest[0], part))])
                for part in ("__code__", "__globals__")
            ]
            return ast.BoolOp(ast.And(), same)
        if kind == "class":
            return class_is(rest[0])
        if kind == "length":
            length = ast.Compare(call(constant(len), of), [ast.Eq()], [ast.Constant(rest[1])])
            return ast.BoolOp(ast.And(), [class_is(rest[0]), length])
        if kind == "keys":
            return ast.BoolOp(
                ast.And(), [class_is(dict), ast.Compare(call(constant(tuple), of), [ast.Eq()], [constant(rest[0])])]
            )
        classes = call(constant(set), call(constant(map), constant(type), of))
        return ast.BoolOp(ast.And(), [class_is(list), ast.Compare(classes, [ast.Eq()], [ast.Set([constant(float)])])])

    def type_test(self, type_: Any, of: ast.expr, class_is: Any) -> ast.expr:
        if isinstance(type_, Scalar):
            (kind,) = type_.kinds
            return class_is(class_of_kind(kind))
        assert isinstance(type_, Array)
        tests = [
            class_is(np.ndarray),
            ast.Compare(attribute(of, "dtype"), [ast.Is()], [self.names.constant(type_.dtype)]),
            ast.Compare(attribute(of, "ndim"), [ast.Eq()], [ast.Constant(len(type_.mask))]),
        ]
        shape = attribute(of, "shape")
        if "1" not in type_.mask:
            if type_.mask:
                tests.append(ast.Compare(ast.Constant(1), [ast.NotIn()], [shape]))
        else:
            for i, m in enumerate(type_.mask):
                op = ast.Eq() if m == "1" else ast.NotEq()
                tests.append(ast.Compare(subscript(shape, ast.Constant(i)), [op], [ast.Constant(1)]))
        return ast.BoolOp(ast.And(), tests)
