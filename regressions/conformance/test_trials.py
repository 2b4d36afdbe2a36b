"""Programs that the shrinking makes are tried in a process of their own, which they may bring down or keep for good."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from regressions.adapters import adapters_of
from regressions.corpus import find
from regressions.isolate.extract import texts
from regressions.isolate.question import Request, question_of, search
from regressions.isolate.symptoms import symptom
from regressions.isolate.trials import Trials

CASE = find("theano-166")[0]
REQUEST = Request(CASE.id, bite=True)
QUESTION = question_of(REQUEST)
FAILS = next(texts(CASE.program, QUESTION.subject, QUESTION.written))
HARMFUL = {
    "loops": "while True:\n    pass",
    "loops and lets nothing out": "while True:\n    try:\n        while True:\n            pass\n"
    "    except BaseException:\n        pass",
    "loops where the collector calls": "import gc\ndef late(phase, info):\n    while True:\n        pass\n"
    "gc.callbacks.append(late)\ngc.collect()",
    "ends the process": "import os\nos._exit(0)",
    "is killed": "import os\nos.kill(os.getpid(), 9)",
    "says yes itself": "import os\nos.write(1, b'yes\\n')\nraise ValueError",
    "leaves": "raise SystemExit",
    "is interrupted": "raise KeyboardInterrupt",
}


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    with QUESTION.put_back():
        failure = symptom(QUESTION.subject, adapters_of("reference")[0])
        culprit = search(QUESTION.subject)[0]
    assert failure is not None and culprit is not None
    with Trials(REQUEST, failure, culprit) as trials:
        yield trials


@pytest.mark.parametrize("what", HARMFUL)
def test_a_program_that_does_harm_fails_in_another_way(what: str, trials: Trials):
    start = time.monotonic()
    assert not trials.fails(f"{HARMFUL[what]}\n{FAILS}", 2.0)
    assert time.monotonic() - start < 60, "it is given up, however long a busy machine takes"
    assert trials.fails(FAILS, 60.0), "the next one is tried"


def test_the_symptom_and_the_operation_have_to_be_the_same(trials: Trials):
    assert not trials.fails(FAILS.replace("return", "return 0.0 *"), 60.0), "right"
    assert not trials.fails(FAILS.replace("return", "return undefined +"), 60.0), "another symptom"
    assert trials.fails(FAILS.replace("return", "return 2.0 *"), 60.0)


def test_no_process_is_left_behind():
    with QUESTION.put_back():
        failure = symptom(QUESTION.subject, adapters_of("reference")[0])
    assert failure is not None
    with Trials(REQUEST, failure, None) as trials:
        process = trials.process
        assert process is not None and process.poll() is None
    assert process.poll() is not None
