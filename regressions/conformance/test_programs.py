"""Random programs against differences: a wrong answer fails, a refusal by name counts, and few may be refused.

GRADPIN_PROGRAMS sets how many programs are tried (to second order: a fifth of them).
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import rules

from . import programs
from .programs import RandomProgram, judge, reduced, report

COUNT = int(os.environ.get("GRADPIN_PROGRAMS", "300"))
WORKERS = 4  # the programs are shared out over so many tests, for xdist
REFUSED_AT_MOST = 0.02

exhaustive = settings(
    deadline=None, derandomize=True, database=None, print_blob=False, suppress_health_check=list(HealthCheck)
)


def run(order: int, count: int, worker: int) -> None:
    verdicts: Counter[str] = Counter()
    refusals: Counter[str] = Counter()

    @settings(exhaustive, max_examples=count)
    @given(st.integers(0, 2**30 - 1))
    def every(number: int) -> None:
        candidate = RandomProgram(4 * number + worker)
        verdict = judge(candidate, order)
        verdicts[verdict.kind] += 1
        if verdict.kind == "refused":
            refusals[verdict.detail] += 1
        if verdict.is_failure:
            pytest.fail(report(candidate, order), pytrace=False)

    every()
    judged = sum(verdicts.values()) - verdicts["uneven"]
    print(f"order {order}: {dict(verdicts)}, refused: {refusals.most_common(5)}")
    assert judged > count / 2, "too few programs can be judged"
    assert verdicts["refused"] <= max(1, REFUSED_AT_MOST * judged), refusals.most_common(5)


@pytest.mark.parametrize("worker", range(WORKERS))
def test_first_order(worker):
    run(1, COUNT // WORKERS, worker)


@pytest.mark.parametrize("worker", range(WORKERS))
def test_second_order(worker):
    run(2, COUNT // (5 * WORKERS), worker)


def test_one_number_gives_one_program():
    assert RandomProgram(12).source == RandomProgram(12).source != RandomProgram(13).source


def test_a_wrong_rule_is_found_and_reduced():
    """The search can fail: with the sine's derivative made wrong, a program is found and cut down."""
    import math

    with rules.replaced(math.sin, x=lambda d, out, x: d * out):
        found = next(RandomProgram(seed) for seed in range(100) if judge(RandomProgram(seed)).is_failure)
        smallest = reduced(found)
        verdict = judge(smallest)
    body = smallest.source[smallest.source.index("def loss") :].splitlines()
    assert verdict.kind == "wrong" and "expected" in verdict.detail
    assert len(body) < len(found.source[found.source.index("def loss") :].splitlines())
    assert "sin" in smallest.source[smallest.source.index("class Box") :]


def test_command_line(capsys):
    assert programs.main(["1"]) == 0
    assert capsys.readouterr().out.endswith("right: \n")
