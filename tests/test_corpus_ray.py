"""The same rows through Ray Data: a real local Ray of two workers."""

import json
import os
import signal

import pytest

pytest.importorskip("ray", reason="needs the extra `cluster`")

from model.corpus.local_engine import LocalEngine, Stopped
from model.corpus.open_source import open_source
from model.corpus.ray_engine import RayEngine
from model.corpus.run import run_corpus
from model.corpus.worker import Settings
from tests.test_corpus import write_jsonl


def ray_workers() -> list[int]:
    """Process ids of the actors that hold a model."""
    import psutil

    return [
        p.pid
        for p in psutil.Process().children(recursive=True)
        if "MapWorker" in " ".join(p.cmdline())
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory, tiny_checkpoint):
    """6,000 rows, and what the local engine makes of them."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("reference")
    write_jsonl(folder / "in.jsonl", 6_000, bad=10**9)
    rows = [json.loads(line) for line in (folder / "in.jsonl").read_text().splitlines()]
    pd.DataFrame(rows[1:]).to_parquet(folder / "in.parquet", row_group_size=500)
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(folder / "in.parquet"))
    run_corpus(source, folder / "out.jsonl", settings, LocalEngine(settings, 0))
    return folder


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_same(path, reference):
    own, others = read(path), read(reference / "out.jsonl")
    assert [row["id"] for row in own] == [row["id"] for row in others]
    for row, other in zip(own, others, strict=True):
        # A batch of other neighbours is padded otherwise, which moves the last digit.
        assert row["scores"] == pytest.approx(other["scores"], abs=2e-6)


def test_ray_gives_what_the_local_engine_gives_a_killed_worker_included(
    tmp_path, reference, tiny_checkpoint
):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source((reference / "in.parquet").as_uri())
    killed = []

    def kill_one(progress):
        if progress.done >= 64 and not killed and (workers := ray_workers()):
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)

    output = tmp_path / "out.jsonl"
    run_corpus(source, output, settings, RayEngine(settings, 2), on_progress=kill_one)
    assert killed
    assert_same(output, reference)


def test_ray_goes_on_where_a_run_was_stopped(tmp_path, reference, tiny_checkpoint):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.parquet"))
    output = tmp_path / "out.jsonl"
    seen = []
    with pytest.raises(Stopped):
        stopped = LocalEngine(settings, 1, should_stop=lambda: len(seen) > 3)
        run_corpus(source, output, settings, stopped, on_progress=seen.append)
    seen.clear()
    run_corpus(source, output, settings, RayEngine(settings, 2), tmp_path / "report", seen.append)
    assert seen[0].done > 0
    assert_same(output, reference)
    assert "Báo cáo" in (tmp_path / "report" / "index.html").read_text()


def test_ray_streams_what_cannot_be_read_from_the_middle(tmp_path, tiny_checkpoint):
    write_jsonl(tmp_path / "in.jsonl", 70)
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(tmp_path / "in.jsonl"))
    outcome = run_corpus(source, tmp_path / "o.jsonl", settings, RayEngine(settings, 2))
    assert (outcome.rows, outcome.failed) == (70, 7)
    assert [row["id"] for row in read(tmp_path / "o.jsonl")] == list(range(70))
