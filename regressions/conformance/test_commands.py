"""The command line, the options of a run, and what they print: choosing, showing, asking, scripts, scaffolds."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from regressions import report
from regressions.__main__ import main
from regressions.adapters import adapters_of
from regressions.case import Case
from regressions.corpus import UnknownCase, all_cases, find, select
from regressions.records import recorded
from regressions.verdicts import Answer, Run, Verdict, judge

ROOT = Path(__file__).parents[2]
ALL = all_cases()
of_every_case = pytest.mark.parametrize("case", ALL, ids=[c.id for c in ALL])


def test_a_case_is_found_by_its_id_and_by_each_of_its_threads():
    (found,) = find("zygote-941")
    assert find("flux-930") == find(found.id) == [found]


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(UnknownCase, match="no case is called 'flux-2479'; the nearest is flux-2"):
        find("flux-2479")


def test_choice_is_the_intersection_and_an_empty_one_an_error():
    chosen = select(ALL, topic="parameters", symptom="missing-gradient")
    assert chosen and all(c.topic == "parameters" and c.symptom == "missing-gradient" for c in chosen)
    with pytest.raises(UnknownCase, match="no case has topic foreign-calls and tracker keras"):
        select(ALL, topic="foreign-calls", tracker="keras")


@of_every_case
def test_card_shows_threads_answer_and_program(case: Case):
    text = report.card(case)
    assert all(part in text for part in (case.id, case.title, *case.threads, f"def {case.program.__name__}("))


def test_list_prints_one_line_a_case(capsys: pytest.CaptureFixture):
    assert main(["list", "--topic", "parameters"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(select(ALL, topic="parameters"))
    assert any(line.startswith("flux-2497-params_collected_inside_gradient ") for line in lines)


def test_show_prints_all_cases_of_a_thread(capsys: pytest.CaptureFixture):
    assert main(["show", "zygote-1662"]) == 0
    out = capsys.readouterr().out
    assert "warning_in_one_branch" in out and "message_holds_the_value" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: command"),
        (["show", "flux-1"], "no case is called 'flux-1'"),
        (["run", "flux-2497", "--engine", "abacus"], "there is no engine 'abacus'; there is autograd"),
        (["run", "flux-2497", "--engine", "autograd==x"], "'x' is no version; write it like autograd==1"),
        (["run", "flux-2497", "--engine", "reference==1"], "no way to install 'reference'; there is one for autograd"),
        (["script", "flux-2497", "--engine", "jax:vmap"], "No module named 'jax'"),
        (["script", "flux-1614"], "finds parameters by identity"),
        (["new", "https://example.com/1"], "is no thread: write https://github.com/OWNER/NAME/issues/NUMBER"),
        (["new", "https://github.com/jax-ml/jay/issues/1"], "of a tracker that is known; the nearest is jax-ml/jax"),
        (["list", "--symptom", "boredom"], "invalid choice: 'boredom'"),
        (["list", "--topic", "foreign-calls", "--tracker", "keras"], "no case has topic foreign-calls"),
    ],
)
def test_senseless_commands_exit_with_2_and_say_why(arguments: list[str], message: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_failure_names_bug_thread_verdict_both_answers_and_the_command():
    case = find("flux-930")[0]
    outcome = Answer(0.0, (None,))
    result = Run(Verdict.WRONG, outcome, judge(case, outcome)[1])
    record = recorded(case, adapters_of("reference")[0], result, asked="abacus==1.2")
    record = replace(record, engine="abacus", version="1.2")
    text = report.failure(case, record)
    for part in (
        "fails in another way than flux-930", "[abacus 1.2]", case.title, *case.threads, "0.600641", "(None,)",
        "first difference at gradient[0]: kind: expected tuple, got None",
        f"python -m regressions run {case.id} --engine abacus==1.2",
        f"python -m regressions script {case.id} --engine abacus==1.2",
    ):  # fmt: skip
        assert part in text
    text = report.failure(case, replace(record, verdict=Verdict.REPORTED.value, engine="reference", asked="reference"))
    assert "the bug of flux-930 is back   [reference 1.2]" in text and f"python -m regressions bisect {case.id}" in text
    assert f"python -m regressions isolate {case.id}" in text


def test_summary_counts_what_was_asked_and_gives_each_reason_for_a_missing_defect():
    chosen = [*find("flux-930"), *find("flux-1379"), *find("flux-1970")]
    text = "\n".join(report.summary(chosen, None))
    assert text.startswith("3 cases from 4 threads of 2 trackers (flux, zygote) in 2 topics: implicit-parameters 1, ")
    assert "2 carry a defect, not put back in this run (--bite does); 1 carry none:" in text
    assert find("flux-1379")[0].no_defect in text
    assert "2 carry a defect, 1 of them bit" in report.summary(chosen, {chosen[0].id})[1]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["regressions/test_cases.py", "-k", "zygote-941"], 0, "test_holds[flux-930-"),
        (["regressions/cases/parameters.py", "--symptom", "missing-gradient"], 0, "test_holds[flux-2091-"),
        (["--engine", "abacus"], 4, "--engine: there is no engine 'abacus'; there is autograd"),
        (["--topic", "boredom"], 4, "--topic: there is no topic 'boredom'; there is "),
        (
            ["--topic", "parameters", "--tracker", "chainrules"],
            4,
            "no case has topic parameters and tracker chainrules",
        ),
    ],
)
def test_a_run_chooses_by_thread_file_and_property(arguments: list[str], status: int, text: str):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", *arguments]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == status
    assert text in found.stdout + found.stderr


# -- programs that stand alone, and cases to be written ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["flux-2441", "zygote-1421", "chainrules-498", "zygote-1013"])
def test_script_runs_and_prints_versions_expected_and_got(name: str, capsys: pytest.CaptureFixture, tmp_path: Path):
    assert main(["script", name]) == 0
    text = capsys.readouterr().out
    assert "regressions" not in text and find(name)[0].threads[0] in text
    file = tmp_path / "stands_alone.py"
    file.write_text(text)
    ran = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    versions, *rest = ran.stdout.splitlines()
    assert not ran.stderr and versions.startswith("Python 3.") and " NumPy " in versions
    got = next(i for i, line in enumerate(rest) if line.startswith("got"))
    expected, answer = (" ".join(part)[8:].strip() for part in (rest[:got], rest[got:]))
    assert expected[:8] == answer[:8]


def test_a_new_case_is_python_with_every_word_to_choose_from(capsys: pytest.CaptureFixture):
    assert main(["new", "https://github.com/jax-ml/jax/issues/347"]) == 0
    printed = capsys.readouterr()
    ast.parse(printed.out)
    assert '"jax-347",' in printed.out and "nan-inf" in printed.out and max(map(len, printed.out.splitlines())) <= 120
    assert "the thread has a case already: jax-347-" in printed.err


def test_a_new_case_is_refused_as_long_as_it_is_not_filled_in(capsys: pytest.CaptureFixture):
    main(["new", "https://github.com/jax-ml/jax/issues/1"])
    with pytest.raises(
        ValueError, match="title, month, symptom, cause, right, oracle, reported, defect to be filled in"
    ):
        exec("import numpy as np\nfrom regressions.case import case\n" + capsys.readouterr().out, {})


@pytest.mark.parametrize(
    "command",
    ["list", "show", "run", "script", "new", "install", "expect", "check", "bisect", "isolate", "matrix"],
)
def test_every_command_says_what_it_is_for(command: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"usage: python -m regressions {command}" in capsys.readouterr().out
