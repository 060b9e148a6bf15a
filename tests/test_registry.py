"""Versions of the classifier: one is always in use, and none is lost by accident."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from model.analysis import load_classifier
from model.classifier import DEFAULT_CHECKPOINT
from model.errors import InputError
from model.files import complete_file, write_json
from model.registry import LATEST, RECORD, SHIPPED, ModelRegistry, current_checkpoint
from tests.conftest import python


@pytest.fixture
def registry(own_home) -> ModelRegistry:
    return ModelRegistry()


def make(registry: ModelRegistry, name: str, day: int = 1, label: str = "Dân vận") -> Path:
    """A version as far as a registry looks into it: names of themes, and how it was made."""
    making = registry.folder / ".making"
    making.mkdir(parents=True)
    config = json.loads((DEFAULT_CHECKPOINT / "config.json").read_text("utf-8"))
    config["themes"]["dan_van"]["label"] = label
    write_json(making / "config.json", config)
    write_json(making / RECORD, {"created": f"2026-03-{day:02}T08:00:00+07:00", "mode": "quick"})
    return registry.add(making, name).checkpoint


def names(registry: ModelRegistry) -> list[str]:
    return [version.name for version in registry.versions()]


def test_without_any_version_of_its_own_a_machine_has_the_shipped_one(registry, own_home):
    assert names(registry) == [SHIPPED]
    assert registry.current().checkpoint == current_checkpoint() == DEFAULT_CHECKPOINT
    assert registry.current().record == {}
    assert registry.current().themes["bau_cu"] == "Bầu cử (Quốc hội, HĐND)"
    assert registry.find(SHIPPED) == registry.current()
    with pytest.raises(InputError, match="Chưa có mô hình nào được huấn luyện"):
        registry.find(LATEST)
    assert not own_home.exists()


def test_versions_are_listed_by_age_behind_the_shipped_one(registry):
    make(registry, "b", day=2, label="Dân vận khéo")
    make(registry, "c", day=1)
    make(registry, "a", day=2)
    assert names(registry) == [SHIPPED, "c", "a", "b"]
    assert registry.find(LATEST).name == "b"
    assert registry.find("c").record["created"] == "2026-03-01T08:00:00+07:00"
    assert registry.find("b").themes["dan_van"] == "Dân vận khéo"
    assert registry.find("c").themes["dan_van"] == "Dân vận"
    assert registry.current().name == SHIPPED  # none has been promoted


def test_what_is_no_version_is_passed_over(registry):
    folder = make(registry, "a").parent
    shutil.copytree(folder / "a", folder / ".20260301-quick")  # being made
    (folder / "empty").mkdir()
    (folder / "note.txt").write_text("ghi chú", "utf-8")
    (folder / "broken").mkdir()
    (folder / "broken" / RECORD).write_text("{")
    (folder / "binary").mkdir()
    (folder / "binary" / RECORD).write_bytes(b"\xff\xfe\x00")
    assert names(registry) == [SHIPPED, "a"]


def test_a_name_that_there_is_not_is_refused_with_those_that_there_are(registry):
    make(registry, "a")
    for call in (registry.find, registry.promote, registry.remove):
        with pytest.raises(InputError, match=r"Không có mô hình 'b'\. Các mô hình: goc, a\."):
            call("b")
    assert registry.history() == [SHIPPED]


@pytest.mark.parametrize(
    "name", ["../x", "../models/a", "a/../a", "./a", "a/", "", ".", "..", ".lock", "A", "a\0", "/"]
)
def test_a_name_is_never_a_path(registry, own_home, name):
    checkpoint = make(registry, "a")
    shutil.copytree(checkpoint, own_home / "x")
    for call in (registry.find, registry.promote, registry.remove):
        with pytest.raises(InputError, match="Không có mô hình"):
            call(name)
    with pytest.raises(InputError, match="Không có mô hình"):
        registry.remove(str(own_home / "x"))
    assert (own_home / "x" / RECORD).is_file()
    assert names(registry) == [SHIPPED, "a"]
    assert registry.current().name == SHIPPED


def test_promoting_and_going_back(registry):
    a, b = make(registry, "a", day=1), make(registry, "b", day=2)
    assert registry.promote("a").checkpoint == a
    assert registry.current().name == "a"
    assert registry.promote(LATEST).checkpoint == b
    assert current_checkpoint() == b
    registry.promote("b")  # again: nothing to go back to twice
    assert registry.history() == [SHIPPED, "a", "b"]
    assert registry.rollback().name == "a"
    assert current_checkpoint() == a
    registry.promote(SHIPPED)
    assert current_checkpoint() == DEFAULT_CHECKPOINT
    assert ModelRegistry().history() == [SHIPPED, "a", SHIPPED]
    assert [registry.rollback().name for _ in range(2)] == ["a", SHIPPED]
    with pytest.raises(InputError, match="Không có mô hình nào trước"):
        registry.rollback()
    assert names(registry) == [SHIPPED, "a", "b"]  # going back deletes nothing


def test_a_version_in_use_and_the_shipped_one_are_not_removed(registry):
    checkpoint = make(registry, "a")
    registry.promote("a")
    for name in ("a", LATEST):
        with pytest.raises(InputError, match="'a' đang được dùng"):
            registry.remove(name)
    with pytest.raises(InputError, match="đi kèm chương trình không xóa được"):
        registry.remove(SHIPPED)
    assert (checkpoint / RECORD).is_file()
    assert (DEFAULT_CHECKPOINT / "config.json").is_file()
    assert registry.current().name == "a"


def test_a_removed_version_is_gone_from_the_disk_and_from_the_way_back(registry):
    for day, name in enumerate("abc", 1):
        make(registry, name, day)
    for name in "abac":
        registry.promote(name)
    assert registry.history() == [SHIPPED, *"abac"]
    registry.remove("b")
    assert registry.history() == [SHIPPED, "a", "c"]  # and not a twice
    assert names(registry) == [SHIPPED, "a", "c"]
    left = {path.name for path in registry.folder.iterdir()} - {".lock"}
    assert left == {"a", "c", "current.json"}
    for call in (registry.promote, registry.remove):
        with pytest.raises(InputError, match="Không có mô hình 'b'"):
            call("b")
    assert registry.rollback().name == "a"
    registry.remove(LATEST)
    assert names(registry) == [SHIPPED, "a"]


def test_a_finished_checkpoint_is_taken_in_once(registry):
    first = make(registry, "a", label="Một")
    second = registry.folder / ".second"
    shutil.copytree(first, second)
    with pytest.raises(InputError, match="Đã có mô hình tên 'a'"):
        registry.add(second, "a")
    assert second.is_dir()
    assert registry.find("a").themes["dan_van"] == "Một"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff\xfe\x00\x01", b"[]", b"{}", b"null", b'"a"', b'{"history": []}'),
        *(b'{"history": ["none"]}', b'{"history": ["../x"]}', b'{"history": "a"'),
    ],
)
def test_a_broken_list_of_promotions_means_the_shipped_model(registry, content):
    checkpoint = make(registry, "a")
    registry.promote("a")
    registry.current_file.write_bytes(content)
    assert registry.current().name == SHIPPED
    assert current_checkpoint() == DEFAULT_CHECKPOINT
    with pytest.raises(InputError, match="Không có mô hình nào trước"):
        registry.rollback()
    registry.promote("a")
    assert current_checkpoint() == checkpoint
    assert json.loads(registry.current_file.read_text("utf-8")) == {"history": [SHIPPED, "a"]}


def test_when_the_version_in_use_has_vanished_the_one_before_is_used(registry):
    a, b = make(registry, "a", day=1), make(registry, "b", day=2)
    for name in "ab":
        registry.promote(name)
    shutil.rmtree(b)
    assert registry.current().name == "a"
    assert current_checkpoint() == a
    (a / RECORD).unlink()
    assert registry.current().name == SHIPPED
    assert current_checkpoint() == DEFAULT_CHECKPOINT
    make(registry, "c")
    registry.promote("c")
    assert json.loads(registry.current_file.read_text("utf-8")) == {"history": [SHIPPED, "c"]}


def test_the_classifier_that_is_promoted_is_the_one_that_reads(registry, tiny_checkpoint):
    checkpoint = make(registry, "a")
    shutil.copytree(tiny_checkpoint, checkpoint, dirs_exist_ok=True)
    registry.promote("a")
    small = load_classifier()
    assert (small.name, small.themes) == (str(checkpoint), ["dan_van", "gpmb"])
    assert load_classifier() is small
    registry.rollback()
    assert current_checkpoint() == DEFAULT_CHECKPOINT


PROMOTE = """
import sys
from model.registry import ModelRegistry
print("sẵn sàng", flush=True)
sys.stdin.readline()
for number in range(100):
    ModelRegistry().promote("da"[number % 2])
"""


def test_two_processes_that_promote_at_once_lose_nothing(registry):
    for day, name in enumerate("abcd", 1):
        make(registry, name, day)
    registry.promote("a")
    other = python(PROMOTE)
    assert other.stdout.readline() == "sẵn sàng\n"
    other.stdin.write("\n")
    other.stdin.flush()
    own = 0
    while other.poll() is None or own % 2:
        listed = json.loads(registry.current_file.read_text("utf-8"))["history"]
        assert len(listed) >= 2 + own
        registry.promote("bc"[own % 2])
        own += 1
    other.communicate()
    assert other.returncode == 0
    history = registry.history()
    # Every promotion is there: neither of the two promotes what it has promoted last.
    assert own > 4
    assert len(history) == 2 + own + 100
    assert [name for name in history[2:] if name in "bc"] == list("bc" * (own // 2))
    assert [name for name in history[2:] if name in "da"] == list("da" * 50)
    assert json.loads(registry.current_file.read_text("utf-8")) == {"history": history}
    assert not list(registry.folder.glob(".*unfinished*"))


# Files that are complete or not there at all


def test_a_file_takes_its_name_when_it_is_complete(tmp_path):
    output = tmp_path / "out.csv"
    with complete_file(output) as path:
        path.write_text("mới", "utf-8")
        assert not output.exists()
        assert (path.parent, path.suffix) == (tmp_path, ".csv")
    assert output.read_text("utf-8") == "mới"
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_that_fails_leaves_the_one_before(tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("cũ", "utf-8")
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), complete_file(output) as path:
            path.write_text("nửa", "utf-8")
            raise error
    with pytest.raises(FileNotFoundError), complete_file(output):
        pass  # nothing was written
    assert output.read_text("utf-8") == "cũ"
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_cannot_take_the_place_of_a_folder(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OSError), complete_file(tmp_path / "out.csv") as path:
        path.write_text("mới", "utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    with pytest.raises(OSError), complete_file(tmp_path / "none" / "out.csv") as path:
        path.write_text("mới", "utf-8")


KILLED = """
import sys
from pathlib import Path
from model.files import complete_file
with complete_file(Path(sys.argv[1])) as path:
    path.write_text('{"history": ["n')
    print("giữa chừng", flush=True)
    sys.stdin.readline()
"""


def test_a_process_killed_while_it_writes_leaves_the_file_before(tmp_path):
    output = tmp_path / "current.json"
    write_json(output, {"history": ["cũ"]})
    process = python(KILLED, output)
    assert process.stdout.readline() == "giữa chừng\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    assert json.loads(output.read_text("utf-8")) == {"history": ["cũ"]}
    write_json(output, {"history": ["mới"]})  # takes away what the killed one has left
    assert list(tmp_path.iterdir()) == [output]
    assert "mới" in output.read_text("utf-8")


def test_what_json_cannot_say_leaves_the_file_before(tmp_path):
    output = tmp_path / "current.json"
    write_json(output, ["cũ"])
    with pytest.raises(TypeError):
        write_json(output, {"path": tmp_path})
    assert json.loads(output.read_text("utf-8")) == ["cũ"]
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("history", [5, None, [5], [["a"]]])
def test_a_list_of_promotions_of_another_form_means_the_shipped_model(registry, history):
    make(registry, "a")
    write_json(registry.current_file, {"history": history})
    assert registry.current().name == SHIPPED
    assert current_checkpoint() == DEFAULT_CHECKPOINT


@pytest.mark.parametrize("record", [{}, [], 5, None])
def test_a_record_of_another_form_is_passed_over(registry, record):
    write_json(make(registry, "a") / RECORD, record)
    assert names(registry) == [SHIPPED]


def test_a_version_whose_record_breaks_is_not_used(registry):
    folder = make(registry, "a")
    registry.promote("a")
    (folder / RECORD).write_text("{", "utf-8")
    assert registry.current().name == SHIPPED
    assert current_checkpoint() == DEFAULT_CHECKPOINT


def test_going_back_never_leads_to_what_is_in_use(registry):
    for name in ("a", "b"):
        make(registry, name)
    for name in ("a", "b", "a"):
        registry.promote(name)
    shutil.rmtree(registry.folder / "b")
    assert registry.history() == [SHIPPED, "a"]
    assert registry.rollback().name == SHIPPED


def test_a_place_that_is_closed_gives_a_reason(registry, own_home):
    own_home.parent.mkdir(exist_ok=True)
    own_home.write_text("a file")
    with pytest.raises(InputError, match="Không ghi được"):
        registry.rollback()


def test_what_a_killed_removal_left_is_no_hindrance(registry):
    make(registry, "a")
    (registry.folder / ".removed-a").mkdir()
    (registry.folder / ".removed-a" / "x").touch()
    registry.remove("a")
    assert not (registry.folder / ".removed-a").exists()
