"""Every kind of input, with what offices really have in it."""

import csv
import datetime
import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.corpus.columns import article_of, find_columns
from model.corpus.documents import read_document
from model.corpus.encoding import decode, find_delimiter, find_encoding
from model.corpus.open_source import open_source
from model.errors import InputError

TEXT = "Phường Bến Thóc giải phóng mặt bằng xong, 47 hộ đã nhận tiền bồi thường."


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_encodings_are_found(tmp_path, encoding, found):
    path = tmp_path / "a.csv"
    path.write_bytes(f"tiêu đề;nội dung\n1;{TEXT}\n".encode(encoding))
    assert find_encoding(path) == found
    assert open_source(str(path)).columns == ["tiêu đề", "nội dung"]
    assert next(open_source(str(path)).rows()).fields["nội dung"].startswith("Phường Bến Thóc")
    assert decode(path.read_bytes()).endswith("bồi thường.\n")


def as_cp1258(text: str) -> bytes:
    """Windows-1258 writes a vowel and, behind it, its tone."""
    import unicodedata

    tones = "\u0300\u0301\u0303\u0309\u0323"
    out = ""
    for character in text:
        parts = unicodedata.normalize("NFD", character)
        tone = "".join(c for c in parts if c in tones)
        out += unicodedata.normalize("NFC", "".join(c for c in parts if c not in tones)) + tone
    return out.encode("cp1258")


def test_windows_1258_is_found_and_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(as_cp1258("tiêu đề;nội dung\r\n" + f"1;{TEXT}\r\n" * 20))
    source = open_source(str(path))
    columns = find_columns(source.columns)
    assert (columns.title, columns.body) == tuple(source.columns)
    article = article_of(list(source.rows())[19].fields, columns)
    assert "giải phóng mặt bằng xong, 47 hộ" in article.text


def test_one_broken_letter_does_not_change_the_encoding_of_all_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(f"id;text\n1;{TEXT}\n2;{TEXT}".encode() + b"\xff\n")
    first, second = open_source(str(path)).rows()
    assert first.fields["text"] == TEXT
    assert first.error is None
    assert "bảng mã" in second.error


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, b""])
def test_what_is_no_table_is_refused(tmp_path, content):
    for suffix in ("csv", "xlsx", "parquet", "zip"):
        path = tmp_path / f"a.{suffix}"
        path.write_bytes(content)
        with pytest.raises(InputError):
            open_source(str(path))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter):
    assert find_delimiter(delimiter.join(["mã", "tiêu đề", "nội dung"])) == delimiter
    assert find_delimiter("text") == ","


def test_csv_with_broken_records(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        f'id;text;text;\n1;"dòng một\ndòng hai";x;y\n\n2;{TEXT};a;b;c;d\n3\n4;"mở mà không đóng\n'
        + f"5;{TEXT};;\n" * 20_000
    )
    source = open_source(str(path))
    assert source.columns == ["id", "text", "text (2)", "cột 4"]
    rows = list(source.rows())
    assert rows[0].fields["text"] == "dòng một\ndòng hai"
    assert rows[1].fields["cột 4"] == "b;c;d"
    assert "6 ô" in rows[1].error
    assert rows[2].fields == {"id": "3", "text": None, "text (2)": None, "cột 4": None}
    assert "ngoặc kép" in rows[3].error
    assert rows[-1].fields["text"] == TEXT  # the open quotation mark did not swallow the rest
    assert source.count() == len(rows)
    assert [row.number for row in source.rows(2)] == [row.number for row in rows[2:]]


def test_usual_names_and_chosen_ones():
    found = find_columns(["STT", "Tiêu_đề", "Sapo", "NỘI DUNG", "Ngày đăng", "ghi chú"])
    assert (found.id, found.title, found.lead) == ("STT", "Tiêu_đề", "Sapo")
    assert (found.body, found.date) == ("NỘI DUNG", "Ngày đăng")
    chosen = find_columns(["tiêu đề", "phần 1", "phần 2", "nội dung"], ["phần 2", "tieu de"])
    assert (chosen.title, chosen.body_parts, chosen.body) == ("tiêu đề", ("phần 2",), None)
    with pytest.raises(InputError, match="phần 3"):
        find_columns(["phần 1"], ["phần 3"])
    article = article_of({"tiêu đề": "Một tiêu đề bài", "phần 2": TEXT}, chosen)
    assert (article.title, article.paragraphs) == ("Một tiêu đề bài", (TEXT,))


def test_workbooks(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "trống"
    sheet = book.create_sheet("bài")
    sheet.append([None])
    sheet.append(["Mã", "Nội dung", "Ngày", None, None])
    sheet.append([1, TEXT, datetime.datetime(2024, 5, 31), None, None])
    sheet.append([None, None, None, None, None])
    sheet.append([2, TEXT, None, None, None])
    path = tmp_path / "a.xlsx"
    book.save(path)
    source = open_source(str(path))
    assert source.columns == ["Mã", "Nội dung", "Ngày"]
    first, second = source.rows()
    assert (first.number, second.number) == (3, 5)
    assert first.fields["Ngày"] == datetime.datetime(2024, 5, 31)
    assert source.count() == 2
    assert next(source.rows(1)) == second


def test_parquet_files_and_saved_datasets(tmp_path):
    from datasets import Dataset, DatasetDict

    rows = [{"id": n, "text": f"{TEXT} {n}"} for n in range(1000)]
    folder = tmp_path / "parts"
    folder.mkdir()
    table = pa.Table.from_pylist(rows)
    pq.write_table(table.slice(0, 600), folder / "0.parquet", row_group_size=100)
    pq.write_table(table.slice(600), folder / "1.parquet", row_group_size=150)
    Dataset.from_list(rows).save_to_disk(tmp_path / "saved", num_shards=3)
    DatasetDict(
        test=Dataset.from_list(rows[:400]), train=Dataset.from_list(rows[400:])
    ).save_to_disk(tmp_path / "splits")
    for name in ("parts", "saved", "splits"):
        source = open_source(str(tmp_path / name))
        assert source.count() == 1000
        assert [row.fields for row in source.rows()] == rows
        for start in (0, 99, 100, 599, 600, 601, 999, 1000):
            assert [row.fields["id"] for row in source.rows(start)] == list(range(start, 1000))
    address = (folder / "0.parquet").as_uri()
    assert open_source(address).count() == 600
    assert open_source(folder.as_uri() + "/").count() == 1000
    with pytest.raises(InputError):
        open_source("nowhere://bucket/a.parquet")


def make_docx(*lines):
    import docx

    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    document.add_table(1, 2).rows[0].cells[0].text = "ô đầu bảng"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def make_pdf(*lines):
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": 42}):
        figure = Figure(figsize=(8, 11))
        for number, line in enumerate(lines):
            figure.text(0.05, 0.9 - 0.04 * number, line, size=8)
        stream = io.BytesIO()
        figure.savefig(stream, format="pdf")
    return stream.getvalue()


PAGE = f"""<html><head><title>Bến Thóc xong mặt bằng cầu Sông Mơ</title></head><body>
<nav><a href="/">Trang chủ</a> <a href="/x">Thể thao</a></nav>
<article><h1>Bến Thóc xong mặt bằng cầu Sông Mơ</h1>{f"<p>{TEXT} Nhà thầu thi công ngay.</p>" * 4}
</article><footer>Bản quyền thuộc về báo</footer></body></html>"""


def test_documents_of_every_kind():
    assert TEXT in read_document("a.TXT", f"Tiêu đề\n\n{TEXT}".encode("utf-16")).text
    page = read_document("a.html", PAGE.encode())
    assert page.title == "Bến Thóc xong mặt bằng cầu Sông Mơ"
    assert "Trang chủ" not in page.text
    assert TEXT in page.text
    assert "ô đầu bảng" in read_document("a.docx", make_docx("Tiêu đề bài", TEXT)).text
    assert "giải phóng mặt bằng" in read_document("a.pdf", make_pdf(TEXT, TEXT)).text


def test_bad_documents_say_what_is_wrong(monkeypatch):
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf(TEXT))))
    writer.encrypt("mật khẩu")
    locked = io.BytesIO()
    writer.write(locked)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(201 << 20))
    cases = [
        ("a.pdf", make_pdf(), "lớp chữ"),
        ("a.pdf", locked.getvalue(), "mật khẩu"),
        ("a.pdf", b"%PDF-1.7 broken", "không đọc được"),
        ("a.docx", bomb.getvalue(), "quá lớn"),
        ("a.docx", b"PK broken", "không đọc được"),
        ("a.html", b"<html></html>", "nội dung chính"),
        ("a.txt", bytes(range(256)) * 9, "nhị phân"),
        ("a.txt", b"", "Chưa có nội dung"),
        ("a.txt", b"a" * ((30 << 20) + 1), "30 MB"),
    ]
    for name, data, message in cases:
        with pytest.raises(InputError, match=message):
            read_document(name, data)


def test_folders_and_archives_of_documents(tmp_path):
    folder = tmp_path / "docs"
    (folder / "2024").mkdir(parents=True)
    (folder / "b.txt").write_text(TEXT)
    (folder / "2024" / "a.html").write_text(PAGE)
    (folder / "2024" / "~$a.docx").write_text("lock")
    (folder / ".hidden.txt").write_text(TEXT)
    (folder / "notes.md").write_text(TEXT)
    (tmp_path / "secret.txt").write_text(TEXT)
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    archive = tmp_path / "docs.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(folder.rglob("*.*")):
            target.write(path, path.relative_to(folder))
        target.writestr("../../evil.txt", TEXT)
    rows = list(open_source(str(folder)).rows())
    assert [row.fields["file"] for row in rows] == ["2024/a.html", "b.txt"]
    assert rows[1].document() == TEXT.encode()
    zipped = open_source(str(archive))
    names = [row.fields["file"] for row in zipped.rows()]
    assert names == ["../../evil.txt", "2024/a.html", "b.txt", "link.txt"]
    assert [row.document() for row in zipped.rows()][2] == TEXT.encode()
    assert zipped.count() == 4
    assert [row.number for row in zipped.rows(2)] == [3, 4]


def test_json_lines_of_all_sorts(tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf" + json.dumps({"id": 1, "text": TEXT}).encode() + b"\r\n\r\n")
        file.write(b"[1]\n{broken\n" + b"[" * 100_000 + b"\n\xff\xfe\n")
        file.write(json.dumps({"id": 2}).encode())
    rows = list(open_source(str(path)).rows())
    assert [row.number for row in rows] == [1, 3, 4, 5, 6, 7]
    assert [row.error is None for row in rows] == [True, False, False, False, False, True]
    assert rows[0].fields == {"id": 1, "text": TEXT}
    assert list(open_source(str(path)).rows(4)) == rows[4:]


def test_csv_dialects_agree(tmp_path):
    rows = [["id", "nội dung"], ["1", 'có "ngoặc", phẩy; và\nxuống dòng'], ["2", TEXT]]
    for suffix, delimiter in (("csv", ","), ("csv", ";"), ("tsv", "\t")):
        path = tmp_path / f"a.{suffix}"
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        read = open_source(str(path))
        assert [list(row.fields.values()) for row in read.rows()] == rows[1:]


def test_a_quotation_mark_left_open_swallows_nothing(tmp_path):
    path = tmp_path / "a.csv"
    for behind in (10, 30_000):  # up to the end of the file, and past the longest record
        rows = "".join(f"{n};{TEXT}\n" for n in range(2, 2 + behind))
        path.write_text(f'id;text\n1;"mở mà không đóng\n{rows}')
        source = open_source(str(path))
        first, *others = source.rows()
        assert "ngoặc kép" in first.error
        assert [row.fields["id"] for row in others] == [str(n) for n in range(2, 2 + behind)]
        assert source.count() == behind + 1


def test_a_source_reads_the_same_in_another_process(tmp_path):
    import pickle
    import subprocess
    import sys

    path = tmp_path / "a.csv"
    long = "\n".join([TEXT] * 2_500)
    path.write_text(f'id;text\n1;"{long}"\n' + f"2;{TEXT}\n" * 9)
    source = open_source(str(path))
    (tmp_path / "source").write_bytes(pickle.dumps(source))
    script = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).count())"
    command = [sys.executable, "-c", script, str(tmp_path / "source")]
    assert int(subprocess.check_output(command)) == source.count() == 10


def test_parquet_parts_of_other_types(tmp_path):
    for number, values in enumerate(([1, 2], [1.5, None])):
        pq.write_table(pa.table({"n": values, "text": [TEXT] * 2}), tmp_path / f"{number}.parquet")
    source = open_source(str(tmp_path))
    assert source.schema.field("n").type == pa.float64()
    pq.write_table(pa.table({"n": ["một"], "text": [TEXT]}), tmp_path / "2.parquet")
    with pytest.raises(InputError, match="kiểu"):
        open_source(str(tmp_path))


def test_cells_that_python_cannot_hold_cost_their_row_only(tmp_path):
    stamps = pa.array([0, 10**15, 0], pa.timestamp("ms"))
    pq.write_table(pa.table({"text": [TEXT] * 3, "khi": stamps}), tmp_path / "a.parquet")
    rows = list(open_source(str(tmp_path / "a.parquet")).rows())
    assert [row.error is None for row in rows] == [True, False, True]


def test_names_that_are_hard(tmp_path):
    assert find_columns(["标题", "内容"], ["内容"]).body_parts == ("内容",)
    both = find_columns(["tieu de", "tiêu đề", "x"], ["x"])
    assert both.body_parts == ("x",)
    assert find_delimiter('"tiêu đề, tóm tắt";"nội dung"') == ";"
    folder = tmp_path / "docs"
    folder.mkdir()
    name = b"b\xe0i.txt"
    (folder / name.decode("utf-8", "surrogateescape")).write_text(TEXT)
    source = open_source(str(folder))
    assert source.identity()
    assert next(source.rows()).document() == TEXT.encode()


def test_utf_16_json_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": n, "text": TEXT}) + "\n" for n in range(3)), "utf-16")
    assert [row.fields["id"] for row in open_source(str(path)).rows()] == [0, 1, 2]


def test_a_document_that_takes_too_long_is_given_up(monkeypatch):
    import time

    monkeypatch.setattr("model.corpus.documents.MAX_SECONDS", 0.2)
    monkeypatch.setattr("model.corpus.documents.read_html", lambda data: time.sleep(30))
    with pytest.raises(InputError, match="giây"):
        read_document("a.html", b"<html>")
