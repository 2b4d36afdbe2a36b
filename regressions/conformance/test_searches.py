"""The search along any axis: a row of letters as places, where what is seen at a place is its letter.

g good, b bad, u cannot be asked, f flaky: b and g in turns that a seeded draw decides.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from regressions.bisect.answer import Notebook, Search, report
from regressions.bisect.axis import Axis, CannotAsk, HistoryError, NothingBetween, Question, Seen, Where
from regressions.bisect.questions import OfScript, alike
from regressions.bisect.search import Judgement

GOOD, BAD, UNKNOWN = Judgement.GOOD, Judgement.BAD, Judgement.UNKNOWN


class Letters(Axis):
    noun, plural = "letter", "letters"

    def __init__(self, row: str, branches: dict[str, list[str]] | None = None, kept: bool = True) -> None:
        self.letters, self.kept, self.branches = row, kept, branches or {}

    def row(self, good: str | None, bad: str | None) -> list[str]:
        return [f"{i}{letter}" for i, letter in enumerate(self.letters)]

    def where(self, place: str) -> Where:
        if place[-1] == "u":
            raise CannotAsk("it does not install")
        return Where(request={"letter": place[-1]})

    def key(self, place: str) -> str:
        return place if self.kept else ""

    def inside(self, place, judge):
        return self.branches.get(place)


class Letter(Question):
    name = "the letter"

    def __init__(self, seed: int = 0, share: float = 0.5) -> None:
        self.draw, self.share = random.Random(seed), share

    def key(self) -> str:
        return "letters"

    def see(self, where: Where) -> Seen:
        letter = where.request["letter"]
        return {"letter": ("b" if self.draw.random() < self.share else "g") if letter == "f" else letter}

    def judge(self, seen: Seen) -> Judgement:
        return {"g": GOOD, "b": BAD}.get(seen["letter"], UNKNOWN)

    def text(self, seen) -> str:
        return " ".join(one["letter"] for one in seen)


def search(row: str, store: Path, **options) -> Search:
    axis = Letters(row, options.pop("branches", None), options.pop("kept", True))
    return Search(axis, Letter(**{k: options.pop(k) for k in ("seed", "share") if k in options}), store, **options)


@pytest.mark.parametrize("length", range(2, 10))
def test_every_position_with_and_without_a_good_end(length: int, tmp_path: Path):
    for turn in range(1, length):
        row = "g" * turn + "b" * (length - turn)
        for good in ("0g", None):
            found = search(row, tmp_path / str(turn)).run(good)
            assert found.culprits == (f"{turn}b",) and found.before == f"{turn - 1}g" and found.is_sure


@pytest.mark.parametrize("turn", range(1, 7))
def test_every_position_of_a_fix(turn: int, tmp_path: Path):
    found = search("b" * turn + "g" * (7 - turn), tmp_path, find_fix=True).run("0b")
    assert found.culprits == (f"{turn}g",)
    assert report(found).startswith(f"{turn}g mended the letter")


@pytest.mark.parametrize("hole", range(1, 7))
@pytest.mark.parametrize("turn", range(1, 7))
def test_every_position_of_one_that_cannot_be_asked(hole: int, turn: int, tmp_path: Path):
    row = "g" * turn + "b" * (8 - turn)
    row = row[:hole] + "u" + row[hole + 1 :]
    found = search(row, tmp_path).run("0g")
    first = row.index("b")
    before = row[:first].rindex("g")
    assert [int(place[:-1]) for place in found.culprits] == list(range(before + 1, first + 1))
    assert all(why == "it does not install" for why in found.stepped_over.values())
    if not found.is_sure:
        assert "one of these 2 letters broke the letter; the others cannot be asked:" in report(found)
    if found.stepped_over:
        assert f"stepped over {hole}u: it does not install" in report(found)


def test_into_a_place_that_is_made_of_places_and_into_those(tmp_path: Path):
    branches = {"2b": ["0g", "20g", "21b", "2b"], "21b": ["20g", "210b", "21b"]}
    assert search("ggbb", tmp_path, branches=branches).run("0g").culprits == ("210b",)
    assert search("ggbb", tmp_path, branches={"2b": ["0g", "20g", "2b"]}).run("0g").culprits == ("2b",)


def test_a_second_search_asks_only_both_sides_again(tmp_path: Path):
    row = "g" * 30 + "b" * 10
    first, second, unkept = search(row, tmp_path), search(row, tmp_path), search(row, tmp_path, kept=False)
    assert len({s.run("0g").culprits for s in (first, second, unkept)}) == 1
    assert first.asked <= 2 + 6 + 2 and second.asked == 2 and unkept.asked > 8


@pytest.mark.parametrize("seed", range(40))
def test_answers_that_change_are_asked_again_until_they_are_clear(seed: int, tmp_path: Path):
    """One answer in ten of the first bad letter is wrong: what is found is that letter, or a set that holds it."""
    found = search("ggggfbbb", tmp_path, seed=seed, share=0.9, agree=3).run("0g")
    assert "4f" in found.culprits


def test_a_question_says_itself_how_many_answers_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As time does, once it has seen that no counter tells the ends apart."""
    noisy = search("ggggfbbb", tmp_path, seed=1, share=0.8)
    monkeypatch.setattr(noisy.question, "learn", lambda good, bad: setattr(noisy.question, "agree", 7))
    assert noisy.run("0g").culprits == ("4f",)
    assert min(len(seen) for seen in noisy.seen.values()) >= 7


def test_answers_that_never_settle_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    heard: list[str] = []
    asked = search("gb", tmp_path, say=heard.append, kept=False)
    judgement = asked.judgement
    flip = lambda place, again=False: BAD if again and place == "0g" else judgement(place, again)  # noqa: E731
    monkeypatch.setattr(asked, "judgement", flip)
    with pytest.raises(HistoryError, match="0g was good and is now bad, and so on: the letter is not reproducible"):
        asked.run("0g")
    assert [line for line in heard if "asked again until 3 more answers say the same than not" in line]


@pytest.mark.parametrize(
    ("row", "good", "error", "message"),
    [
        ("bb", "0b", NothingBetween, "the letter has to be good at 0b and is: bad"),
        ("gg", "0g", HistoryError, "the letter has to be bad at 1g and is: good"),
        ("gu", "0g", HistoryError, "1u is an end and cannot be asked: it does not install"),
        ("ub", "0u", HistoryError, "0u is an end and cannot be asked: it does not install"),
        ("bbbb", None, HistoryError, "no letter before 3b is good on the letter: name one with --good"),
    ],
)
def test_ends_are_verified(row: str, good: str | None, error: type, message: str, tmp_path: Path):
    with pytest.raises(error, match=message):
        search(row, tmp_path).run(good)


def test_progress_says_how_many_steps_are_left(tmp_path: Path):
    heard: list[str] = []
    search("ggggugbbb", tmp_path, say=heard.append).run("0g")
    assert heard[0] == "8 letters, about 3 steps"
    assert "  4u                  cannot tell  about 3 steps left  it does not install" in heard
    assert heard[-1].split()[1:] == ["good", "about", "0", "steps", "left"]


def test_a_notebook_forgets_what_a_killed_process_had_begun(tmp_path: Path):
    mine, dead = tmp_path / "partial-1-other", tmp_path / f"partial-{2**22 + 1}-x"
    for path in (mine, dead):
        path.write_text("[")
    Notebook(tmp_path)
    assert mine.exists() and not dead.exists(), "what a living process is writing stays"


# -- scripts -----------------------------------------------------------------------------------------------------------


def seen(printed: str = "", status: int = 0, error: str = "") -> Seen:
    return {"printed": printed, "status": status, "error": error}


@pytest.fixture
def script(tmp_path: Path):
    """A script that has seen these ends."""
    (tmp_path / "s.py").write_text("")

    def made(good: Seen | None, bad: Seen | None, any_failure: bool = False) -> OfScript:
        made = OfScript(tmp_path / "s.py", any_failure=any_failure)
        made.good, made.bad = good, bad
        return made

    return made


FAILED, FAILED_ELSEWHERE = seen(status=1, error="ValueError: a"), seen(status=1, error="KeyError: 'b'")


@pytest.mark.parametrize(
    ("good", "bad", "what", "judgement"),
    [
        (seen(), FAILED, seen(), GOOD),
        (seen(), FAILED, seen(status=1, error="ValueError: z"), BAD),
        (seen(), FAILED, FAILED_ELSEWHERE, UNKNOWN),
        (seen(), FAILED, seen(status=125), UNKNOWN),
        (seen(), FAILED, {"unusable": "does not import"}, UNKNOWN),
        (seen(), seen(status=3), seen(status=3), BAD),
        (seen(), seen(status=3), seen(status=4), UNKNOWN),
        (None, None, FAILED, BAD),
        (None, FAILED, seen("whatever"), GOOD),
        (seen("d 1.0"), seen("d 2.0"), seen("d 1.0000001"), GOOD),
        (seen("d 1.0"), seen("d 2.0"), seen("d 2.0"), BAD),
        (seen("d 1.0"), seen("d 2.0"), seen("d nan"), UNKNOWN),
        (seen("d 1.0"), seen("d nan"), seen("d nan"), BAD),
        (seen("d 1.0"), seen("d 2.0"), FAILED, UNKNOWN),
    ],
)
def test_what_a_script_says(script, good, bad, what, judgement):
    assert script(good, bad).judge(what) is judgement
    if judgement is UNKNOWN and "unusable" not in what and what["status"] != 125:
        assert script(good, bad, any_failure=True).judge(what) is BAD


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (None, seen("d 1.0"), "ends with status 0 at the bad end: .* --good names"),
        (seen("d 1.0"), seen("d 1.0"), "prints the same at both ends: d 1.0"),
    ],
)
def test_a_script_whose_ends_are_alike_says_so(script, good, bad, message, tmp_path):
    from regressions.bisect.axis import End

    with pytest.raises(HistoryError, match=message):
        script(None, None).learn(good and End(Where(), good), End(Where(), bad))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("[1. 2.]", "[1.0000001 2.]", True),
        ("[1. 2.]", "[1. 2.1]", False),
        ("[1.  2.]", "[1. 2.]", True),
        ("1e-3 nan", "0.001 NaN", True),
        ("1.0", "nan", False),
        ("1.0", "-1.0", False),
        ("1 2", "1 2 3", False),
        ("x: 0.0", "y: 0.0", False),
    ],
)
def test_printed_numbers_are_compared_as_numbers(a: str, b: str, same: bool):
    assert alike(a, b) is same
