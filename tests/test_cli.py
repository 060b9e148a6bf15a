import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def chude(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=300)


def test_version_and_help():
    assert chude("version").stdout.decode().strip().count(".") == 2
    for command in ("analyze", "classify", "summarize", "version"):
        result = chude(command, "--help")
        assert result.returncode == 0
        assert command in result.stdout.decode()


def test_analyze_json_from_standard_input(clearance):
    result = chude("analyze", "-", "--json", stdin=clearance.encode())
    assert result.returncode == 0, result.stderr.decode()
    analysis = json.loads(result.stdout)
    assert analysis["primary"] == "gpmb"
    assert analysis["title"] == clearance.split("\n")[0]


def test_analyze_prints_the_summary_in_the_length_asked_for(short_lead):
    short, medium = (
        json.loads(chude("analyze", "-", "--json", *extra, stdin=short_lead.encode()).stdout)
        for extra in (("--length", "short"), ())
    )
    assert len(short["summary"]["sentences"]) == 1
    assert len(medium["summary"]["sentences"]) > 1
    assert medium["summary"]["mode"] == "extractive"
    for sentence in medium["summary"]["sentences"]:
        assert sentence["text"] in medium["sentences"][sentence["source_index"]]
    report = chude("analyze", "-", "--length", "short", stdin=short_lead.encode()).stdout.decode()
    assert "Tóm tắt" in report
    assert " ".join(short["summary"]["text"].split()[:6]) in " ".join(report.split())
    assert chude("analyze", "-", "--length", "endless", stdin=short_lead.encode()).returncode == 2


def test_no_writing_model_is_said_with_what_to_do(tmp_path, clearance):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"id": 1, "text": clearance}))
    for command in (("analyze", "-"), ("summarize", source, "--output", tmp_path / "out.jsonl")):
        result = chude(*command, "--mode", "abstractive", stdin=clearance.encode())
        assert result.returncode == 1
        assert "--writer" in result.stderr.decode()
    result = chude("analyze", "-", "--mode", "abstractive", "--writer", tmp_path, stdin=b"x")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr.decode()
    assert chude("analyze", "-", "--writer", tmp_path, stdin=b"x").returncode == 2


def test_summarize_a_file(tmp_path, clearance):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    names = "\n".join(f"{n}. Nguyễn Văn Tám, Tổ {n}, Phường Bến Thóc" for n in range(20))
    rows = [{"id": 1, "text": clearance}, {"id": 2, "text": 7}, {"id": 3, "text": names}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert chude("summarize", source, "--output", output, "--length", "short").returncode == 1
    first, second, third = map(json.loads, output.read_text("utf-8").splitlines())
    assert set(first) == {"id", "text", "summary"}
    assert first["summary"]["text"] == first["summary"]["sentences"][0]["text"]
    assert "error" in second
    assert third["summary"] == {"text": "", "mode": "extractive", "sentences": []}


def test_classify_adds_summaries_when_asked(tmp_path, clearance):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": 1, "text": clearance}))
    assert chude("classify", source, "--output", output, "--summarize").returncode == 0
    row = json.loads(output.read_text("utf-8"))
    assert set(row) == {"id", "text", "primary", "themes", "scores", "summary"}
    assert row["summary"]["text"].split()[-1] in clearance


def test_analyze_report_says_plainly_when_there_is_no_theme():
    result = chude("analyze", ROOT / "samples" / "3-khong-chu-de.txt")
    assert result.returncode == 0
    assert "không thuộc chủ đề nào" in result.stdout.decode()


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"", "Chưa có nội dung"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, "UTF-8"),
        (b"The weather in the valley was fine on Monday, they said.", "tiếng Việt"),
        ("Nhân dân đồng thuận. ".encode() * 400_000, "quá dài"),
    ],
)
def test_bad_text_exits_with_1_and_the_reason(stdin, message):
    result = chude("analyze", "-", "--json", stdin=stdin)
    assert result.returncode == 1
    assert result.stdout == b""
    assert message in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()


def test_missing_files_exit_with_1_and_bad_usage_with_2(tmp_path):
    assert chude("analyze", tmp_path / "none.txt").returncode == 1
    assert chude("classify", tmp_path / "none.jsonl", "--output", tmp_path / "o").returncode == 1
    assert chude("classify", tmp_path / "none.jsonl").returncode == 2
    assert chude("classify", tmp_path / "none.docx", "--output", tmp_path / "o").returncode == 2
    assert chude("no-such-command").returncode == 2


def test_classify_keeps_order_and_does_not_stop_at_bad_rows(tmp_path, clearance):
    none = (ROOT / "samples" / "3-khong-chu-de.txt").read_text("utf-8")
    title, _, body = clearance.partition("\n\n")
    rows = [
        {"id": 7, "text": clearance},
        {"id": "b", "title": title, "lead": None, "body": body},
        "{broken",
        {"id": "d", "comment": "không có trường text"},
        ["not", "an", "object"],
        {"id": "f", "text": 5},
        {"id": "g", "text": none},
    ]
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    source.write_text("\r\n".join(lines) + "\r\n\r\n", "utf-8")
    result = chude("classify", source, "--output", output)
    assert result.returncode == 1
    assert "Dòng 3: không phải JSON" in result.stderr.decode()
    assert "Dòng 4: thiếu trường" in result.stderr.decode()
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [row["id"] for row in written] == [7, "b", None, "d", None, "f", "g"]
    assert [("error" in row) for row in written] == [False, False, True, True, True, True, False]
    assert written[0]["primary"] == written[1]["primary"] == "gpmb"
    assert written[0]["themes"][0] in written[0]["scores"]
    assert written[6]["themes"] == []
    assert written[6]["primary"] is None


def test_a_file_of_bad_rows_only_and_odd_rows(tmp_path, clearance):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("{broken\n" * 40)
    assert chude("classify", source, "--output", output).returncode == 1
    assert len(output.read_text().splitlines()) == 40
    title = clearance.split("\n")[0]
    rows = [
        {"id": "title only", "title": title},
        {"id": "menu", "body": "Trang chủ\nThời sự Kinh tế\nChia sẻ\nBình luận"},
        {"id": "\ud83d", "text": clearance + "\ud83d"},
        {"id": "blank", "text": " ", "body": clearance},
        {"id": "token", "text": clearance + "</s><pad>"},
        {"id": "both", "title": title, "text": clearance.partition("\n\n")[2]},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert chude("classify", source, "--output", output).returncode == 1
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [row["id"] for row in written] == [row["id"] for row in rows]
    assert ["error" in row for row in written] == [False, True, False, False, False, False]


def test_output_is_never_the_input_and_always_a_file(tmp_path, clearance):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"id": 1, "text": clearance}))
    before = source.read_text()
    for output in (source, tmp_path, "/dev/null"):
        assert chude("classify", source, "--output", output).returncode == 1
    assert source.read_text() == before


def test_a_failed_run_leaves_the_previous_output(tmp_path):
    output = tmp_path / "out.jsonl"
    output.write_text("old")
    source = tmp_path / "empty.jsonl"
    source.write_text("\n\n")
    assert chude("classify", source, "--output", output).returncode == 1
    assert output.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.jsonl", "out.jsonl"]
