"""Labels of users: nothing lost, nothing guessed, and every doubt about a file told."""

import csv
import json
import os
import pty
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from cli.main import app
from labels.exporting import export_labels
from labels.importing import find_changes, read_labels, store_reading
from labels.names import MAX_NAME, find_theme, similar_theme, split_names, theme_key
from labels.store import ABSENT, HELD_OUT_EVERY, MAIN, Labelled, LabelStore, article_id
from labels.suggest import COLUMNS, suggest
from labels.summary import count_labels
from labels.tables import write_table
from model.article import Article
from model.classifier import ThemeClassifier
from model.corpus.open_source import open_source
from model.errors import InputError
from model.registry import ModelRegistry
from tests.conftest import ROOT, python

THEMES = {
    "dan_van": "Dân vận",
    "cai_cach_hanh_chinh": "Cải cách hành chính",
    "bau_cu": "Bầu cử (Quốc hội, HĐND)",
    "gpmb": "Giải phóng mặt bằng",
}
ROAD = "Xã Tân Mơ vận động các hộ ở thôn Đoài hiến đất mở đường, bà con đồng thuận rất cao."
LAND = "Huyện Sông Lam bàn giao mặt bằng cho dự án cầu Gò Lim sau bốn tháng chậm trễ vì giá đất."
VOTE = "Tổ bầu cử số 3 phường Bến Thóc niêm yết danh sách cử tri tại nhà văn hóa từ sáng nay."
WORDS = ["nhà", "đường", "cầu", "chợ", "trường", "bến", "làng", "ruộng", "mương", "đình", "giếng"]


def text_of(number: int) -> str:
    """Texts that a random model scores differently."""
    words = random.Random(number).choices(WORDS, k=8 + number % 40)
    return f"Bà Trần Thị Mận ở tổ {number} phường Bến Thóc kể về " + ", ".join(words) + " xưa."


def labelled(number: int, implied: tuple[str, ...] = (), **grades: int) -> Labelled:
    return Labelled(f"b{number}", Article.from_text(text_of(number)), grades, frozenset(implied))


def write_jsonl(path: Path, *rows: Any) -> str:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(path)


def write_csv(path: Path, *rows: list[str]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return str(path)


def write_xlsx(path: Path, *rows: list[Any]) -> str:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return str(path)


def history(store: LabelStore) -> list[tuple]:
    with sqlite3.connect(store.path) as database:
        return database.execute(
            "SELECT theme, grade, stated, author, source FROM labels ORDER BY number"
        ).fetchall()


def grades_by_id(store: LabelStore) -> dict[str, dict[str, int]]:
    return {item.id: item.grades for item in store.articles()}


# The store


def test_a_later_label_wins_and_the_earlier_one_stays_in_the_history(tmp_path):
    store = LabelStore(tmp_path)
    assert store.add([labelled(1, gpmb=2, dan_van=0)], "Lan", "tệp 1") == 2
    assert store.add([labelled(1, gpmb=1)], "Hùng", "trang") == 1
    [item] = store.articles()
    assert item.grades == {"gpmb": 1, "dan_van": 0}
    assert (item.labels["gpmb"].author, item.labels["gpmb"].source) == ("Hùng", "trang")
    assert (item.labels["dan_van"].author, item.labels["dan_van"].stated) == ("Lan", True)
    assert history(store) == [
        ("gpmb", 2, 1, "Lan", "tệp 1"),
        ("dan_van", 0, 1, "Lan", "tệp 1"),
        ("gpmb", 1, 1, "Hùng", "trang"),
    ]


def test_what_is_said_again_is_nothing_new(tmp_path):
    store = LabelStore(tmp_path)
    article = Article.from_text(ROAD)
    shouted = Article.from_text(ROAD.upper().replace(" ", "  "))
    assert store.add([Labelled("1", article, {"dan_van": 2})], "Lan", "a") == 1
    assert store.add([Labelled("2", shouted, {"dan_van": 2})], "Hùng", "b") == 0
    [item] = store.articles()
    assert (item.name, item.article, item.labels["dan_van"].author) == ("1", article, "Lan")
    assert store.grades(shouted) == {"dan_van": 2}
    assert store.grades(Article.from_text(LAND)) == {}


def test_an_article_comes_back_as_it_was(tmp_path):
    store = LabelStore(tmp_path)
    whole = Article("Cầu Gò Lim", "Lời dẫn về cầu.", (LAND, "Ông nói: “Dân 'đồng thuận'; 9 hộ.”"))
    alone = Article("Chỉ có một tiêu đề về xã Tân Mơ và bà con thôn Đoài")
    store.add([Labelled("w", whole, {"gpmb": 2}), Labelled("", alone, {"gpmb": 0})], "Lan", "a")
    assert [item.article for item in store.articles()] == [whole, alone]


def test_an_implied_no_never_overrides_what_somebody_has_stated(tmp_path):
    store = LabelStore(tmp_path)
    store.add([labelled(1, gpmb=2)], "Lan", "a")
    assert store.add([labelled(1, ("gpmb",), gpmb=0, dan_van=2)], "máy", "b") == 1
    assert store.grades(labelled(1).article) == {"gpmb": 2, "dan_van": 2}
    assert store.add([labelled(2, ("gpmb",), gpmb=0)], "máy", "b") == 1
    assert not store.articles()[1].labels["gpmb"].stated
    # The other way round it does, and saying what was only implied is news.
    assert store.add([labelled(2, gpmb=0)], "Lan", "c") == 1
    assert store.articles()[1].labels["gpmb"].stated
    assert store.add([labelled(2, ("gpmb",), gpmb=0)], "máy", "d") == 0
    assert store.add([labelled(3, ("gpmb",), gpmb=0)], "máy", "d") == 1
    assert store.add([labelled(3, gpmb=2)], "Lan", "e") == 1
    assert store.grades(labelled(3).article) == {"gpmb": 2}


def test_every_fourth_article_of_a_kind_is_held_out_and_stays_so(tmp_path):
    store = LabelStore(tmp_path)
    for number in range(10):  # one by one, two kinds in turn
        store.add([labelled(number, gpmb=2), labelled(100 + number, dan_van=2)], "Lan", "a")
    store.add([labelled(200 + n, gpmb=0) for n in range(8)], "Lan", "a")
    held_out = {item.name for item in store.articles() if item.held_out}
    assert HELD_OUT_EVERY == 4
    assert held_out == {"b3", "b7", "b103", "b107", "b203", "b207"}
    store.add([labelled(n, gpmb=n % 3, dan_van=2) for n in range(10)], "Hùng", "b")
    store.add([labelled(300, gpmb=2), labelled(301, gpmb=2)], "Hùng", "b")
    held_out |= {"b301"}  # the twelfth of its kind
    assert {item.name for item in LabelStore(tmp_path).articles() if item.held_out} == held_out


def test_a_call_that_fails_stores_nothing(tmp_path):
    store = LabelStore(tmp_path)

    def interrupted() -> Iterator[Labelled]:
        yield labelled(1, gpmb=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(interrupted(), "Lan", "a")
    with pytest.raises(InputError, match="Không dùng được kho nhãn"):
        store.add([labelled(1, gpmb=2), labelled(2, gpmb=3)], "Lan", "a")
    assert store.articles() == []
    assert store.add([labelled(1, gpmb=2)], "Lan", "a") == 1


TWO_WRITERS = """
import sys, time
from pathlib import Path
from labels.store import ABSENT, MAIN, Labelled, LabelStore
from model.article import Article
folder, author = sys.argv[1:]
def items(number):
    own = Article(f"Bài thứ {number} của {author} về bà con thôn Đoài xã Tân Mơ")
    yield Labelled("", own, {"gpmb": 2})
    time.sleep(0.003)  # in the middle of a transaction
    shared = Article("Bài mà cả hai người cùng gán nhãn về xã Tân Mơ")
    yield Labelled("", shared, {"dan_van": number % 3})
print("sẵn sàng", flush=True)
sys.stdin.readline()
store, new = LabelStore(Path(folder)), 0
for number in range(40):
    new += store.add(items(number), author, "thử")
    time.sleep(0.003)  # the other one's turn
print(new)
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    folder = tmp_path / "not" / "there yet"
    writers = [python(TWO_WRITERS, folder, author) for author in ("Lan", "Hùng")]
    for writer in writers:
        assert writer.stdout.readline() == "sẵn sàng\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    new = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    store = LabelStore(folder)
    labels = history(store)
    assert len(labels) == sum(new)
    authors = [by for *_, by, _ in labels]
    assert sum(one != other for one, other in pairwise(authors)) > 1  # they did write at once
    for author in ("Lan", "Hùng"):
        assert sum(by == author and theme == "gpmb" for theme, _, _, by, _ in labels) == 40
    articles = store.articles()
    assert len(articles) == 81
    assert sum(item.held_out for item in articles if "gpmb" in item.labels) == 20
    [shared] = [item for item in articles if "dan_van" in item.labels]
    assert shared.grades == {"dan_van": [g for theme, g, *_ in labels if theme == "dan_van"][-1]}


LONG_ADD = """
import sys
from pathlib import Path
from labels.store import ABSENT, MAIN, Labelled, LabelStore
from model.article import Article
def many():
    for number in range(10**6):
        if number == 1000:
            print("giữa chừng", flush=True)
        text = f"Tổ {number} xã Tân Mơ bàn giao mặt bằng cho dự án cầu Gò Lim. " * 100
        yield Labelled(str(number), Article(f"Bài {number}", "", (text,)), {"gpmb": 2})
LabelStore(Path(sys.argv[1])).add(many(), "máy", "tệp dài")
"""


def test_a_process_killed_in_the_middle_of_a_long_add_leaves_the_store_as_it_was(tmp_path):
    store = LabelStore(tmp_path)
    store.add([labelled(n, gpmb=2) for n in range(3)], "Lan", "a")
    before, size = store.articles(), store.path.stat().st_size
    killed = python(LONG_ADD, tmp_path)
    assert killed.stdout.readline() == "giữa chừng\n"
    assert killed.poll() is None
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait(30) == -signal.SIGKILL
    assert store.path.stat().st_size > size + 1_000_000  # part of it had reached the disk
    assert store.articles() == before
    with sqlite3.connect(store.path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert store.add([labelled(3, gpmb=2)], "Lan", "b") == 1
    assert [item.held_out for item in store.articles()] == [False, False, False, True]


@pytest.mark.parametrize("content", [b"Khong phai SQLite. " * 400, b"\x00" * 5000, "cut"])
def test_a_file_that_is_no_store_is_told_and_left_alone(tmp_path, content):
    store = LabelStore(tmp_path)
    if content == "cut":
        store.add([labelled(n, gpmb=2) for n in range(200)], "Lan", "a")
        content = store.path.read_bytes()[:40_000]
    store.path.write_bytes(content)
    article = labelled(1).article
    for use in (
        store.articles,
        lambda: store.grades(article),
        lambda: store.themes(THEMES),
        lambda: store.add([labelled(1, gpmb=2)], "Lan", "a"),
        lambda: store.name_theme("moi", "Mới"),
    ):
        with pytest.raises(InputError, match=r"Không dùng được kho nhãn '.*labels\.sqlite'"):
            use()
    assert store.path.read_bytes() == content


def test_a_store_that_is_not_there_is_empty_and_is_not_made_by_reading(own_home):
    store = LabelStore()
    assert store.path == own_home / "labels.sqlite"
    assert store.articles() == []
    assert store.grades(labelled(1).article) == {}
    assert store.themes(THEMES) == THEMES
    assert not own_home.exists()
    store.add([labelled(1, gpmb=2)], "Lan", "a")
    assert len(LabelStore(own_home).articles()) == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    store = LabelStore(tmp_path / "file" / "home")
    assert store.articles() == []
    with pytest.raises(InputError, match="Không dùng được kho nhãn"):
        store.add([labelled(1, gpmb=2)], "Lan", "a")
    (tmp_path / "labels.sqlite").mkdir()
    with pytest.raises(InputError, match="Không dùng được kho nhãn"):
        LabelStore(tmp_path).articles()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of this machine may read."""
    folder = Path(tempfile.mkdtemp(prefix="chude-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def no_root() -> Iterator[None]:
    """Modes of files say nothing to root."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(65534)
    except OSError:
        pytest.skip("this container has no other user")
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_can_only_be_read_still_can_be_read(open_folder):
    store = LabelStore(open_folder)
    store.add([labelled(1, gpmb=2)], "Lan", "a")
    store.path.chmod(0o444)
    open_folder.chmod(0o555)
    with no_root():
        assert store.grades(labelled(1).article) == {"gpmb": 2}
        assert len(store.articles()) == 1
        with pytest.raises(InputError, match="Không dùng được kho nhãn"):
            store.add([labelled(2, gpmb=2)], "Lan", "a")
        with pytest.raises(InputError, match="Không dùng được kho nhãn"):
            LabelStore(open_folder / "new").add([labelled(2, gpmb=2)], "Lan", "a")
    assert len(store.articles()) == 1


def test_themes_are_named_removed_and_taken_back(tmp_path):
    store = LabelStore(tmp_path)
    store.name_theme("thue_dat", "Thuế đất")
    store.name_theme("gpmb", "Mặt bằng")
    store.remove_theme("bau_cu", THEMES["bau_cu"])
    store.remove_theme("khong_co", "Không có")
    assert store.themes(THEMES) == {
        "dan_van": "Dân vận",
        "cai_cach_hanh_chinh": "Cải cách hành chính",
        "gpmb": "Mặt bằng",
        "thue_dat": "Thuế đất",
    }
    store.name_theme("bau_cu", "Bầu cử")
    assert store.themes(THEMES)["bau_cu"] == "Bầu cử"
    assert list(store.themes({})) == ["thue_dat", "gpmb", "bau_cu"]


def test_labels_are_counted_theme_by_theme(tmp_path):
    store = LabelStore(tmp_path)
    store.add([labelled(n, gpmb=2, dan_van=0) for n in range(5)], "Lan", "a")
    store.add([labelled(9, gpmb=1)], "Lan", "a")
    counts = {c.theme: c for c in count_labels(store.articles(), THEMES)}
    assert list(counts) == list(THEMES)
    gpmb, dan_van, bau_cu = counts["gpmb"], counts["dan_van"], counts["bau_cu"]
    assert (gpmb.main, gpmb.touched, gpmb.absent, gpmb.held_out) == (5, 1, 0, 1)
    assert (dan_van.main, dan_van.touched, dan_van.absent, dan_van.held_out) == (0, 0, 5, 1)
    assert (bau_cu.main, bau_cu.touched, bau_cu.absent, bau_cu.held_out) == (0, 0, 0, 0)
    assert bau_cu.label == THEMES["bau_cu"]


# Names


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Chuyển đổi số", "chuyen_doi_so"),
        ("  Đất đai – ĐÔ THỊ  ", "dat_dai_do_thi"),
        ("Chuye\u0302\u0309n đổi số", "chuyen_doi_so"),  # the accents apart
        ("nông_thôn mới 2030", "nong_thon_moi_2030"),
        ("Thuế (đất, nhà)", "thue_dat_nha"),
        ("ơ" * MAX_NAME, "o" * MAX_NAME),
    ],
)
def test_the_key_of_a_new_theme(name, key):
    assert theme_key(name) == key


@pytest.mark.parametrize("name", ["", "  ", "2030", "?", "…", "中文", "ơ" * (MAX_NAME + 1)])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InputError, match="không dùng làm tên chủ đề được"):
        theme_key(name)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("dan_van", "dan_van"),
        ("DÂN VẬN", "dan_van"),
        ("dan van", "dan_van"),
        ("Da\u0302n va\u0323\u0302n", "dan_van"),
        ("  dân - vận ", "dan_van"),
        ("Bầu cử", "bau_cu"),
        ("bầu cử (quốc hội, HĐND)", "bau_cu"),
        ("bau cu quoc hoi hdnd", "bau_cu"),
        ("Đan van", "dan_van"),
        ("Dân số", None),
        ("Bầu cử Quốc hội", None),
        ("Dân vận khéo", None),
    ],
)
def test_a_theme_is_found_by_key_or_name_whatever_its_case_and_accents(name, key):
    assert find_theme(name, THEMES) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Dân vậm", "dan_van"),
        ("gpbm", None),
        ("gpmbb", "gpmb"),
        ("Giải phóng mặt bàn", "gpmb"),
        ("Cải cách hành chánh", "cai_cach_hanh_chinh"),
        ("bầu cử quốc hội", "bau_cu"),
        ("Thể thao", None),
        ("Chuyển đổi số", None),
    ],
)
def test_what_somebody_may_have_meant(name, key):
    assert similar_theme(name, THEMES) == key


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("", []),
        (" ; ", []),
        ("Dân vận", ["Dân vận"]),
        ("Dân vận; gpmb", ["Dân vận", "gpmb"]),
        ("Dân vận | gpmb|", ["Dân vận", "gpmb"]),
        ("Dân vận\ngpmb", ["Dân vận", "gpmb"]),
        ("Dân vận, gpmb", ["Dân vận", "gpmb"]),
        ("gpmb,gpmb", ["gpmb"]),
        ("Bầu cử (Quốc hội, HĐND)", ["Bầu cử (Quốc hội, HĐND)"]),
        ("Bầu cử (Quốc hội, HĐND), Dân vận", ["Bầu cử (Quốc hội, HĐND)", "Dân vận"]),
        ("Dân vận, Bầu cử (Quốc hội, HĐND)", ["Dân vận", "Bầu cử (Quốc hội, HĐND)"]),
        ("Bầu cử (Quốc hội, HĐND); Thuế, phí", ["Bầu cử (Quốc hội, HĐND)", "Thuế, phí"]),
    ],
)
def test_the_names_of_a_cell(cell, names):
    assert split_names(cell, THEMES) == names


def test_a_known_name_with_a_comma_is_one_name():
    assert split_names("Nông, lâm nghiệp", THEMES | {"nong_lam": "Nông, lâm nghiệp"}) == [
        "Nông, lâm nghiệp"
    ]


# Import


def test_jsonl_with_texts_and_with_fields(tmp_path):
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"id": 7, "text": f"{ROAD}\n{LAND}", "labels": ["Dân vận", "GPMB"]},
        {"id": "k", "title": "Niêm yết danh sách", "lead": "Sáng nay.", "body": VOTE, "labels": []},
        {
            "title": "Cầu Gò Lim",
            "body": LAND,
            "labels": "giải phóng mặt bằng",
            "touched": "dan_van",
        },
    )
    reading = read_labels(source, THEMES)
    assert reading.source == "a.jsonl"
    assert (reading.problems, reading.new, reading.duplicates, reading.unread) == ([], {}, 0, 0)
    first, second, third = reading.labelled
    assert [item.name for item in reading.labelled] == ["7", "k", ""]
    assert first.article.text == f"{ROAD}\n{LAND}"
    assert (second.article.title, second.article.lead) == ("Niêm yết danh sách", "Sáng nay.")
    assert first.grades == {"dan_van": 2, "gpmb": 2}
    assert second.grades == {"dan_van": 0, "gpmb": 0}
    assert second.implied == {"dan_van", "gpmb"}
    assert third.grades == {"dan_van": 1, "gpmb": 2}
    assert not third.implied
    assert reading.count(2) == {"dan_van": 1, "gpmb": 2}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_an_office_with_several_labels_in_a_cell(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["STT", "Tiêu đề", "nội dung", "Nhãn", "Ghi chú"])
        writer.writerow([1, "Thôn Đoài", ROAD, "Dân vận; giải phóng mặt bằng", ""])
        writer.writerow([2, "Cầu Gò Lim", LAND, "dân vận, GPMB", "xem lại"])
        writer.writerow([3, "Bến Thóc", VOTE, "Bầu cử (Quốc hội, HĐND)", ""])
        writer.writerow([4, "Tổ bốn", text_of(4), "bau_cu | Dân vận", ""])
        writer.writerow([5, "Tổ năm", text_of(5), "", ""])
    reading = read_labels(str(path), THEMES)
    assert (reading.problems, reading.new) == ([], {})
    assert [item.name for item in reading.labelled] == ["1", "2", "3", "4", "5"]
    assert [item.article.title for item in reading.labelled][:2] == ["Thôn Đoài", "Cầu Gò Lim"]
    main = [{t for t, g in item.grades.items() if g == 2} for item in reading.labelled]
    assert main == [
        *({"dan_van", "gpmb"}, {"dan_van", "gpmb"}, {"bau_cu"}, {"bau_cu", "dan_van"}, set())
    ]
    assert all(item.grades.keys() == {"dan_van", "gpmb", "bau_cu"} for item in reading.labelled)


def test_xlsx_with_its_own_columns_of_what_is_touched_and_absent(tmp_path):
    source = write_xlsx(
        tmp_path / "a.xlsx",
        ["mã bài", "tiêu đề", "nội dung", "chủ đề", "nhắc đến", "không có"],
        [11, "Thôn Đoài", ROAD, "Dân vận", "GPMB", None],
        [12, 2026, LAND, "GPMB", None, "Bầu cử; Dân vận"],
        [13, "Bến Thóc", VOTE, None, None, None],
    )
    reading = read_labels(source, THEMES, name="của Lan.xlsx")
    assert (reading.source, reading.problems) == ("của Lan.xlsx", [])
    assert [item.name for item in reading.labelled] == ["11", "12"]  # of 13 nothing is known
    assert reading.labelled[1].article.title == "2026"
    # A file that says itself what is absent implies nothing.
    assert [dict(item.grades) for item in reading.labelled] == [
        {"dan_van": 2, "gpmb": 1},
        {"gpmb": 2, "bau_cu": 0, "dan_van": 0},
    ]


def test_text_in_a_column_that_the_user_names(tmp_path):
    rows = [["mã", "câu chuyện", "nhãn"], ["1", ROAD, "dan_van"]]
    source = write_csv(tmp_path / "a.csv", *rows)
    assert "thiếu trường 'text'" in read_labels(source, THEMES).problems[0]
    [item] = read_labels(source, THEMES, ["Câu chuyện"]).labelled
    assert (item.name, item.article.text) == ("1", ROAD)
    with pytest.raises(InputError, match="Không có cột 'bài'"):
        read_labels(source, THEMES, ["bài"])


def test_an_unknown_theme_is_new_and_a_slip_of_the_pen_is_suspected(tmp_path):
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"text": ROAD, "labels": ["Chuyển đổi số", "Dân vậm"]},
        {"text": LAND, "labels": ["CHUYỂN ĐỔI SỐ"]},
        {"text": "ngắn quá", "labels": ["Thể thao"]},
    )
    reading = read_labels(source, THEMES)
    assert reading.new == {"chuyen_doi_so": "Chuyển đổi số", "dan_vam": "Dân vậm"}
    assert reading.similar == {"dan_vam": "dan_van"}
    assert reading.labelled[1].grades == {"chuyen_doi_so": 2, "dan_vam": 0}
    known = THEMES | {"chuyen_doi_so": "Số hóa"}
    assert list(read_labels(source, known).new) == ["dan_vam"]


def test_a_theme_that_the_file_uses_is_absent_elsewhere_and_others_stay_unknown(tmp_path):
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"text": ROAD, "labels": ["Dân vận"]},
        {"text": LAND, "labels": ["GPMB"]},
        {"text": VOTE, "labels": None},
    )
    reading = read_labels(source, THEMES)
    assert [dict(item.grades) for item in reading.labelled] == [
        {"dan_van": 2, "gpmb": 0},
        {"dan_van": 0, "gpmb": 2},
        {"dan_van": 0, "gpmb": 0},
    ]
    assert [item.implied for item in reading.labelled] == [
        *({"gpmb"}, {"dan_van"}, {"dan_van", "gpmb"})
    ]
    store = LabelStore(tmp_path)
    assert store_reading(reading, store, "Lan") == 6
    assert {t for item in store.articles() for t in item.labels} == {"dan_van", "gpmb"}
    assert [(s, by) for _, _, s, by, _ in history(store)].count((1, "Lan")) == 2


def test_rows_that_repeat_one_are_counted(tmp_path):
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"id": 1, "text": ROAD, "labels": ["Dân vận"]},
        {"id": 2, "text": ROAD.upper() + "  ", "labels": "dan_van"},
        {"id": 3, "text": LAND, "labels": ["GPMB"]},
        {"id": 4, "text": ROAD, "labels": ["dân vận"]},
    )
    reading = read_labels(source, THEMES)
    assert [item.name for item in reading.labelled] == ["1", "3"]
    assert (reading.duplicates, reading.problems) == (2, [])


def test_rows_that_contradict_one_another_are_left_out_and_told(tmp_path):
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"text": ROAD, "labels": ["Dân vận"]},
        {"text": VOTE, "labels": ["Bầu cử", "Hội họa"]},
        {"text": LAND, "labels": ["GPMB"]},
        {"text": VOTE, "labels": ["Bầu cử"]},
    )
    reading = read_labels(source, THEMES)
    assert [item.article.text for item in reading.labelled] == [ROAD, LAND]
    [problem] = reading.problems
    assert problem.startswith("Dòng 4: cùng bài với Dòng 2")
    # What only they say is not said.
    assert reading.new == {}
    assert reading.labelled[0].grades == {"dan_van": 2, "gpmb": 0}


def test_bad_rows_are_told_while_the_others_go_in(tmp_path):
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"text": "Ngắn quá.", "labels": ["GPMB"]},
        {"text": LAND, "labels": 7},
        {"text": LAND, "labels": ["GPMB", 7]},
        {"text": LAND},
        "{hỏng",
        ["không phải", "đối tượng"],
        {"text": LAND, "labels": ["GPMB"], "touched": ["gpmb"]},
        {"text": LAND, "labels": ["2030"]},
        {"text": 5, "labels": ["GPMB"]},
        {"note": LAND, "labels": ["GPMB"]},
        {"text": "The weather in the valley was fine, they said on Monday.", "labels": []},
        {"text": ROAD, "labels": ["Dân vận"]},
    )
    reading = read_labels(source, THEMES)
    assert [item.article.text for item in reading.labelled] == [ROAD]
    assert reading.labelled[0].grades == {"dan_van": 2}
    assert [problem.split(":")[0] for problem in reading.problems] == [
        f"Dòng {n}" for n in range(1, 12)
    ]
    for problem, reason in zip(
        reading.problems,
        (
            *("quá ngắn", "chuỗi hoặc danh sách", "chuỗi hoặc danh sách", "Không thấy cột nhãn"),
            *("JSON", "JSON", "vừa có vừa không", "'2030' không dùng làm tên", "'text' phải là"),
            *("thiếu trường 'text'", "tiếng Việt"),
        ),
        strict=True,
    ):
        assert reason in problem


def test_bad_rows_of_tables_are_told_by_their_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        f'text,labels\n"{ROAD}",dan_van\n"{LAND}",gpmb,thừa một ô\n"{VOTE}"\n"ngắn",gpmb\n', "utf-8"
    )
    reading = read_labels(str(path), THEMES)
    assert [p.split(":")[0] for p in reading.problems] == ["Dòng 3", "Dòng 5"]
    assert [item.article.text for item in reading.labelled] == [ROAD, VOTE]
    rows = [["text", "labels"], [ROAD, 5], [VOTE, "bau_cu"]]
    reading = read_labels(write_xlsx(tmp_path / "a.xlsx", *rows), THEMES)
    assert reading.problems == ["Dòng 2: nhãn phải là chuỗi hoặc danh sách chuỗi."]
    assert [dict(item.grades) for item in reading.labelled] == [{"bau_cu": 2}]


def test_rows_that_nobody_has_read_are_skipped(tmp_path):
    rows = [["id", "text", "labels"], ["1", ROAD, "?"], ["2", LAND, "GPMB"], ["3", "", " ? "]]
    reading = read_labels(write_csv(tmp_path / "a.csv", *rows), THEMES)
    assert (reading.unread, reading.problems) == (2, [])
    assert [item.name for item in reading.labelled] == ["2"]
    source = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD, "labels": ["?"]})
    assert read_labels(source, THEMES).unread == 1


def test_what_has_no_labels_is_refused(tmp_path):
    source = write_csv(tmp_path / "a.csv", ["id", "nội dung"], ["1", ROAD])
    with pytest.raises(InputError, match=r"Không thấy cột nhãn .* các cột: 'id', 'nội dung'"):
        read_labels(source, THEMES)
    with pytest.raises(InputError, match="Không thấy cột nhãn"):  # only what is touched
        read_labels(write_csv(tmp_path / "b.csv", ["text", "touched"], [ROAD, "gpmb"]), THEMES)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text(ROAD, "utf-8")
    with pytest.raises(InputError, match="Nhãn cần một bảng"):
        read_labels(str(tmp_path / "documents"), THEMES)
    for name in ("none.csv", "none.docx"):
        with pytest.raises(InputError, match=name):
            read_labels(str(tmp_path / name), THEMES)


def test_labels_of_the_store_that_a_file_changes_are_told(tmp_path):
    store = LabelStore(tmp_path)
    road, land, vote = map(Article.from_text, (ROAD, LAND, VOTE))
    store.add([Labelled("", road, {"dan_van": 2, "gpmb": 2})], "Lan", "a")
    store.add([Labelled("", land, {"gpmb": 0}, frozenset({"gpmb"}))], "Hùng", "b")
    source = write_jsonl(
        tmp_path / "a.jsonl",
        {"text": ROAD, "labels": ["Dân vận"]},  # implies "no" of what Lan has stated
        {"text": LAND, "labels": ["GPMB"]},
        {"title": "Bến Thóc", "text": VOTE, "labels": []},
    )
    reading = read_labels(source, THEMES)
    find_changes(reading, store)
    assert reading.changes == [f"'{LAND[:60]}': gpmb, nhãn trước của Hùng"]
    store_reading(reading, store, "Mai")
    assert store.grades(road) == {"dan_van": 2, "gpmb": 2}
    assert store.grades(land) == {"dan_van": 0, "gpmb": 2}
    assert store.grades(vote) == {}
    again = read_labels(source, THEMES)
    find_changes(again, store)
    assert (again.changes, store_reading(again, store, "Mai")) == ([], 0)


# Export


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".xlsx", ".parquet"])
def test_what_goes_out_comes_in_again_as_it_was(tmp_path, suffix):
    store = LabelStore(tmp_path / "first")
    road = Article(
        "Thôn Đoài, xã Tân Mơ", "Bà con nói: “Đồng thuận”.", (ROAD, 'Ông nói: "Được; 9".')
    )
    land = Article("Cầu Gò Lim", "", (LAND, text_of(1), text_of(2)))
    pasted = Article.from_text(f"{VOTE}\n{text_of(3)}")
    store.add(
        [
            Labelled("007", road, {"dan_van": 2, "gpmb": 1}),
            Labelled("l", land, {"gpmb": 2, "dan_van": 2, "bau_cu": 0}, frozenset({"bau_cu"})),
            Labelled("", pasted, {"bau_cu": 2, "thue_dat": 0}),
            Labelled("x", Article.from_text(text_of(4)), {"cai_cach_hanh_chinh": 0}),
        ],
        "Lan",
        "a",
    )
    store.add([Labelled("007", road, {"gpmb": 0})], "Hùng", "b")
    output = tmp_path / f"out{suffix}"
    assert export_labels(store, output) == 4
    reading = read_labels(str(output), THEMES | {"thue_dat": "Thuế đất"})
    assert (reading.problems, reading.new, reading.unread) == ([], {}, 0)
    second = LabelStore(tmp_path / "second")
    store_reading(reading, second, "Mai")
    assert grades_by_id(second) == grades_by_id(store)
    assert second.grades(road) == {"dan_van": 2, "gpmb": 0}  # and of others nothing
    assert [item.name for item in second.articles()] == ["007", "l", article_id(pasted)[:12], "x"]
    for before, after in zip(store.articles(), second.articles(), strict=True):
        assert after.article == before.article
    find_changes(reading, store)
    assert reading.changes == []


def test_an_export_says_who_when_and_what_is_held_out(tmp_path):
    store = LabelStore(tmp_path)
    store.add([labelled(n, gpmb=2) for n in range(4)], "Lan", "a.csv")
    store.add([labelled(3, dan_van=0)], "Hùng", "trang")
    store.add([Labelled("none", Article.from_text(ROAD), {})], "Hùng", "trang")
    assert export_labels(store, tmp_path / "out.jsonl") == 4
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["held_out"] for row in rows] == [False, False, False, True]
    assert [row["authors"] for row in rows[2:]] == [["Lan"], ["Hùng", "Lan"]]
    assert rows[3]["sources"] == ["a.csv", "trang"]
    assert rows[3]["labelled_at"] == store.articles()[3].labels["dan_van"].at
    assert (rows[3]["labels"], rows[3]["touched"], rows[3]["absent"]) == (["gpmb"], [], ["dan_van"])


def test_a_title_like_a_formula_stays_a_text(tmp_path):
    store = LabelStore(tmp_path)
    article = Article("=HYPERLINK(A1) thôn Đoài", "", (ROAD,))
    store.add([Labelled("1", article, {"dan_van": 2})], "Lan", "a")
    export_labels(store, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["title"] == f"'{article.title}"
    assert row["body"] == ROAD
    export_labels(store, tmp_path / "out.xlsx")
    cell = load_workbook(tmp_path / "out.xlsx").active["B2"]
    assert (cell.data_type, cell.value) == ("s", article.title)


def test_an_export_that_cannot_be_written_leaves_what_is_there(tmp_path):
    store = LabelStore(tmp_path)
    old = tmp_path / "out.csv"
    old.write_text("cũ", "utf-8")
    with pytest.raises(InputError, match="chưa có bài nào"):
        export_labels(store, old)
    store.add([labelled(1, gpmb=2)], "Lan", "a")
    with pytest.raises(InputError, match=r"Không ghi được dạng '\.txt'"):
        export_labels(store, tmp_path / "out.txt")
    with pytest.raises(InputError, match="Không ghi được"):
        export_labels(store, tmp_path / "none" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="Không ghi được"):
        export_labels(store, tmp_path / "folder.csv")
    assert old.read_text("utf-8") == "cũ"
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv", "folder.csv", "labels.sqlite"}


# What to label next


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint) -> ThemeClassifier:
    return ThemeClassifier(tiny_checkpoint)


@pytest.fixture
def corpus(tmp_path) -> str:
    """80 articles, three of them twice, among rows that are none."""
    rows: list[Any] = [{"id": f"b{n}", "title": f"Tổ {n}", "body": text_of(n)} for n in range(80)]
    again = [{"id": f"again {n}", "title": f"Tổ {n}", "body": text_of(n).upper()} for n in range(3)]
    return write_jsonl(
        tmp_path / "corpus.jsonl", *rows, "{hỏng", {"id": "short", "text": "x"}, *again
    )


def suggested(corpus: str, tiny: ThemeClassifier, known: set[str], count: int) -> list[dict]:
    return suggest(open_source(corpus), None, tiny, known, count)


def test_as_many_articles_are_suggested_as_asked_for_and_always_the_same(corpus, tiny):
    done: list[int] = []
    rows = suggest(open_source(corpus), None, tiny, set(), 10, done.append)
    assert done == [32, 64, 85]
    assert len({row["id"] for row in rows}) == 10
    assert {row["labels"] for row in rows} == {"?"}
    for row in rows:
        assert tuple(row) == COLUMNS
        assert row["title"] == f"Tổ {row['id'].removeprefix('b')}"
        assert row["body"] == text_of(int(row["id"].removeprefix("b")))
        assert row["suggested"] == [t for t, score in row["scores"].items() if score >= 0.5]
    assert suggested(corpus, tiny, set(), 10) == rows
    # Nearest to a threshold, which is 0.5 for all themes of this model, first.
    distances = [min(abs(score - 0.5) for score in row["scores"].values()) for row in rows]
    assert distances == sorted(distances)


def test_what_the_store_has_is_not_suggested(corpus, tiny, tmp_path):
    store = LabelStore(tmp_path / "home")
    names = []
    for _ in range(2):
        known = {item.id for item in store.articles()}
        rows = suggested(corpus, tiny, known, 30)
        assert len(rows) == 30
        names += [row["id"] for row in rows]
        write_table(tmp_path / "next.csv", COLUMNS, rows)
        unread = read_labels(str(tmp_path / "next.csv"), THEMES)
        assert (unread.unread, unread.labelled) == (30, [])
        for number, row in enumerate(rows):
            row["labels"] = "dan_van" if number % 2 else "Giải phóng mặt bằng"
        write_table(tmp_path / "next.csv", COLUMNS, rows)
        store_reading(read_labels(str(tmp_path / "next.csv"), THEMES), store, "Lan")
    assert len(store.articles()) == len(set(names)) == 60
    known = {item.id for item in store.articles()}
    rest = suggested(corpus, tiny, known, 30)  # as many as are left
    assert {row["id"] for row in rest} == {f"b{n}" for n in range(80)} - set(names)
    known |= {article_id(Article(row["title"], "", (row["body"],))) for row in rest}
    assert suggested(corpus, tiny, known, 30) == []


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_articles_unlike_one_another_are_suggested(tmp_path, tiny):
    rows = [
        {
            "id": f"{group}.{n}",
            "text": f"{text_of(group)} {text_of(300 + group)} Có {n} người nghe.",
        }
        for group in range(8)
        for n in range(10)
    ]
    source = write_jsonl(tmp_path / "a.jsonl", *rows)

    def groups(rows: list[dict]) -> set[str]:
        return {row["id"].split(".")[0] for row in rows}

    assert len(groups(suggested(source, tiny, set(), 80)[:4])) == 1  # those nearest to a threshold
    assert len(groups(suggested(source, tiny, set(), 4))) >= 3


def test_documents_are_suggested_by_the_name_of_their_file(tmp_path, tiny):
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(5):
        (folder / f"bai {number}.txt").write_text(text_of(number), "utf-8")
    (folder / "hong.txt").write_bytes(b"\xff\xd8" + bytes(range(256)) * 9)
    rows = suggested(str(folder), tiny, {article_id(Article.from_text(text_of(2)))}, 9)
    assert {row["id"] for row in rows} == {f"bai {n}.txt" for n in (0, 1, 3, 4)}


# The command line


def chude(*arguments: object):
    environment = {"COLUMNS": "200"}  # tables are cut to fit
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def office_file(tmp_path) -> str:
    return write_csv(
        tmp_path / "của Lan.csv",
        ["tiêu đề", "nội dung", "nhãn"],
        ["Thôn Đoài", ROAD, "Dân vận; Chuyển đổi số"],
        ["Cầu Gò Lim", LAND, "Giải phóng mặt bằn"],
        ["Bến Thóc", VOTE, "?"],
        ["", "ngắn", "gpmb"],
        ["Thôn Đoài", ROAD, "chuyển đổi số, dan_van"],
    )


def test_an_import_with_new_themes_asks_for_consent(own_home, office_file):
    result = chude("labels", "import", office_file)
    assert result.exit_code == 1
    assert "Chủ đề mới: 'Chuyển đổi số' (khóa: chuyen_doi_so)" in result.stderr
    assert "chưa nhập gì" in result.stderr
    assert "--yes" in result.stderr
    assert "Dòng 5: " in result.stderr
    assert LabelStore().articles() == []
    assert LabelStore().themes(THEMES) == THEMES
    assert not own_home.exists()


def test_an_import_with_yes_takes_new_themes(own_home, office_file):
    result = chude("labels", "import", office_file, "--yes", "--author", "Lan")
    assert result.exit_code == 0, result.stderr
    assert "có phải ý bạn là 'gpmb'?" in result.stderr
    assert "Đã nhập 2 bài, 6 nhãn mới." in result.stdout
    assert "Bỏ qua 1 dòng trùng, 1 dòng chưa đọc." in result.stdout
    store = LabelStore(own_home)
    assert [item.grades for item in store.articles()] == [
        {"dan_van": 2, "chuyen_doi_so": 2, "giai_phong_mat_ban": 0},
        {"dan_van": 0, "chuyen_doi_so": 0, "giai_phong_mat_ban": 2},
    ]
    assert {(by, source) for *_, by, source in history(store)} == {("Lan", "của Lan.csv")}
    assert store.themes(THEMES) == THEMES | {
        "chuyen_doi_so": "Chuyển đổi số",
        "giai_phong_mat_ban": "Giải phóng mặt bằn",
    }
    again = chude("labels", "import", office_file)  # the themes are known by now
    assert again.exit_code == 0
    assert "Đã nhập 2 bài, 0 nhãn mới." in again.stdout
    shown = chude("labels", "show").stdout
    [line] = [line for line in shown.splitlines() if "giai_phong_mat_ban" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")][2:] == ["1", "0", "1", "0"]
    assert "chưa có" in chude("themes", "list").stdout


def test_an_import_tells_what_it_changes(own_home, tmp_path):
    first = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD, "labels": ["Dân vận"]})
    other = {"text": ROAD, "labels": ["GPMB"], "absent": ["Dân vận"]}
    assert chude("labels", "import", first, "--author", "Lan").exit_code == 0
    result = chude("labels", "import", write_jsonl(tmp_path / "b.jsonl", other))
    assert result.exit_code == 0
    assert "Nhãn trong kho được thay (1)" in result.stderr
    assert "dan_van, nhãn trước của Lan" in result.stderr
    assert LabelStore().grades(Article.from_text(ROAD)) == {"dan_van": 0, "gpmb": 2}


def test_an_import_with_nothing_in_it_fails(own_home, tmp_path):
    unread = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD, "labels": "?"})
    result = chude("labels", "import", unread)
    assert result.exit_code == 1
    assert "Không có bài nào có nhãn" in result.stderr
    bad = write_jsonl(tmp_path / "b.jsonl", *[{"text": ROAD, "labels": 5}] * 30)
    result = chude("labels", "import", bad)
    assert result.exit_code == 1
    assert "Dòng không nhập được (30)" in result.stderr
    assert "Dòng 20" in result.stderr
    assert "Dòng 21" not in result.stderr
    assert "và 10 nữa" in result.stderr
    no_labels = write_csv(tmp_path / "c.csv", ["text"], [ROAD])
    for source in (no_labels, tmp_path / "none.csv"):
        result = chude("labels", "import", source, "--yes")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Lỗi: Không" in result.stderr
    assert not own_home.exists()


def test_at_a_terminal_each_new_theme_is_asked_for(own_home, tmp_path):
    source = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD, "labels": ["Thuế đất", "Dân vậm"]})
    command = [
        sys.executable,
        "-c",
        "from cli.main import main; main()",
        "labels",
        "import",
        source,
    ]
    terminal, keyboard = pty.openpty()
    os.write(terminal, b"y\nn\n")
    result = subprocess.run(command, stdin=keyboard, capture_output=True, cwd=ROOT, timeout=60)
    os.close(terminal)
    os.close(keyboard)
    asked = result.stderr.decode()
    assert result.returncode == 1
    assert asked.index("có phải ý bạn là 'dan_van'?") < asked.index("Thêm chủ đề 'Thuế đất'?")
    assert "Thêm chủ đề 'Dân vậm'?" in asked
    assert "Hãy sửa lại tên chủ đề" in asked
    assert LabelStore().articles() == []
    assert LabelStore().themes({}) == {}


def test_export_writes_the_store_or_says_why_not(own_home, tmp_path):
    output = tmp_path / "out.xlsx"
    result = chude("labels", "export", "--output", output)
    assert (result.exit_code, output.exists()) == (1, False)
    assert "Kho nhãn chưa có bài nào" in result.stderr
    LabelStore().add([labelled(1, gpmb=2), labelled(2, gpmb=0)], "Lan", "a")
    result = chude("labels", "export", "--output", output)
    assert result.exit_code == 0
    assert "Đã ghi 2 bài" in result.stdout
    assert read_labels(str(output), THEMES).count(2) == {"gpmb": 1}
    assert chude("labels", "export", "--output", tmp_path / "out.doc").exit_code == 1
    assert chude("labels", "export").exit_code == 2


def test_every_command_tells_that_the_store_is_broken(own_home, tmp_path):
    own_home.mkdir()
    (own_home / "labels.sqlite").write_bytes(b"Khong phai SQLite. " * 400)
    source = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD, "labels": ["Dân vận"]})
    for command in (
        ("labels", "import", source),
        ("labels", "export", "--output", tmp_path / "out.csv"),
        ("labels", "show"),
        ("themes", "list"),
        ("themes", "rename", "gpmb", "Mặt bằng"),
        ("themes", "remove", "gpmb"),
    ):
        result = chude(*command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Lỗi: Không dùng được kho nhãn" in result.stderr


@pytest.fixture
def tiny_in_use(own_home, tiny_checkpoint) -> None:
    """The model in use knows two themes by their keys."""
    registry = ModelRegistry()
    shutil.copytree(tiny_checkpoint, registry.folder / "making")
    record = {"created": "2026-03-01T08:00:00+07:00"}
    (registry.folder / "making" / "version.json").write_text(json.dumps(record))
    registry.add(registry.folder / "making", "nho")
    registry.promote("nho")


def test_suggest_writes_a_table_to_be_filled_in(tiny_in_use, corpus, tmp_path):
    output = tmp_path / "next.xlsx"
    result = chude("labels", "suggest", corpus, "--output", output, "--count", 12)
    assert result.exit_code == 0, result.stderr
    assert "Đã ghi 12 bài" in result.stdout
    book = load_workbook(output)
    header, *rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert tuple(header) == COLUMNS
    assert [row[4] for row in rows] == ["?"] * 12
    assert json.loads(rows[0][6]).keys() == {"dan_van", "gpmb"}
    assert "Không có bài nào có nhãn" in chude("labels", "import", output).stderr
    for row in range(2, 14):
        book.active.cell(row, 5).value = "gpmb" if row % 2 else None
    book.save(output)
    assert chude("labels", "import", output).exit_code == 0
    assert len(LabelStore().articles()) == 12
    rest = tmp_path / "rest.jsonl"
    assert chude("labels", "suggest", corpus, "--output", rest, "--count", 1000).exit_code == 0
    assert len(rest.read_text("utf-8").splitlines()) == 68
    text = rest.read_text("utf-8").replace('"?"', '"dan_van"')
    rest.write_text(text, "utf-8")
    assert chude("labels", "import", rest).exit_code == 0
    result = chude("labels", "suggest", corpus, "--output", tmp_path / "none.csv")
    assert (result.exit_code, (tmp_path / "none.csv").exists()) == (1, False)
    assert "Không còn bài nào chưa có nhãn" in result.stderr


def test_suggest_refuses_what_it_cannot_read_or_write(tiny_in_use, corpus, tmp_path):
    output = tmp_path / "next.csv"
    assert chude("labels", "suggest", corpus, "--output", output, "--count", 0).exit_code == 2
    assert chude("labels", "suggest", tmp_path / "none.csv", "--output", output).exit_code == 1
    assert chude("labels", "suggest", corpus, "--output", tmp_path / "next.doc").exit_code == 1
    table = write_csv(tmp_path / "a.csv", ["câu chuyện"], [ROAD])
    result = chude("labels", "suggest", table, "--output", output, "--text-column", "chuyện")
    assert result.exit_code == 1
    assert "Không có cột 'chuyện'" in result.stderr
    column = ("--text-column", "Câu chuyện")
    assert chude("labels", "suggest", table, "--output", output, *column).exit_code == 0
    assert ROAD in output.read_text("utf-8-sig")


def test_the_themes_of_an_import_are_those_of_the_model_in_use(tiny_in_use, tmp_path):
    source = write_jsonl(tmp_path / "a.jsonl", {"text": VOTE, "labels": ["Bầu cử"]})
    assert "Chủ đề mới: 'Bầu cử' (khóa: bau_cu)" in chude("labels", "import", source).stderr
    ModelRegistry().rollback()
    assert chude("labels", "import", source).exit_code == 0


def theme_lines() -> dict[str, str]:
    """Rows of `chude themes list` by key."""
    lines = chude("themes", "list").stdout.splitlines()
    cells = [line.strip("│").split("│") for line in lines if line.startswith("│")]
    return {row[0].strip(): " ".join(" ".join(row[1:]).split()) for row in cells}


def test_a_theme_is_renamed_and_keeps_its_key(own_home, tmp_path):
    result = chude("themes", "rename", "giai phong mat bang", "Thu hồi đất")
    assert result.exit_code == 0
    assert "gpmb đổi tên thành 'Thu hồi đất'" in result.stdout
    assert theme_lines()["gpmb"] == "Thu hồi đất Giải phóng mặt bằng"
    assert theme_lines()["dan_van"] == "Dân vận có"
    source = write_jsonl(tmp_path / "a.jsonl", {"text": LAND, "labels": ["thu hồi đất"]})
    assert chude("labels", "import", source).exit_code == 0
    assert LabelStore().grades(Article.from_text(LAND)) == {"gpmb": 2}
    assert chude("themes", "rename", "THU HỒI ĐẤT", "THU HỒI ĐẤT").exit_code == 0  # itself
    assert LabelStore().themes(THEMES)["gpmb"] == "THU HỒI ĐẤT"


@pytest.mark.parametrize(
    ("theme", "name", "reason"),
    [
        ("Dân vậm", "Khéo", "Có phải ý bạn là 'dan_van'?"),
        ("Thể thao", "Khéo", "Các chủ đề: dan_van, cai_cach_hanh_chinh, bau_cu, gpmb."),
        ("dan_van", "2030", "không dùng làm tên chủ đề được"),
        ("dan_van", "", "không dùng làm tên chủ đề được"),
        ("dan_van", "ơ" * (MAX_NAME + 1), "không dùng làm tên chủ đề được"),
        ("dan_van", "bầu CỬ", "Đã có chủ đề tên 'bầu CỬ'."),
        ("dan_van", "gpmb", "Đã có chủ đề tên 'gpmb'."),
    ],
)
def test_a_theme_is_not_renamed(own_home, theme, name, reason):
    result = chude("themes", "rename", theme, name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert LabelStore().themes(THEMES) == THEMES


def test_a_theme_is_removed_and_its_labels_stay(own_home, tmp_path):
    source = write_jsonl(tmp_path / "a.jsonl", {"text": VOTE, "labels": ["bầu cử"]})
    assert chude("labels", "import", source).exit_code == 0
    result = chude("themes", "remove", "Bầu cử")
    assert result.exit_code == 0
    assert "Đã bỏ chủ đề 'Bầu cử (Quốc hội, HĐND)'" in result.stdout
    assert "bau_cu" not in theme_lines()
    assert LabelStore().grades(Article.from_text(VOTE)) == {"bau_cu": 2}
    result = chude("themes", "remove", "bau_cu")
    assert result.exit_code == 1
    assert "Không có chủ đề 'bau_cu'" in result.stderr
    # It comes back only if somebody wants it to.
    assert chude("labels", "import", source).exit_code == 1
    assert chude("labels", "import", source, "--yes").exit_code == 0
    assert "bau_cu" in theme_lines()


def test_the_last_theme_is_not_removed(tiny_in_use):
    assert chude("themes", "remove", "gpmb").exit_code == 0
    result = chude("themes", "remove", "dan_van")
    assert result.exit_code == 1
    assert "Phải còn ít nhất một chủ đề" in result.stderr
    assert list(theme_lines()) == ["dan_van"]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".xlsx", ".parquet"])
def test_what_comes_back_from_an_export_says_nothing_new(own_home, tmp_path, suffix):
    store = LabelStore()
    title = "Đại hội Đảng bộ xã Tân Mơ"
    body = ("Đại hội Đảng bộ xã Tân Mơ lần thứ mười hai đã bế mạc vào chiều qua.", "- " + ROAD)
    formula = Article("=SUM(A1) và chuyện của xã Gò Lim", "", (LAND,))
    store.name_theme("thue", "Thuế")
    labels = {"thue": MAIN, "gpmb": ABSENT}
    store.add([Labelled("a", Article(title, "", body), labels, frozenset({"gpmb"}))], "lan", "tệp")
    store.add([Labelled("b", formula, {"thue": ABSENT})], "lan", "tệp")
    export_labels(store, tmp_path / f"out{suffix}")
    again = read_labels(str(tmp_path / f"out{suffix}"), store.themes(THEMES))
    assert (again.problems, again.new) == ([], {})
    assert store_reading(again, store, "mai") == 0
    fresh = read_labels(str(tmp_path / f"out{suffix}"), THEMES)
    assert fresh.new == {"thue": "Thuế"}


def test_a_text_too_long_for_excel_is_not_cut_off_in_silence(own_home, tmp_path):
    store = LabelStore()
    store.add([Labelled("", Article("Tin", "", (ROAD * 600,)), {"gpmb": MAIN})], "lan", "tệp")
    with pytest.raises(InputError, match="Excel không chứa được"):
        export_labels(store, tmp_path / "a.xlsx")


def test_the_whole_name_of_a_theme_beats_the_short_name_of_another():
    themes = {"a": "Thuế (đất)", "b": "Thuế", "c": "(Quốc hội)"}
    assert find_theme("Thuế", themes) == "b"
    assert find_theme("thuế đất", themes) == "a"
    assert find_theme("!!!", themes) is None


def test_half_characters_and_markup_do_no_harm(own_home, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "\ud83d", "text": ROAD, "labels": ["Thuế [/x] \ud83d cũ"]}))
    runner = CliRunner()
    assert runner.invoke(app, ["labels", "import", str(path), "--yes"]).exit_code == 0
    for arguments in (["labels", "show"], ["themes", "list"]):
        result = runner.invoke(app, arguments)
        assert result.exit_code == 0
        assert "Thuế [/x]" in result.stdout


def test_the_corpus_is_not_written_over_by_its_suggestions(own_home, tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD})
    result = CliRunner().invoke(app, ["labels", "suggest", path, "--output", path])
    assert result.exit_code == 1
    assert json.loads((tmp_path / "a.jsonl").read_text())["text"] == ROAD


def test_adding_to_a_full_store_stays_quick(own_home):
    store = LabelStore()
    many = [
        Labelled("", Article(f"Tin {n}", "", (ROAD,)), {"gpmb": MAIN, "dan_van": ABSENT})
        for n in range(3_000)
    ]
    store.add(many, "lan", "tệp")
    database = sqlite3.connect(store.path)
    plan = database.execute(
        "EXPLAIN QUERY PLAN SELECT theme FROM labels WHERE article = 'x' ORDER BY number"
    )
    steps = " ".join(str(row) for row in plan)
    assert "SEARCH" in steps
    assert "SCAN" not in steps
    assert store.add(many, "lan", "tệp") == 0


def test_a_removed_theme_comes_back_with_its_key(own_home, tmp_path):
    store = LabelStore()
    store.remove_theme("gpmb", "Giải phóng mặt bằng")
    source = write_jsonl(tmp_path / "a.jsonl", {"text": ROAD, "labels": ["Giải phóng mặt bằng"]})
    reading = read_labels(source, store.themes(THEMES), removed=store.removed_themes())
    assert reading.new == {"gpmb": "Giải phóng mặt bằng"}
    store_reading(reading, store, "lan")
    assert "gpmb" in store.themes(THEMES)
    assert store.removed_themes() == {}


def test_a_column_that_holds_no_themes_is_refused_soon(tmp_path):
    rows = [{"text": f"{ROAD} {n}", "labels": [f"Chuyện thứ {n}"]} for n in range(3_000)]
    source = write_jsonl(tmp_path / "a.jsonl", *rows)
    with pytest.raises(InputError, match="hơn 100 chủ đề chưa biết"):
        read_labels(source, THEMES)


def test_a_short_name_of_two_themes_means_neither():
    assert find_theme("Giáo dục", {"a": "Giáo dục (mầm non)", "b": "Giáo dục (đại học)"}) is None


def test_what_is_implied_survives_a_journey_to_another_store(tmp_path):
    rows = [{"text": ROAD, "labels": ["GPMB"], "absent": [], "implied": ["Thuế"]}]
    rows += [{"text": LAND, "labels": ["Thuế"], "absent": [], "implied": ["GPMB"]}]
    reading = read_labels(write_jsonl(tmp_path / "a.jsonl", *rows), THEMES)
    assert [dict(item.grades) for item in reading.labelled] == [
        {"gpmb": 2, "thue": 0},
        {"thue": 2, "gpmb": 0},
    ]
