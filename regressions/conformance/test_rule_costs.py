"""The table of what rules cost: nothing is left out, reasons are a closed list. No test depends on a time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.rules import costs
from benchmarks.rules import samples as sampled
from benchmarks.rules.costs import ABOVE, BELOW, Row, chosen, followed, has_cotangent, pullbacks, verdict
from benchmarks.rules.reasons import REASONS
from benchmarks.rules.samples import samples
from engine import rule, traced
from engine.rules import composed, lookup, registry

CALLS = list(samples(400))
TEXTS = [call.text for call in CALLS]

# What has no call in the table: objects and their methods, NumPy's own helpers, deprecated names, and the arithmetic of
# numpy.polynomial, which is NumPy's Python followed step by step, as the one that is measured is.
UNMEASURED = {"__call__", "__getitem__", "trimseq", "_to_real_if_imag_zero", "row_stack"}


def belongs_to_numpy(primal):
    owner = getattr(primal, "__self__", None)
    module = getattr(primal, "__module__", None) or ""
    ufunc = primal if isinstance(primal, np.ufunc) else owner
    if isinstance(ufunc, np.ufunc):  # SciPy has ufuncs too, once it is loaded
        return getattr(np, ufunc.__name__, None) is ufunc
    return module.split(".")[0] == "numpy"


def is_followed_polynomial(primal):
    return (getattr(primal, "__module__", None) or "").startswith("numpy.polynomial.")


def test_every_rule_for_numpy_has_a_call():
    measured = {call.primal for call in CALLS}
    missing = []
    for primal in [*registry.registered(), *registry._compositions]:
        made = lookup(primal)
        named = getattr(primal, "__name__", "")
        if not belongs_to_numpy(primal) or is_followed_polynomial(primal) or named in UNMEASURED:
            continue
        if (made is None or made.procedure is None) and primal not in measured:
            missing.append(named)
    assert not missing, f"add a call to benchmarks/rules/samples.py for {', '.join(missing)}"


def test_no_call_is_there_twice_and_each_has_a_derivative():
    assert len(set(TEXTS)) == len(TEXTS)
    for call in CALLS:
        assert lookup(call.primal) or composed(call.primal), call.text


def test_every_reason_is_that_of_a_call_and_no_call_has_two():
    given = [text for reason in REASONS for text in reason.texts()]
    assert len(set(given)) == len(given)
    listed = {text.strip() for text in sampled.CALLS.replace(";", "\n").splitlines()}
    assert set(given) <= listed


@pytest.mark.parametrize("call", [c for c in CALLS if lookup(c.primal)], ids=str)
def test_what_is_timed_is_the_cotangent_that_a_sweep_gives(call):
    """Not a part of it, nor another rule: the cotangents of a rule are those of the program that makes the call."""
    with np.errstate(all="ignore"):
        made = lookup(call.primal)
        timed = {name: pullback() for name, pullback in pullbacks(call, made).items()}
        assert timed, "an argument has a cotangent"
        if made.whole is not None or not all(isinstance(a, np.ndarray) for a in call.args if has_cotangent(a)):
            return
        active = [i for i, x in enumerate(call.args) if has_cotangent(x)]
        given = followed(call)()
        names = list(made.signature.bind(*call.args, **call.kwargs).arguments)
    for i, bar in zip(active, given[0], strict=True):
        if names[i] in timed:
            expected = timed[names[i]]
            if expected is None:
                assert bar is None or not np.any(bar)
            else:
                np.testing.assert_allclose(bar, expected, rtol=1e-12)  # sums in another order


def row(ratio, call="np.sum(A)", primal=100.0, copy=50.0):
    return Row(call, "a", primal, ratio * primal, copy)


def test_a_slow_pullback_without_a_reason_is_called_slow():
    assert verdict([row(1.0), row(ABOVE + 0.1)]) == "np.sum(A): the pullback costs 3.4 times its primal, for no reason"
    assert verdict([row(1.0), row(ABOVE - 0.1)]) is None


def test_a_reason_that_is_none_any_more_is_called_so():
    slow = "np.linalg.det(D)"
    assert verdict([row(ABOVE + 9, slow)]) is None
    assert verdict([row(BELOW + 0.1, slow), row(0.1, slow)]) is None
    assert verdict([row(BELOW - 0.1, slow)]).endswith("times its primal now, take it out of the reasons")
    composition = "np.diff(x)"
    assert verdict([Row(composition, "", 100.0, 100 * BELOW / 2 + 1, 50.0)]) is None, "a difference of large numbers"
    assert verdict([Row(composition, "", 100.0, 100 * BELOW / 2 - 1, 50.0)]).startswith("np.diff(x): the pullback")


def test_what_makes_a_view_is_held_against_copying_the_array():
    view = "np.transpose(A)"
    assert verdict([row(200.0, view, primal=0.5, copy=50.0)]) is None
    assert verdict([row(400.0, view, primal=0.5, copy=50.0)]).endswith("costs 4.0 times a copy of the array")
    assert verdict([row(1.0, view, primal=60.0, copy=50.0)]).endswith("take it out of the reasons")


def test_what_looks_wrong_is_measured_again_before_it_is_said(monkeypatch):
    turns_taken = []

    def measured(call, few, turns):
        turns_taken.append(turns)
        yield row(9.0 if len(turns_taken) < 3 else 1.0, call.text)

    monkeypatch.setattr(costs, "measure", measured)
    record = costs.run(chosen(["np.square"], 400)[:1], 2, lambda line: None)
    assert turns_taken == [2, 6, 18] and not record.problems


def test_a_name_is_that_of_a_function_with_or_without_its_module():
    by_name = [[call.text for call, _ in chosen([name], 400)] for name in ("norm", "linalg.norm", "np.linalg.norm")]
    assert by_name[0] == by_name[1] == by_name[2] and len(by_name[0]) > 5
    with pytest.raises(ValueError, match="no rule that is measured has the name norms"):
        chosen(["norms"], 400)


def test_command_prints_a_row_for_each_argument_and_writes_json(tmp_path, capsys):
    file = tmp_path / "rules.json"
    main(["rules", "--rule", "subtract", "--rule", "np.trace", "--turns", "1", "--json", str(file)])
    out, progress = capsys.readouterr()
    assert "np.subtract(x, y)  by x\n" in out and "np.subtract(x, y)  by y\n" in out
    assert "The primal makes a view" in out and "np.trace(S)  by a\n" in out
    assert progress.splitlines() == ["1/2  np.subtract(x, y)", "2/2  np.trace(S)"]
    rows = json.loads(file.read_text())["rows"]
    assert [(r["call"], r["argument"]) for r in rows] == [
        ("np.subtract(x, y)", "x"), ("np.subtract(x, y)", "y"), ("np.trace(S)", "a"),
    ]  # fmt: skip
    assert all(r["primal_us"] > 0 and r["pullback_us"] > 0 for r in rows)


def test_a_pullback_made_slow_is_found(capsys):
    """Not by a little: a rule that does the work a hundred times over."""

    def idle(d, out, x, /):
        for _ in range(100):
            np.copy(d)
        return d

    with registry.scope(), registry.removed(np.positive):
        rule(np.positive, x=idle)
        status = main(["rules", "--rule", "positive", "--turns", "1"])
    assert status == 1
    assert "np.positive(x): the pullback costs" in capsys.readouterr().out.splitlines()[-1]


def test_unknown_rule_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["rules", "--rule", "maximun"])
    assert exit.value.code == 2
    assert "argument --rule: no rule that is measured has the name maximun" in capsys.readouterr().err


def test_value_and_pullback_of_a_composition_are_those_of_the_program():
    call = next(call for call in CALLS if call.text == "np.clip(s, -0.5, 0.5)")
    bars = followed(call)()[0]
    _, back = traced.pullback(lambda s: np.clip(s, -0.5, 0.5), call.args[:1], {})
    d = costs.cotangent_of(call())
    np.testing.assert_array_equal(bars[0], back.sweep(d)[0][0])
