"""The matrix: what was fixed and came back, the columns, the table, JSON, and the page in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from html import unescape
from pathlib import Path

import pytest

from regressions.__main__ import main
from regressions.adapters import UnknownEngine
from regressions.corpus import all_cases, find
from regressions.environments import Release, compared, installable, release_of
from regressions.matrix.command import page, table
from regressions.matrix.table import Matrix, ask, changes, columns
from regressions.records import Record
from regressions.verdicts import Verdict

RIGHT, REPORTED, WRONG, ERROR, NOT_ASKED = (verdict.value for verdict in Verdict)
BY_MARK = {".": RIGHT, "B": REPORTED, "W": WRONG, "E": ERROR, "-": NOT_ASKED}
CASES = [find(name)[0] for name in ("flux-2497", "jax-347", "autograd-712", "flux-930")]


def records(case: str, verdicts: str, engine: str = "abacus", start: int = 0) -> list[Record]:
    """A case on the releases 1.0, 1.1, ... of an engine, a mark each."""
    return [
        Record(case, engine, f"1.{i}", BY_MARK[mark], "expected", f"got </script> {mark}", asked=f"{engine}==1.{i}")
        for i, mark in enumerate(verdicts, start)
    ]


def matrix(*rows: str) -> Matrix:
    """The first cases of CASES on the reference engine, and as these rows say on the releases of abacus and others.

    "BB.|E" is what abacus 1.0, 1.1, 1.2 and quipu 1.0 gave to one case.
    """
    found = []
    for case, row in zip(CASES, rows, strict=False):
        abacus, _, quipu = row.partition("|")
        reference = Record(case.id, "reference", "", RIGHT, "expected", "expected")
        found.append([reference, *records(case.id, abacus), *records(case.id, quipu, "quipu")])
    return Matrix(CASES[: len(rows)], [{r.case: r for r in column} for column in zip(*found, strict=True)])


# -- what was fixed, and what came back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ("B.", ["fixed in abacus 1.1, still in 1.0"]),
        (".B", ["back in abacus 1.1, not in 1.0"]),
        ("B.B.", ["fixed in abacus 1.1, still in 1.0", "back in abacus 1.2, not in 1.1",
                  "fixed in abacus 1.3, still in 1.2"]),
        ("B--.", ["fixed in abacus 1.3, still in 1.0"]),
        (".-B", ["back in abacus 1.2, not in 1.0"]),
        ("-.", []),  # of what could not be asked nothing is known
        (".-", []),
        ("B-", []),
        (".-.", []),
        ("BB", []),
        ("E.W", []),  # another failure is not the reported bug
        ("BW.", []),
        ("", []),
    ],
)  # fmt: skip
def test_changes_are_between_releases_that_could_be_asked(verdicts: str, expected: list[str]):
    assert [str(change) for change in changes(records("flux-1-f", verdicts))] == expected


def test_changes_are_within_one_engine():
    assert changes([*records("flux-1-f", "B"), *records("flux-1-f", ".", "quipu")]) == []
    mixed = [*records("flux-1-f", "B"), *records("flux-1-f", ".", "quipu"), *records("flux-1-f", ".", start=1)]
    assert [str(change) for change in changes(mixed)] == ["fixed in abacus 1.1, still in 1.0"]


def test_engines_differ_where_those_that_could_be_asked_do():
    found = matrix("...|-", "B..|.", "---|-", "BBB|E").differing()
    assert found == [CASES[3], CASES[1]]


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_an_engine_stands_for_its_compared_releases_oldest_first():
    assert columns()[0] == "reference"
    assert set(columns()[1:]) == {str(release) for name in installable() for release in compared(name)}
    assert columns(["jax==0.10.2", "jax==0.9", "jax"])[:2] == ["jax==0.4.18", "jax==0.6.0"]
    assert columns(["jax==0.10.2", "reference", "jax==0.9", "jax==0.10.2"]) == ["jax==0.9", "jax==0.10.2", "reference"]


@pytest.mark.parametrize("engine", sorted(installable()))
def test_what_is_compared_ends_with_the_release_that_a_bare_name_means(engine: str):
    newest = release_of(engine)
    assert compared(engine)[-1] == newest and columns([engine])[-1] == str(newest)


def test_with_installed_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADPIN_CACHE", str(tmp_path))
    assert columns(installed=True) == ["reference"]
    there = Release("autograd", "1.5")
    there.directory.mkdir(parents=True)
    (there.directory / "gradpin.json").write_text(json.dumps({"packages": there.choices[1]}))
    assert columns(installed=True) == ["reference", "autograd==1.5"]
    (there.directory / "gradpin.json").write_text(json.dumps({"packages": ["autograd==1.5"]}))  # made otherwise
    assert columns(installed=True) == ["reference"]
    with pytest.raises(ValueError, match="nothing of autograd is installed"):
        columns(["autograd"], installed=True)


@pytest.mark.parametrize(
    ("engine", "error"),
    [("abaccus", UnknownEngine), ("jax==x", ValueError), ("math:sin", UnknownEngine), ("nowhere:a", ImportError)],
)
def test_a_name_that_makes_no_sense_is_refused_before_anything_is_asked(engine: str, error: type[Exception]):
    with pytest.raises(error):
        columns(["reference", engine])


def test_the_reference_engine_is_asked_once_and_its_answers_are_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRADPIN_CACHE", str(tmp_path))
    said: list[str] = []
    first = ask(["reference"], CASES[:2], said.append)
    assert said and all(line.startswith("(1 of 1) reference: ") for line in said)
    assert [record.verdict for case in first.cases for record in first.row(case)] == [RIGHT, RIGHT]
    said.clear()
    assert ask(["reference"], CASES[:2], said.append) == first and not said
    assert ask(["reference"], CASES[:2], said.append, fresh=True).heads[0].verdict == RIGHT and said


# -- the table and JSON ------------------------------------------------------------------------------------------------

TABLE = """\
4 cases

               . right  B reported bug  W wrong  E error  - cannot be asked
a  reference         4               0        0        0                  0
b  abacus 1.0        1               3        0        0                  0
c  abacus 1.1        2               0        1        0                  1
d  abacus 1.2        4               0        0        0                  0
e  quipu 1.0         1               0        0        1                  2

fixed in abacus 1.1, still in 1.0: 1
  jax-347-length_of_rows_that_are_long_enough
fixed in abacus 1.2, still in 1.0: 1
  flux-2497-params_collected_inside_gradient

engines differ about 3 of 4 cases; what most of them fail comes first
                                                                                           a b c d e
flux-930-norm_penalty_over_a_list_filled_in_the_loss                                       . B W . E
"""


def test_table_counts_tells_what_changed_and_where_engines_differ():
    text = table(matrix("B-.|-", "B..|.", "...|-", "BW.|E"))
    assert text.startswith(TABLE)
    assert text.splitlines()[-2:] == [f"{CASES[0].id:90} . B - . -", f"{CASES[1].id:90} . B . . ."]


def everything(verdict_of: Callable[[int, int], str], releases: int = 8) -> Matrix:
    """All cases on many releases."""
    cases = all_cases()
    rows = [records(c.id, "".join(verdict_of(i, j) for j in range(releases))) for i, c in enumerate(cases)]
    return Matrix(cases, [{r.case: r for r in column} for column in zip(*rows, strict=True)])


@pytest.fixture(scope="module")
def great() -> Matrix:
    return everything(lambda i, j: "B" if i % 7 == 0 and (j - i) % 9 < 4 else ".WE-"[(i * 31 + j // 3) % 97 % 4])


@pytest.mark.parametrize("releases", [1, 8, 30])
def test_table_is_no_wider_than_a_terminal_and_no_longer_than_a_few_screens(releases: int):
    text = table(everything(lambda i, j: ".BWE-"[(i + j) % 5], releases))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100 and len(lines) < 60 + 11 * releases
    assert releases == 1 or lines[-1].startswith(f"and {len(all_cases()) - 40} more")


def test_a_release_that_does_not_import_says_so_in_its_line():
    column = {
        CASES[0].id: Record(CASES[0].id, "abacus", "0.9", NOT_ASKED, "", "does not import: " + "x" * 200, usable=False)
    }
    found = Matrix(CASES[:1], [column])
    assert "a  abacus 0.9  does not import: xxx" in table(found) and max(map(len, table(found).splitlines())) <= 100
    assert found.data()["columns"][0]["problem"].startswith("does not import")


def test_json_holds_all_about_each_case_and_each_answer():
    data = json.loads(json.dumps(matrix("B..|W", ".B.|-").data()))
    first, second = data["cases"]
    assert first["id"] == CASES[0].id and first["threads"] == {"flux-2497": CASES[0].threads[0]}
    assert "def params_collected_inside_gradient(model)" in first["program"] and "at = (Chain(" in first["program"]
    assert first["oracle"] == CASES[0].oracle and "Can't differentiate foreigncall" in first["reported"]
    assert first["answers"][4] == {"verdict": WRONG, "got": "got </script> W", "difference": ""}
    assert [change["kind"] for change in second["changes"]] == ["back in", "fixed in"]
    assert [column["asked"] for column in data["columns"]][1:] == [
        "abacus==1.0",
        "abacus==1.1",
        "abacus==1.2",
        "quipu==1.0",
    ]
    assert data["columns"][1]["counts"] == {RIGHT: 1, REPORTED: 1, WRONG: 0, ERROR: 0, NOT_ASKED: 0}


def test_command_writes_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setenv("GRADPIN_CACHE", str(tmp_path / "cache"))
    files = tmp_path / "new" / "m.html", tmp_path / "new" / "m.json"
    words = ["--topic", "parameters", "--symptom", "missing-gradient", "--html", str(files[0]), "--json", str(files[1])]
    assert main(["matrix", "--engine", "reference", *words]) == 0
    printed = capsys.readouterr()
    count = len(json.loads(files[1].read_text())["cases"])
    assert printed.out.startswith(f"{count} cases\n") and f"written: {files[0]}" in printed.err
    assert files[0].read_text().startswith("<!doctype html>")


# -- the page ----------------------------------------------------------------------------------------------------------


def test_page_is_one_file_that_loads_nothing(great: Matrix):
    text = page(great)
    assert "{{" not in re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    assert not re.search(r"<(?:link|img|iframe|script[^>]*\ssrc)\b|@import|url\(|fetch\(|XMLHttpRequest", text)
    assert "default-src 'none'" in text
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data) == great.data()


@pytest.fixture(scope="module")
def show(great: Matrix, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What a browser makes of the page at an address, as text."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("there is no chromium here, nor google-chrome, to show the page")
    room = tmp_path_factory.mktemp("page")
    file = room / "matrix.html"
    file.write_text(page(great), encoding="utf-8")
    return partial(shown, browser, room, file)


def shown(browser: str, room: Path, file: Path, address: str) -> str:
    quiet = "gpu quic background-networking component-update sync".split()
    command = [browser, "--headless", "--no-sandbox", "--no-first-run", f"--user-data-dir={room / 'profile'}"]
    command += [f"--disable-{name}" for name in quiet] + ["--virtual-time-budget=3000", "--dump-dom"]
    dump = subprocess.run([*command, f"{file.as_uri()}#{address}"], capture_output=True, text=True, timeout=120)
    return re.sub(r"<script.*?</script>", "", dump.stdout, flags=re.DOTALL)


def ids_in(dom: str) -> list[str]:
    return re.findall(r'<tr data-case="([^"]+)"', dom)


def expected_ids(great: Matrix, holds: Callable[[dict], bool]) -> list[str]:
    return [entry["id"] for entry in great.data()["cases"] if holds(entry)]


def with_verdict(entry: dict, verdict: str, among: Sequence[int] = range(8)) -> bool:
    return any(entry["answers"][i]["verdict"] == verdict for i in among)


CHOICES: dict[str, Callable[[dict], bool]] = {
    "topic=powers": lambda entry: entry["topic"] == "powers",
    "tracker=flux&symptom=nan-inf": lambda entry: "flux" in entry["trackers"] and entry["symptom"] == "nan-inf",
    "topic=powers&verdict=wrong+in+another+way": lambda entry: (
        entry["topic"] == "powers" and with_verdict(entry, WRONG)
    ),
    "topic=kinks&engine=abacus%3D%3D1.2&verdict=right": (
        lambda entry: entry["topic"] == "kinks" and with_verdict(entry, RIGHT, [2])
    ),
    "topic=loops&engine=abacus%3D%3D1.0": (
        lambda entry: entry["topic"] == "loops" and not with_verdict(entry, NOT_ASKED, [0])
    ),
    "tracker=jax&change=fixed+in": (
        lambda entry: "jax" in entry["trackers"] and any(c["kind"] == "fixed in" for c in entry["changes"])
    ),
    "tracker=zygote&change=back+in": (
        lambda entry: "zygote" in entry["trackers"] and any(c["kind"] == "back in" for c in entry["changes"])
    ),
    "engine=abacus%3D%3D1.3&change=fixed+in": (
        lambda entry: any((c["kind"], c["release"]) == ("fixed in", "1.3") for c in entry["changes"])
    ),
    "text=Moduli++weighted": lambda entry: "weighted" in str(entry).lower() and "moduli" in str(entry).lower(),
    "text=surely+nowhere": lambda entry: False,
}


@pytest.mark.parametrize("address", CHOICES)
def test_page_shows_the_cases_that_are_chosen(address: str, great: Matrix, show: Callable[[str], str]):
    dom = show(address)
    expected = expected_ids(great, CHOICES[address])
    assert len(expected) < 80 and bool(expected) == ("nowhere" not in address)
    assert ids_in(dom) == expected
    assert f">{len(expected)} of {len(great.cases)} cases</output>" in dom


def test_page_begins_with_a_part_of_the_cases_and_the_totals(great: Matrix, show: Callable[[str], str]):
    dom = show("")
    assert 80 <= len(ids_in(dom)) < len(great.cases) and re.search(r'<button id="more"[^>]*>[0-9]+ more<', dom)
    totals = re.search(r'<table id="totals">.*?</table>', dom, re.DOTALL)[0]
    for column in great.data()["columns"]:
        counts = re.search(rf'href="#engine=abacus%3D%3D{column["version"]}">.*?</tr>', totals, re.DOTALL)[0]
        assert re.findall(r">([0-9]+)<", counts) == [str(count) for count in column["counts"].values()]


def test_a_case_has_a_page_with_its_answers_of_each_release(great: Matrix, show: Callable[[str], str]):
    case = next(c for c in all_cases() if c.id == great.differing()[0].id)
    dom = show(case.id)
    body = re.search(r'<main id="case">.*?</main>', dom, re.DOTALL)[0]
    text = unescape(re.sub(r"<[^>]+>", "", body))
    entry = next(entry for entry in great.data()["cases"] if entry["id"] == case.id)
    for part in (case.title, case.cause, case.month, *case.threads, case.oracle, entry["program"], entry["right"]):
        assert part in text
    assert all(f'href="{thread}"' in body for thread in case.threads) and f"<title>{case.id}</title>" in dom
    rows = re.search(r'<table id="answers">.*?</table>', body, re.DOTALL)[0].split("<tr>")[2:]
    for record, row in zip(great.row(case), rows, strict=True):
        assert record.on in row and f" {record.verdict}<" in row and record.got in unescape(row)
    assert f"run {case.id} --engine abacus==1." in text


def test_what_changed_is_told_in_the_list_and_on_the_page_of_a_case(great: Matrix, show: Callable[[str], str]):
    case = next(case for case in great.cases if changes(great.row(case)))
    for dom in (show(f"text={case.id}"), show(case.id)):
        assert all(str(change) in dom for change in changes(great.row(case)))
