"""The recording of a step: output, processes and requests of both runs of its check."""

from pathlib import Path

import pytest

from tests.support.commands import run
from tools.pythons import ROOT, newest_python
from tools.tour.record import Recorder
from tools.tour.recording import Run, path_of, read, write
from tools.tour.step import read_all

STEPS = {step.number: step for step in read_all()}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tour-recording")]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return Recorder(tmp_path_factory.mktemp("recorder"))


def requests(run: Run, process: int) -> list[tuple[str | None, int | None]]:
    return [
        (event.method, event.status)
        for event in run.events
        if event.process == process and event.method
    ]


def test_requests_are_recorded_for_each_process_until_it_is_killed(
    recorder: Recorder, tmp_path: Path
) -> None:
    recording = recorder.record(STEPS[6])
    assert recording.python == newest_python()
    assert requests(recording.broken, 0) == [("POST", 201)]
    assert requests(recording.broken, 1) == [("GET", 404)]
    assert requests(recording.solved, 1) == [("GET", 200), ("DELETE", 204)] * 10
    for made in (recording.broken, recording.solved):
        assert [process.command for process in made.processes] == ["web", "web"]
        assert [event.name for event in made.events].count("listening") == 2
        assert made.events[0].seconds == 0
    assert "E   AssertionError: assert 404 == 200" in recording.broken.output
    assert "+            return await cursor.fetchone()" in recording.patch
    write(recording, path_of(STEPS[6], tmp_path))
    assert read(path_of(STEPS[6], tmp_path)) == recording


def test_probes_and_requests_without_a_response_are_recorded(recorder: Recorder) -> None:
    recording = recorder.record(STEPS[9])
    assert [each for each in requests(recording.broken, 0) if each[1] is None]
    assert None not in {status for _, status in requests(recording.solved, 0)}
    for made in (recording.broken, recording.solved):
        probes = [event.status for event in made.events if event.path == "/readyz"]
        assert probes.count(200) >= 200
    assert 503 in probes


def test_a_check_without_processes_has_no_events() -> None:
    recording = read(path_of(STEPS[10]))
    assert recording.broken.events == []
    assert recording.solved.processes == []


def test_an_unknown_step_is_reported() -> None:
    done = run("make", "tour-record", "STEP=13", cwd=ROOT)
    assert done.returncode != 0
    assert done.stderr.startswith("make tour-record: no step 13\n")
