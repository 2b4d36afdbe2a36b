"""Classes: attributes, methods of every kind, operators of one's own, inheritance, dataclasses, namedtuples, slots."""

# The programs are specimens of the language as people write it, not as a linter would have it.
# ruff: noqa: B009, B010, B905, UP008

import math
from collections import namedtuple
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .oracle import Table, checks_of

table = Table()
X = np.array([0.5, -1.25, 2.0])


class Account:
    """A class with one of everything."""

    rate = 1.5
    opened = 0

    def __init__(self, balance):
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount * self.rate
        return self

    @property
    def double(self):
        return self.balance * 2

    @double.setter
    def double(self, value):
        self.balance = value / 2

    @double.deleter
    def double(self):
        self.balance = 0.0

    @staticmethod
    def combine(a, b):
        return a * b + 1

    @classmethod
    def of(cls, a, b):
        return cls(a * b * cls.rate)

    def __call__(self, v):
        return self.balance * v

    def __repr__(self):
        return f"Account({self.balance})"


class Savings(Account):
    """Inherits, overrides, calls super."""

    rate = 2.0

    def __init__(self, balance, bonus):
        super().__init__(balance * bonus)
        self.bonus = bonus

    def deposit(self, amount):
        super().deposit(amount + self.bonus)
        return self

    @property
    def double(self):
        return super().double + self.bonus


@table.at(1.5, 0.7)
def attributes(x, y):
    a = Account(x)
    a.balance = a.balance * y
    a.balance += x
    a.extra = a.balance * a.balance
    return a.extra * a.rate + a.balance


@table.at(1.5, 0.7)
def methods_and_chaining(x, y):
    a = Account(x).deposit(y).deposit(x * y)
    return a.balance * a(y)


@table.at(1.5, 0.7)
def bound_method_as_a_value(x, y):
    a = Account(x)
    add = a.deposit
    add(y)
    add(y * y)
    call = a
    return a.balance * call(2.0)


@table.at(1.5, 0.7)
def unbound_method(x, y):
    a = Account(x)
    Account.deposit(a, y)
    return Account.__call__(a, x)


@table.at(1.5, 0.7)
def property_get_set_delete(x, y):
    a = Account(x)
    z = a.double * y
    a.double = z
    before = a.balance * x
    del a.double
    return before + a.balance


@table.at(1.5, 0.7)
def static_and_class_methods(x, y):
    return Account.combine(x, y) * Account.of(x, y).balance + Savings(x, y).combine(y, x) + type(Savings(x, y)).rate * x


@table.at(1.5, 0.7)
def inheritance_and_super(x, y):
    s = Savings(x, y)
    s.deposit(x)
    return s.double * s.balance


@table.at(1.5, 0.7)
def class_attribute_shadowed_by_the_instance(x, y):
    a, b = Account(x), Account(y)
    a.rate = x * y
    a.deposit(y)
    b.deposit(x)
    del a.rate
    return a.deposit(1.0).balance * b.balance


@table.at(1.5, 0.7)
def class_attribute_written(x, y):
    class Box:
        total = 1.0

    Box.total = x * y
    box = Box()
    first = box.total * x
    Box.total += first
    return box.total * y


@table.at(1.5, 0.7)
def isinstance_and_type_dispatch(x, y):
    def size(v):
        if isinstance(v, Savings):
            return v.bonus * 2
        if isinstance(v, Account | bytes):
            return v.balance
        if type(v) is float:
            return v * v
        if issubclass(type(v), list) and callable(size):
            return sum(map(size, v))
        return 0.0

    return sum(size(v) * (i + 1) for i, v in enumerate([x, Account(y), Savings(x, y), [x, y], "text", None]))


class Vector:
    """Every operator by hand."""

    def __init__(self, *v):
        self.v = list(v)

    def __add__(self, other):
        return Vector(*[a + b for a, b in zip(self.v, other.v)])

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __sub__(self, other):
        return Vector(*[a - b for a, b in zip(self.v, other.v)])

    def __mul__(self, s):
        return Vector(*[a * s for a in self.v]) if isinstance(s, float) else NotImplemented

    def __rmul__(self, s):
        return self * s

    def __matmul__(self, other):
        return sum(a * b for a, b in zip(self.v, other.v))

    def __neg__(self):
        return Vector(*[-a for a in self.v])

    def __truediv__(self, s):
        return Vector(*[a / s for a in self.v])

    def __pow__(self, n):
        return Vector(*[a**n for a in self.v])

    def __abs__(self):
        return math.sqrt(self @ self)

    def __iadd__(self, other):
        for i, b in enumerate(other.v):
            self.v[i] += b
        return self

    def __getitem__(self, i):
        return self.v[i]

    def __setitem__(self, i, value):
        self.v[i] = value

    def __delitem__(self, i):
        del self.v[i]

    def __len__(self):
        return len(self.v)

    def __iter__(self):
        return iter(self.v)

    def __contains__(self, value):
        return any(abs(a - value) < 1e-9 for a in self.v)

    def __eq__(self, other):
        return self.v == other.v

    def __lt__(self, other):
        return abs(self) < abs(other)

    def __bool__(self):
        return any(self.v)

    def __float__(self):
        return self.v[0]


@table.at(1.5, 0.7)
def user_operators(x, y):
    a, b = Vector(x, y), Vector(y, x * y)
    c = (a + b * 2.0 - -a) / y
    d = 3.0 * b + sum([a, c])
    return d @ c + abs(a**2)


@table.at(1.5, 0.7)
def user_containers(x, y):
    a = Vector(x, y, x * y)
    a[1] = a[0] * y
    a += Vector(y, y, y)
    del a[0]
    first, second = a
    return first * second * len(a) + (x in a) * x + sum(v * v for v in a)


@table.at(1.5, 0.7)
def user_comparisons(x, y):
    a, b = Vector(x, y), Vector(y, y)
    big = max(a, b)
    return (big @ b if b < a and a != b and a else 0.0) + float(a) * x


class Flexible:
    """Attribute access of its own."""

    def __init__(self, **named):
        self.__dict__["named"] = named

    def __getattr__(self, name):
        try:
            return self.named[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self.named[name] = value * 2

    def __delattr__(self, name):
        del self.named[name]


@table.at(1.5, 0.7)
def getattr_setattr_delattr(x, y):
    f = Flexible(a=x, b=y)
    f.c = f.a * f.b
    f.a = f.c
    del f.b
    return f.a * f.c if not hasattr(f, "b") else 0.0


@table.at(1.5, 0.7)
def getattr_functions(x, y):
    a = Account(x)
    setattr(a, "other", y * x)
    setattr(a, "bal" + "ance", a.balance * y)
    z = getattr(a, "other") * getattr(a, "missing", x) * getattr(a, "balance")
    delattr(a, "other")
    return z * (2 if hasattr(a, "other") else 3)


class Celsius:
    """A descriptor that converts."""

    def __set_name__(self, owner, name):
        self.slot = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.slot) * 1.8 + 32

    def __set__(self, instance, value):
        setattr(instance, self.slot, (value - 32) / 1.8)


@table.at(1.5, 0.7)
def descriptors(x, y):
    class Room:
        heat = Celsius()

        def __init__(self, heat):
            self.heat = heat

    room = Room(x)
    room._heat *= y
    room.heat = room.heat * x
    return room.heat * room._heat


class Private:
    """Names mangled by hand."""

    __slots__ = ("__v", "shown")

    def __init__(self, v):
        self.__v = v
        self.shown = v * v

    def total(self):
        self.__v *= 2
        return self.__v * self.shown


@table.at(1.5, 0.7)
def slots_and_private_names(x, y):
    p = Private(x)
    return p.total() * p.shown + p._Private__v * y


class Lazy:
    """A cached property."""

    def __init__(self, v):
        self.v = v
        self.calls = 0

    @cached_property
    def square(self):
        self.calls += 1
        return self.v * self.v


@table.at(1.5, 0.7)
def cached_property_is_computed_once(x, y):
    lazy = Lazy(x)
    z = lazy.square * y
    lazy.v = y
    return (z + lazy.square) * lazy.calls


@dataclass
class Point:
    """Plain dataclass."""

    x: float
    y: float = 2.0
    tags: list = field(default_factory=list)

    def dot(self, other):
        return self.x * other.x + self.y * other.y


@dataclass(frozen=True)
class Unit:
    """Frozen, with __post_init__."""

    v: float
    norm: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "norm", self.v * self.v)


@table.at(1.5, 0.7)
def dataclasses(x, y):
    p, q = Point(x), Point(y, x * y, [x])
    p.x *= y
    q.tags.append(p.dot(q))
    r = replace(p, y=y * y)
    return r.dot(q) * q.tags[-1] * q.tags[0]


@table.at(1.5, 0.7)
def frozen_dataclass(x, y):
    u = Unit(x * y)
    return u.norm * u.v if u == Unit(x * y) else 0.0


@table.at(Point(1.5, 0.7, [2.0]), 0.3)
def dataclass_as_argument(p, s):
    return p.dot(Point(s, p.x)) * p.tags[0]


@table.at(Savings(1.5, 0.7), 0.3)
def object_as_argument_is_changed(account, s):
    account.deposit(s)
    account.balance *= account.bonus
    return account.balance * account.double


Pair = namedtuple("Pair", "a b", defaults=[2.0])


class Triple(NamedTuple):
    """A typed namedtuple with a method."""

    a: float
    b: float
    c: float = 3.0

    def volume(self):
        return self.a * self.b * self.c


@table.at(1.5, 0.7)
def namedtuples(x, y):
    p = Pair(x, b=y)
    q = p._replace(a=p.a * p.b)
    t = Triple(*q)
    a, b = q
    return t.volume() * q[0] + a * b + Pair(x).b * p[-1] + sum(t) + t._asdict()["a"]


@table.at(Triple(1.5, 0.7), Pair(0.5, [1.0, 2.0]))
def namedtuples_as_arguments(t, p):
    return t.volume() * p.a + p.b[0] * p.b[1] * t.c


class Meta(type):
    """A metaclass with a method."""

    def scaled(cls, v):
        return cls.factor * v


class WithMeta(metaclass=Meta):
    """Its class has a method."""

    factor = 2.5


@table.at(1.5, 0.7)
def metaclass_and_class_body(x, y):
    class Local:
        a = x * y
        b = [a, a * 2]

        def get(self):
            return self.b[1] * self.a

    return WithMeta.scaled(x) + Local().get()


class Counting(type):
    """A metaclass that makes instances as `type` does, in both spellings, and does something with them."""

    def __call__(cls, value):
        made = super().__call__(value) if cls.plain else type.__call__(cls, value)
        made.value = made.value * 2
        return made


class Counted(metaclass=Counting):
    plain = True

    def __init__(self, value):
        self.value = value


class CountedBySlot(Counted):
    plain = False


@table.at(1.5, 0.7)
def metaclass_that_makes_instances(x, y):
    return Counted(x).value * CountedBySlot(y).value + CountedBySlot.__call__(x * y).value


class Mixin:
    """First in the method resolution order."""

    def value(self):
        return 2 * super().value()


class Base:
    """Last in it."""

    def __init__(self, v):
        self.v = v

    def value(self):
        return self.v * self.v


class Left(Mixin, Base):
    """Diamond, left."""

    def value(self):
        return super().value() + self.v


class Diamond(Left):
    """Diamond, bottom."""

    def value(self):
        return super(Diamond, self).value() * 3


@table.at(1.5, 0.7)
def method_resolution_order(x, y):
    return Diamond(x).value() * Base(y).value()


class Colour(Enum):
    """Constants with values."""

    RED = 1.5
    BLUE = 2.5


@table.at(1.5, 0.7)
def enums(x, y):
    c = Colour.RED if x > y else Colour.BLUE
    return x * c.value + (y if c is Colour.RED else 0.0) * len(c.name)


class Layer:
    """A small network layer."""

    def __init__(self, weight, bias):
        self.weight = weight
        self.bias = bias

    def __call__(self, x):
        return np.tanh(x @ self.weight + self.bias)


class Network:
    """Layers in a list."""

    def __init__(self, layers, scale):
        self.layers = layers
        self.settings = {"scale": scale, "name": "net"}

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.settings["scale"]


W1 = np.array([[0.5, -1.0], [0.25, 0.75]])


@table.at(Network([Layer(W1, X[:2]), Layer(W1.T + 0.1, 0.5)], 1.5), X[1:])
def network_as_argument(net, x):
    return (net(x) ** 2).sum()


@table.at(1.5, 0.7)
def linked_list_of_objects(x, y):
    class Node:
        def __init__(self, v, rest):
            self.v, self.rest = v, rest

    node = None
    for i in range(4):
        node = Node(x * i + y, node)
    total = 0.0
    while node is not None:
        total = total * x + node.v
        node = node.rest
    return total


@table.at(1.5, 0.7)
def cyclic_objects(x, y):
    a, b = Account(x), Account(y)
    a.other, b.other = b, a
    a.other.other.balance *= y
    return a.balance * a.other.balance * b.other.other.balance


@table.at(1.5, 0.7)
def object_dict_and_vars(x, y):
    a = Account(x)
    vars(a)["balance"] = vars(a)["balance"] * y
    a.__dict__["more"] = a.balance * x
    return sum(vars(a).values()) * a.more


@table.at(1.5, 0.7)
def iterator_protocol(x, y):
    class Count:
        def __init__(self, n):
            self.n, self.v = n, x

        def __iter__(self):
            return self

        def __next__(self):
            if self.n == 0:
                raise StopIteration
            self.n -= 1
            self.v = self.v * y
            return self.v

    total = sum(Count(3))
    for v in Count(2):
        total *= v
    return total + next(Count(1)) + list(Count(4))[2]


@table.at(1.5, 0.7)
def iteration_by_getitem(x, y):
    class Old:
        def __getitem__(self, i):
            if i > 2:
                raise IndexError(i)
            return x * i + y

    return sum(v * v for v in Old())


@table.at(1.5, 0.7)
def index_and_reversed_protocols(x, y):
    class Two:
        def __index__(self):
            return 2

        def __reversed__(self):
            return iter([y, x])

    first, _ = reversed(Two())
    return [x, y, x * y][Two()] * first + sum(range(Two())) * x


@table.at(1.5, 0.7)
def list_and_dict_subclasses(x, y):
    class Doubling(list):
        def append(self, v):
            super().append(v * 2)

    class Defaulting(dict):
        def __missing__(self, key):
            return x * y

        def __setitem__(self, key, value):
            super().__setitem__(key, value * 3)

    items, named = Doubling([x]), Defaulting(a=y)
    items.append(y)
    named["b"] = x
    return items[0] * items[1] + named["a"] * named["b"] * named["absent"]


class Boxed(np.lib.mixins.NDArrayOperatorsMixin):
    """A class that hands ufuncs, and with them operators, on to what it holds."""

    def __init__(self, data):
        self.data = data

    def __array_ufunc__(self, ufunc, method, *operands, **kwargs):
        if any(isinstance(operand, str) for operand in operands):
            return NotImplemented
        operands = [operand.data if isinstance(operand, Boxed) else operand for operand in operands]
        return type(self)(getattr(ufunc, method)(*operands, **kwargs))


class Rescaled(Boxed):
    def __array_ufunc__(self, ufunc, method, *operands, **kwargs):
        found = super().__array_ufunc__(ufunc, method, *operands, **kwargs)
        found.data = found.data * 2
        return found


@table.at(X)
def ufuncs_taken_over_by_a_class(x):
    box = np.multiply(Boxed(x), x)
    return np.sum(np.exp(box / 3).data) + np.sum((x - 2.0 * Boxed(x)).data * x)


@table.at(X)
def ufuncs_taken_over_by_the_subclass(x):
    found = np.multiply(Boxed(x), Rescaled(x))
    return np.sum(found.data) * isinstance(found, Rescaled)


@table.at(0.7, 1.5)
def ufunc_that_no_class_takes(x, y):
    try:
        return np.add(Boxed(x), "text").data
    except TypeError:
        return x * y


@table.at(0.7, 1.5)
def call_by_its_own_name(x, y):
    return np.multiply.__call__(x, y) + math.sin.__call__(x) + Account(y).deposit.__call__(x).balance


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(table)
