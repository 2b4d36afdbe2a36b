"""Methods and attributes of arrays that write, look at memory, or are asked for under the name of a special method."""

import numpy as np
import pytest

from engine import gradient
from engine.errors import ArgumentError, DifferentiationError, ForeignCallError, MutationError

from .oracle import TIERS, Table, checks_of, tier

M = np.random.default_rng(41).uniform(0.3, 2, (3, 4))
V = np.array([0.4, 1.3, 0.6])
WEIGHTS = np.cos(np.arange(48.0))

PROGRAMS = Table()


def loss(x):
    return np.sum(np.ravel(x * x + x) * WEIGHTS[: np.size(x)])


@PROGRAMS.at(M)
def special_methods_by_name(x):
    y = x.__copy__()
    y.__iadd__(x)
    y.__imul__(x[0])
    y.__setitem__(0, x[1] * x[2])
    return loss(y) * y.__len__() + loss(x.__matmul__(x.__deepcopy__({}).T)) + loss(x.__rsub__(1.0))


@PROGRAMS.at(M)
def membership_of_an_element(x):
    return loss(x) * (2 if x[0, 0] in x else 3) * (5 if 7.5 in x else 7)


@PROGRAMS.at(M)
def a_diagonal_that_wraps(x):
    y = np.concatenate([x, x, x])
    np.fill_diagonal(y, x[0, 0] * x[1, 1], wrap=True)
    return loss(y)


@PROGRAMS.at(M)
def a_diagonal_of_several_values(x):
    y = x * 1
    np.fill_diagonal(y, x[0, :2])
    return loss(y)


@PROGRAMS.at(V)
def a_diagonal_of_a_cube(x):
    y = np.ones((3, 3, 3)) * x
    np.fill_diagonal(y, x[0] * x[1])
    return loss(y)


@PROGRAMS.at(M)
def put_along_an_axis_with_broadcast_indices(x):
    y, z = x * 1, x * 1
    np.put_along_axis(y, np.array([[2]]), x[:, :1] * 3, 1)
    np.put_along_axis(z, np.array([0, 5]), x[0, :2] * x[1, :2], None)
    return loss(y) + loss(z)


@PROGRAMS.at(M)
def results_put_into_given_arrays(x):
    rows, chosen, taken = np.zeros((2, 4)), np.zeros(4), np.zeros(2)
    np.compress([1, 0, 1], x, 0, out=rows)
    np.choose([0, 1, 1, 0], [x[0], x[1]], out=chosen)
    np.take(x, [0, 5], out=taken)
    return loss(rows) + loss(chosen) + loss(taken)


@PROGRAMS.at(M)
def indices_from_the_shape_of_an_array(x):
    return loss(x[np.tril_indices_from(x)]) + loss(x[:, :3][np.diag_indices_from(x[:, :3])])


@PROGRAMS.at(M)
def sorted_and_partitioned_in_place(x):
    y, z = x * 1, x * 1
    y.sort(axis=0, kind="stable")
    z.partition(1)
    return loss(y) + loss(z[:, :1])


test_program, test_gradient, test_pullback, test_pushforward, test_second_order = checks_of(PROGRAMS)


@pytest.mark.parametrize(
    "program, words",
    [
        (lambda x: np.sum(x.view(np.int64)), "ndarray.view"),
        (lambda x: np.sum(x.byteswap()), "ndarray.byteswap"),
        (lambda x: np.sum(x.getfield(np.float32)), "ndarray.getfield"),
        (lambda x: np.sum(np.frombuffer(x.tobytes())), "ndarray.tobytes"),
        (lambda x: (x * 1).resize((1, 3)) or np.sum(x), "ndarray.resize"),
        (lambda x: np.sum(np.asarray(x.data)), r"\.data"),
    ],
)
@pytest.mark.parametrize("tier_name", TIERS)
def test_what_opens_the_memory_of_an_array_is_refused(program, words, tier_name):
    with tier(tier_name), pytest.raises((MutationError, ForeignCallError), match=words):
        gradient(program, V)


class Plain(np.ndarray):
    """A subclass that leaves the meaning of everything as it is."""


class Doubling(np.ndarray):
    """A subclass whose product is another one."""

    def __mul__(self, other):
        return 2 * np.multiply(self, other)


ODD = {
    "numpy.matrix": np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix),
    "numpy.ma": np.ma.array([1.0, 2.0], mask=[False, True]),
    "records": np.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]),
    "objects": np.array([1.0, 2.0], dtype=object),
    "Doubling": V.view(Doubling),
}


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("kind", ODD)
def test_an_argument_of_an_odd_kind_is_refused(kind, tier_name):
    with tier(tier_name):
        for argument in (ODD[kind], {"w": ODD[kind]}):
            with pytest.raises(ArgumentError, match=kind):
                gradient(lambda x: np.sum(x["w"] if isinstance(x, dict) else x), argument)


@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("kind", ["numpy.matrix", "numpy.ma", "Doubling"])
def test_an_operation_with_an_odd_kind_is_refused_at_its_line(kind, tier_name):
    other = ODD[kind]
    with tier(tier_name), pytest.raises(ForeignCallError, match=kind) as caught:
        gradient(lambda x: np.sum(np.multiply(other, x)), V[: other.shape[-1]])
    assert __file__ in str(caught.value)


@pytest.mark.parametrize("tier_name", TIERS)
def test_a_store_into_an_odd_kind_is_refused_when_it_is_read(tier_name):
    def total(x):
        masked = np.ma.array(np.zeros(3), mask=[False, True, False])
        masked[0] = x[0]
        return masked.sum()

    with tier(tier_name), pytest.raises(DifferentiationError, match="numpy.ma"):
        gradient(total, V)


@pytest.mark.parametrize("tier_name", TIERS)
def test_a_store_into_a_record_is_refused_at_its_line(tier_name):
    def total(x, numbers):
        records = np.zeros(3, dtype=[("a", float), ("b", int)])
        records["b"] = numbers
        records["a"] = x
        return np.sum(records["a"] * x)

    with tier(tier_name), pytest.raises(ForeignCallError, match="a write to an array of records") as caught:
        gradient(total, V, numbers=[1, 2, 3])
    assert f"{__file__}:{total.__code__.co_firstlineno + 3}" in str(caught.value)


@pytest.mark.parametrize("tier_name", TIERS)
def test_a_subclass_that_changes_no_meaning_is_an_array(tier_name):
    with tier(tier_name):
        np.testing.assert_array_equal(gradient(lambda x: np.sum(x * x), V.view(Plain))[0], 2 * V)
    names = np.array(["a", "b"], dtype=object)
    assert gradient(lambda x, labels: x * len(labels), 2.0, names) == (2.0, None)
