"""The table as a whole: every rule has a row, each state of a primitive excludes the others."""

import inspect
import statistics

import numpy as np
import pytest
import scipy.sparse.linalg  # noqa: F401  brings the rules
from scipy import integrate, linalg, special

from engine.rules import _elementwise as elementary
from engine.rules import (
    composed,
    composition,
    constant,
    differences,
    elementwise,
    is_constant,
    lookup,
    registry,
    rule,
    scalars,
    triangular,
    vocabulary,
)
from engine.rules import random as draws
from engine.traced.useful import ones_of

from . import (
    test_rules_elementwise,
    test_rules_fft,
    test_rules_functional,
    test_rules_histograms,
    test_rules_indexing,
    test_rules_linalg,
    test_rules_norms,
    test_rules_padding,
    test_rules_polynomial,
    test_rules_products,
    test_rules_quantiles,
    test_rules_ranges,
    test_rules_reductions,
    test_rules_samples,
    test_rules_scalars,
    test_rules_scipy_factorisations,
    test_rules_scipy_integrate,
    test_rules_scipy_linalg,
    test_rules_scipy_parameters,
    test_rules_scipy_several,
    test_rules_scipy_special,
    test_rules_selection,
    test_rules_shape,
    test_rules_statistics,
    test_rules_windows,
)
from .rule_rows import KEEPS_SINGLE, active_places, check_pullback, check_single, name_of, row

MODULES = (
    test_rules_scalars, test_rules_elementwise, test_rules_reductions, test_rules_shape, test_rules_indexing,
    test_rules_linalg, test_rules_products, test_rules_fft, test_rules_padding, test_rules_ranges,
    test_rules_windows, test_rules_functional, test_rules_statistics, test_rules_scipy_linalg,
    test_rules_scipy_integrate, test_rules_scipy_factorisations, test_rules_scipy_parameters, test_rules_scipy_special,
    test_rules_scipy_several,
    test_rules_polynomial, test_rules_samples,
    test_rules_norms, test_rules_quantiles, test_rules_histograms, test_rules_selection,
)  # fmt: skip
ROWS = [case for module in MODULES for case in module.ROWS]

# Tested otherwise: factorisations as programs of the symmetric part of their argument, whose domain differences of
# single elements would leave; conversions by closed form, since differences drown in the rounding of a shorter float;
# draws as programs that seed their generator, and integrals and what else has functions or objects for arguments as
# programs that make them; shares in a logaddexp, the slope of tanh and the pullback of a Cholesky factor, for which a
# result is an argument that is not moved, as second derivatives; sums of neighbours, whose signs are numbers that do
# not move, as np.diff.
ELSEWHERE = {
    np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh, *test_rules_elementwise.CONVERSIONS,
    *test_rules_polynomial.FOLLOWED,
    *draws.LOCATED, *draws.SCALED, *draws.SHAPED, draws.gamma, draws.multivariate_normal,
    linalg.cholesky, linalg.eigh, linalg.eigvalsh, linalg.cho_factor, linalg.pinvh, linalg.null_space,
    linalg.solve_continuous_are, linalg.solve_discrete_are, special.itj0y0, special.iti0k0, special.itairy,
    *[p for p in registry._compositions if composed(p).__module__.startswith("engine.rules.scipy.sparse")],
    *[p for p in registry.registered() if str(getattr(p, "__module__", "")).startswith("engine.rules.scipy.sparse")],
    integrate.quad, integrate.quad_vec, integrate.dblquad, integrate.tplquad, integrate.nquad, integrate.fixed_quad,
    np.vectorize.__call__, type(np.r_).__getitem__, statistics.NormalDist.from_samples.__func__,
    differences.neighbours, differences.given_back,
    elementary.share, elementary.share2, elementary.tanh_partial, scalars.tanh_partial, triangular.cholesky_pullback,
    *[getattr(linalg, name, None) for name in ("kron", "tril", "triu")],
    getattr(np, "row_stack", None), vocabulary.rebased, np.intersect1d,
    getattr(getattr(np.linalg, "_linalg", None), "_to_real_if_imag_zero", None),  # in the roots of polynomials
}  # fmt: skip


def functions_of(made):
    """The Python functions that state a rule."""
    return [made.whole] if made.whole else [f for f in (*made.partials, *made.pullbacks.values()) if f is not None]


def ruled_here():
    """The primitives whose rules are written in engine/rules; procedures are the traced tier's own."""
    return [
        primal
        for primal in registry.registered()
        if lookup(primal).procedure is None
        and all(f.__module__.startswith("engine.rules.") for f in functions_of(lookup(primal)))
    ]


@pytest.mark.parametrize("primal", [*ruled_here(), *registry._compositions], ids=name_of)
def test_every_rule_has_a_row(primal):
    assert primal in ELSEWHERE or any(case.function == primal for case in ROWS), f"no row tests {primal!r}"


MOVING = [case for case in ROWS if (made := lookup(case.function)) and made.moves and not made.leaves_out(case.kwargs)]


@pytest.mark.parametrize("case", MOVING, ids=str)
def test_a_rule_that_only_moves_entries_leaves_none_out(case):
    """What leaves entries out says so (`selects`): the sweep then asks which are looked at (convention 4)."""
    made, out = lookup(case.function), case(*case.args)
    d = tuple(map(ones_of, out)) if isinstance(out, tuple | list) else ones_of(out)
    if made.whole:
        bars = made.whole(d, out, *case.args, **case.kwargs)
    else:
        pullbacks = map(made.pullbacks.get, made.parameters[: len(case.args)])
        bars = [back and back(d, out, *case.args, **case.kwargs) for back in pullbacks]
    for bar in bars:
        for part in bar if isinstance(bar, tuple | list) else [bar]:
            assert part is None or np.all(np.asarray(part) != 0)


def test_every_pullback_of_every_rule_is_reached_by_a_row():
    """An argument with a pullback carries a derivative in some row, or its pullback is a refusal."""
    unreached = []
    for primal in ruled_here():
        made = lookup(primal)
        if primal in ELSEWHERE or made.whole:
            continue
        reached = set()
        for case in ROWS:
            if case.function == primal:
                bound = list(made.signature.bind(*case.args, **case.kwargs).arguments)
                reached.update(bound[i] for i in active_places(case))
        for name in set(made.differentiable()) - reached:
            source = inspect.getsource(made.differentiable()[name])
            if "refuse(" not in source and "unknown(" not in source:
                unreached.append(f"{name_of(primal)}: {name}")
    assert not unreached, unreached


@pytest.mark.parametrize(
    "defect",
    [
        lambda d, out, x, /: d * np.sin(x),
        lambda d, out, x, /: np.sum(d * np.cos(x)),
        lambda d, out, x, /: (d * np.cos(x))[::-1],
        lambda d, out, x, /: None,
        lambda d, out, x, /: d * np.cos(x) * (1 + 1e-6),
    ],
    ids=["another function", "summed", "turned round", "nothing", "a millionth"],
)
def test_a_defect_in_a_rule_is_found(defect):
    case = row(np.sin, np.array([0.3, 1.2, -0.7]))
    check_pullback(case)
    with registry.replaced(np.sin, x=defect), pytest.raises(AssertionError):
        check_pullback(case)


@pytest.mark.skipif(not KEEPS_SINGLE, reason="NumPy 1 leaves single precision by itself")
def test_a_rule_that_leaves_single_precision_is_found():
    case = row(np.sin, np.array([0.3, 1.2, -0.7]))
    check_single(case)
    with registry.replaced(np.sin, x=lambda d, out, x, /: d * np.cos(x) * np.float64(1)):
        check_pullback(case)
        with pytest.raises(AssertionError, match="float64"):
            check_single(case)


def test_the_states_of_a_primitive_exclude_each_other():
    states = (set(registry._rules), set(registry._compositions), set(registry._constants))
    assert not states[0] & states[1] and not states[0] & states[2] and not states[1] & states[2]


def test_a_second_rule_is_refused_whatever_the_first_was():
    for primal in (np.sin, np.clip):
        for register in (
            lambda p: rule(p, x=lambda d, out, x, /: d),
            lambda p: elementwise(p, lambda out, x: 1),
            lambda p: composition(p, lambda x: x),
            constant,
        ):
            with pytest.raises(ValueError, match="has a rule"):
                register(primal)


def test_a_composition_can_be_taken_away():
    with registry.removed(np.clip, np.floor, np.sin):
        assert composed(np.clip) is None and not is_constant(np.floor) and lookup(np.sin) is None
    assert composed(np.clip) and is_constant(np.floor) and lookup(np.sin)
