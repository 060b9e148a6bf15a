"""A corpus from input to output: nothing lost, nothing twice, whatever happens on the way."""

import csv
import datetime
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from model.corpus.journal import Journal
from model.corpus.local_engine import LocalEngine, Stopped
from model.corpus.open_source import open_source
from model.corpus.report import Report, month_of
from model.corpus.run import fingerprint, run_corpus
from model.corpus.source import CHUNK, Row, chunks_of
from model.corpus.worker import Settings, Worker
from model.corpus.writers import complete_file, is_formula
from model.errors import InputError
from tests.conftest import ROOT

TEXT = (
    "Phường Bến Thóc giải phóng mặt bằng xong {} hộ, dân đã nhận tiền bồi thường và bàn giao đất."
)
NAMES = ["nhà", "đường", "cầu", "chợ", "trường", "bến", "làng", "ruộng", "mương", "đình"]


def text_of(number: int) -> str:
    """Texts that a random model scores differently."""
    names = random.Random(number).choices(NAMES, k=5 + number % 40)
    return TEXT.format(number) + " Tổ dân phố có " + ", ".join(names) + "."


def write_jsonl(path: Path, rows: int, bad: int = 10) -> None:
    """Every tenth row has no text."""
    with path.open("w") as file:
        for number in range(rows):
            row = {"id": number, "text": text_of(number) if number % bad else 5}
            file.write(json.dumps(row) + "\n")


def command(source: Path, output: Path, checkpoint: str, *, workers=2, engine="local") -> list[str]:
    """A process that does what `chude classify` does, with another checkpoint."""
    script = (
        "import sys, logging, typer; from pathlib import Path; from rich.console import Console\n"
        "from model.corpus.command import run_command; from model.corpus.worker import Settings\n"
        "if __name__ == '__main__':\n"
        "    logging.basicConfig(level=logging.INFO)\n"
        "    s, o, c, w, e = sys.argv[1:]\n"
        "    try:\n"
        "        run_command('Thử', s, Path(o), Settings(checkpoint=c), Console(stderr=True),\n"
        "                    workers=int(w), engine=e)\n"
        "    except typer.Exit as end:\n"
        "        sys.exit(end.exit_code)\n"
    )
    path = output.parent / "run.py"
    path.write_text(script)
    return [sys.executable, str(path), str(source), str(output), checkpoint, str(workers), engine]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def reference(tmp_path_factory, tiny_checkpoint):
    """600 rows and what an undisturbed run makes of them."""
    folder = tmp_path_factory.mktemp("reference")
    write_jsonl(folder / "in.jsonl", 600)
    source = open_source(str(folder / "in.jsonl"))
    settings = Settings(checkpoint=tiny_checkpoint)
    run_corpus(source, folder / "out.jsonl", settings, LocalEngine(settings, 0))
    return folder


def test_killed_at_random_points_the_same_command_goes_on(tmp_path, reference, tiny_checkpoint):
    output = tmp_path / "out.jsonl"
    arguments = command(reference / "in.jsonl", output, tiny_checkpoint)
    generator = random.Random(7)
    done = []
    for _ in range(2):
        process = subprocess.Popen(arguments, env=environment(), stderr=subprocess.PIPE)
        deadline = time.monotonic() + 90
        journal = None
        # Not before it has come further than the last time, and then at any moment.
        while process.poll() is None and time.monotonic() < deadline:
            journal = next(tmp_path.glob(".out.jsonl.*.partial"), journal)
            if journal is not None and journal.exists():
                lines = journal.read_bytes().count(b"\n")
                if lines > (done[-1] if done else 0):
                    break
            time.sleep(0.01)
        time.sleep(generator.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not output.exists() or process.returncode == 0
        if journal is not None and journal.exists():
            done.append(journal.read_bytes().count(b"\n"))
    assert done == sorted(done)
    assert done
    result = subprocess.run(arguments, env=environment(), capture_output=True, timeout=200)
    assert output.exists(), result.stderr.decode()
    assert output.read_bytes() == (reference / "out.jsonl").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "run.py"]


def test_control_c_stops_and_says_how_to_go_on(tmp_path, tiny_checkpoint):
    output = tmp_path / "out.jsonl"
    output.write_text("old")
    write_jsonl(tmp_path / "in.jsonl", 6_000, bad=10**9)
    arguments = command(tmp_path / "in.jsonl", output, tiny_checkpoint)
    process = subprocess.Popen(
        arguments,
        env=environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not any(p.stat().st_size for p in tmp_path.glob(".out.jsonl.*.partial")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the workers, too
    message = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, message
    assert "Chạy lại đúng lệnh này" in " ".join(message.split())
    assert "Traceback" not in message
    assert output.read_text() == "old"
    subprocess.run(arguments, env=environment(), capture_output=True, timeout=200)
    ids = [json.loads(line)["id"] for line in output.read_text().splitlines()]
    assert ids == list(range(6_000))


def test_a_killed_worker_costs_nothing(tmp_path, reference, tiny_checkpoint):
    import multiprocessing

    settings = Settings(checkpoint=tiny_checkpoint)
    killed = []

    def kill_one(progress):
        workers = multiprocessing.active_children()
        if progress.done >= 64 and len(killed) < 2 and workers:
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    source = open_source(str(reference / "in.jsonl"))
    engine = LocalEngine(settings, 2)
    run_corpus(source, tmp_path / "out.jsonl", settings, engine, on_progress=kill_one)
    assert killed
    assert (tmp_path / "out.jsonl").read_bytes() == (reference / "out.jsonl").read_bytes()


@pytest.mark.parametrize("damage", [b'{"primary": nu', b"\0" * 4096, b"\xff\xfe\n", b"7\n"])
def test_a_torn_journal_is_cut_at_the_last_whole_line(tmp_path, reference, tiny_checkpoint, damage):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.jsonl"))
    output = tmp_path / "out.jsonl"
    with Journal(output, fingerprint(source, settings)) as journal:
        for chunk in islice(chunks_of(source, 0, None), 3):
            journal.append(Worker(settings)(chunk))
        journal.append([{"error": "of a chunk that was not finished"}] * 9)
    with journal.path.open("ab") as file:
        file.write(damage)
    seen = []
    run_corpus(source, output, settings, LocalEngine(settings, 0), on_progress=seen.append)
    assert seen[0].done == 3 * CHUNK
    assert output.read_bytes() == (reference / "out.jsonl").read_bytes()


def test_another_input_or_setting_starts_anew(tmp_path, reference, tiny_checkpoint):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.jsonl"))
    prints = {fingerprint(source, settings), fingerprint(source, Settings(summarize=True))}
    write_jsonl(tmp_path / "in.jsonl", 5)
    changed = open_source(str(tmp_path / "in.jsonl"))
    prints.add(fingerprint(changed, settings))
    write_jsonl(tmp_path / "in.jsonl", 6)
    prints.add(fingerprint(changed, settings))
    assert len(prints) == 4


def test_two_runs_to_one_output_do_not_mix(tmp_path, reference, tiny_checkpoint):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.jsonl"))
    output = tmp_path / "out.jsonl"
    with (
        Journal(output, fingerprint(source, settings)),
        pytest.raises(InputError, match="Một lần chạy khác"),
    ):
        run_corpus(source, output, settings, LocalEngine(settings, 0))


def test_a_stopped_engine_keeps_what_is_done(tmp_path, reference, tiny_checkpoint):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.jsonl"))
    seen = []
    engine = LocalEngine(settings, 1, should_stop=lambda: len(seen) >= 3)
    with pytest.raises(Stopped):
        run_corpus(source, tmp_path / "o.csv", settings, engine, on_progress=seen.append)
    assert not (tmp_path / "o.csv").exists()
    run_corpus(source, tmp_path / "o.csv", settings, LocalEngine(settings, 0))
    with (tmp_path / "o.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [str(n) for n in range(600)]


def test_a_full_disk_leaves_the_previous_output(tmp_path, reference, tiny_checkpoint):
    output = tmp_path / "out.jsonl"
    output.write_text("old")
    arguments = command(reference / "in.jsonl", output, tiny_checkpoint, workers=0)

    def no_space():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    full = subprocess.run(
        arguments, env=environment(), capture_output=True, preexec_fn=no_space, timeout=200
    )
    message = " ".join(full.stderr.decode().split())
    assert full.returncode != 0
    assert "Kết quả cũ còn nguyên" in message
    assert output.read_text() == "old"
    subprocess.run(arguments, env=environment(), capture_output=True, timeout=200)
    assert output.read_bytes() == (reference / "out.jsonl").read_bytes()


def test_a_place_that_takes_no_file(tmp_path, reference, tiny_checkpoint):
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.jsonl"))
    with pytest.raises(OSError):
        run_corpus(source, Path("/proc/out.jsonl"), settings, LocalEngine(settings, 0))


def test_an_input_that_changes_meanwhile_is_noticed(tmp_path, tiny_checkpoint):
    write_jsonl(tmp_path / "in.jsonl", 40)
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(tmp_path / "in.jsonl"))

    def shrink(progress):
        if progress.done == 40:
            write_jsonl(tmp_path / "in.jsonl", 39)

    with pytest.raises(InputError, match="đã thay đổi"):
        run_corpus(
            source, tmp_path / "o.jsonl", settings, LocalEngine(settings, 0), on_progress=shrink
        )
    assert not (tmp_path / "o.jsonl").exists()


def test_rows_that_change_places_meanwhile_are_noticed(tmp_path, tiny_checkpoint):
    write_jsonl(tmp_path / "in.jsonl", 40)
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(tmp_path / "in.jsonl"))

    def swap(progress):
        if progress.done == 40:
            lines = (tmp_path / "in.jsonl").read_text().splitlines()
            (tmp_path / "in.jsonl").write_text("\n".join(lines[::-1]) + "\n")

    with pytest.raises(InputError, match="đã thay đổi"):
        run_corpus(
            source, tmp_path / "o.jsonl", settings, LocalEngine(settings, 0), on_progress=swap
        )


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_our_own_output_can_be_classified_again_and_again(tmp_path, tiny_checkpoint, form):
    settings = Settings(checkpoint=tiny_checkpoint)
    write_odd(tmp_path / f"0.{form}")
    for number in range(3):
        source = open_source(str(tmp_path / f"{number}.{form}"))
        output = tmp_path / f"{number + 1}.{form}"
        run_corpus(source, output, settings, LocalEngine(settings, 0))
    row = next(open_source(str(output)).rows()).fields
    assert row["primary (gốc) (gốc) (gốc)"] == "cũ"
    assert row["mã"] == "001"


def test_numbers_that_no_column_holds(tmp_path, tiny_checkpoint):
    settings = Settings(checkpoint=tiny_checkpoint)
    rows = [{"id": 10**20, "n": 2**53 + 1, "k\ud83d": "\uffff", "text": text_of(1)}, {"n": 1.5}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = open_source(str(tmp_path / "in.jsonl"))
    for form in ("parquet", "xlsx", "csv"):
        run_corpus(source, tmp_path / f"o.{form}", settings, LocalEngine(settings, 0))
    first, _ = pq.read_table(tmp_path / "o.parquet").to_pylist()
    assert (first["id"], first["n"]) == (str(10**20), str(2**53 + 1))
    sheet = load_workbook(tmp_path / "o.xlsx").active
    assert sheet["A2"].value == str(10**20)


def test_a_run_killed_while_it_writes_leaves_one_file_that_the_next_removes(
    tmp_path, reference, tiny_checkpoint
):
    output = tmp_path / "out.xlsx"
    with pytest.raises(SystemExit), complete_file(output) as path:
        path.write_bytes(b"half")
        left = path
        raise SystemExit
    left.write_bytes(b"half")  # as SIGKILL leaves it
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(reference / "in.jsonl"))
    run_corpus(source, output, settings, LocalEngine(settings, 0))
    assert [p.name for p in tmp_path.iterdir()] == ["out.xlsx"]


ODD = [
    {"mã": "001", "nội dung": text_of(1), "primary": "cũ", "=x": "=1+1", "số": 3},
    {"mã": "002", "nội dung": text_of(2), "primary": None, "=x": "-5,2", "số": None},
    {"mã": "003", "nội dung": None, "primary": "", "=x": " @SUM(A1)", "số": 4},
]


def write_odd(path: Path) -> None:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ODD))
    elif path.suffix == ".parquet":
        schema = pa.schema(
            [(n, pa.string()) for n in ("mã", "nội dung", "primary", "=x")] + [("số", pa.int16())]
        )
        pq.write_table(pa.Table.from_pylist(ODD, schema), path)
    elif path.suffix == ".xlsx":
        from openpyxl import Workbook

        book = Workbook()
        for row in [{name: name for name in ODD[0]}, *ODD]:
            book.active.append(list(row.values()))
            for cell in book.active[book.active.max_row]:
                cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
        book.save(path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(ODD[0]))
            writer.writeheader()
            writer.writerows(ODD)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "xlsx", "parquet"])
@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx", "parquet"])
def test_every_input_into_every_output(tmp_path, tiny_checkpoint, kind, form):
    write_odd(tmp_path / f"in.{kind}")
    source = open_source(str(tmp_path / f"in.{kind}"))
    settings = Settings(checkpoint=tiny_checkpoint)
    output = tmp_path / f"out.{form}"
    outcome = run_corpus(source, output, settings, LocalEngine(settings, 0))
    assert (outcome.rows, outcome.failed) == (3, 1)
    if form == "jsonl":
        rows = [json.loads(line) for line in output.read_text().splitlines()]
        assert rows[0]["id"] == "001"
        assert set(rows[0]["scores"]) == {"dan_van", "gpmb"}
        assert "error" in rows[2]
    elif form == "csv":
        assert output.read_bytes().startswith(b"\xef\xbb\xbf")
        with output.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows[0]["'=x"] == "'=1+1"
        assert rows[1]["'=x"] == "-5,2"
        assert rows[2]["'=x"] == "' @SUM(A1)"
        assert rows[0]["số"] == "3"
        rows[0]["score_gpmb"] = float(rows[0]["score_gpmb"])
    elif form == "xlsx":
        header, *body = load_workbook(output).active.iter_rows()
        assert {cell.data_type for row in body for cell in row} <= {"s", "n", "inlineStr"}
        names = [cell.value for cell in header]
        rows = [dict(zip(names, [cell.value for cell in row], strict=True)) for row in body]
        assert rows[0]["=x"] == "=1+1"
    else:
        table = pq.read_table(output)
        rows = table.to_pylist()
        assert table.schema.field("themes").type == pa.list_(pa.string())
        assert table.schema.field("score_gpmb").type == pa.float64()
        if kind == "parquet":
            assert table.schema.field("số").type == pa.int16()
            assert [row["số"] for row in rows] == [3, None, 4]
    assert [row["mã"] for row in rows] == ["001", "002", "003"]
    assert rows[0]["nội dung"] == text_of(1)
    assert rows[0]["primary (gốc)"] == "cũ"
    assert not rows[2]["primary (gốc)"]
    assert "Dòng" in rows[2]["error"]
    if form != "jsonl":
        assert 0 < rows[0]["score_gpmb"] < 1


def test_formulas():
    for text in ("=1", "+1+1", "-1+1", "@x", " =1", "\t=1", "- gạch đầu dòng", "＝1"):
        assert is_formula(text)
    for text in ("", "5", "-5", "+84", "-5,2", "a=1", "Xã A – B"):
        assert not is_formula(text)


def test_documents_through_a_run(tmp_path, tiny_checkpoint):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text(text_of(1))
    (folder / "b.html").write_text("<html></html>")
    settings = Settings(checkpoint=tiny_checkpoint)
    source = open_source(str(folder))
    run_corpus(source, tmp_path / "o.jsonl", settings, LocalEngine(settings, 0))
    first, second = map(json.loads, (tmp_path / "o.jsonl").read_text().splitlines())
    assert (first["id"], first["file"], second["id"]) == ("a.txt", "a.txt", "b.html")
    assert "nội dung chính" in second["error"]


def test_a_row_that_breaks_the_model_does_not_stop_the_others(tiny_checkpoint, monkeypatch):
    worker = Worker(Settings(checkpoint=tiny_checkpoint))
    predict = worker.classifier.predict

    def fragile(articles, early_exit):
        if any("7 hộ" in article.text for article in articles):
            raise RuntimeError("no memory")
        return predict(articles, early_exit)

    monkeypatch.setattr(worker.classifier, "predict", fragile)
    results = worker([Row(n, {"text": text_of(n)}) for n in range(4, 9)])
    assert ["error" in result for result in results] == [False, False, False, True, False]


def test_report(tmp_path, tiny_checkpoint):
    themes = {
        "a": {"label": "Chủ đề <A>", "threshold": 0.5},
        "b": {"label": "Chủ đề B", "threshold": 0.4},
    }
    report = Report(themes)
    for n in range(100):
        fields = {"id": n, "title": f"<b>Bài {n}</b>", "ngày": datetime.date(2023 + n // 50, 1, 1)}
        scores = {"a": n / 100, "b": 0.01}
        found = ["a"] if n >= 50 else []
        report.add(Row(n, fields), {"primary": "a", "themes": found, "scores": scores})
    report.add(Row(101, {}), {"error": "Dòng 101: hỏng"})
    page = report.render()
    assert "<b>Bài" not in page
    assert "&lt;b&gt;Bài 50&lt;/b&gt;" in page
    assert "Chủ đề &lt;A&gt;" in page
    assert "Dòng 101: hỏng" in page
    assert (report.rows, report.failed, report.topics["a"], report.untouched) == (101, 1, 50, 50)
    assert sum(report.scores["a"]) == 100
    assert max(d["score"] for *_, d in report.doubts) < 0.7
    assert dict(report.periods())["2024-01"] == {"rows": 50, "a": 50}
    assert [p for p, _ in report.periods()] == [f"2023-{m:02}" for m in range(1, 13)] + ["2024-01"]


def test_dates():
    assert month_of("2024-05-31T10:00:00") == "2024-05"
    assert month_of("Thứ sáu, 31/5/2024, 10:00 (GMT+7)") == "2024-05"
    assert month_of(datetime.datetime(2020, 2, 1)) == "2020-02"
    assert month_of("hôm qua") is month_of(None) is month_of("2024-13") is None
