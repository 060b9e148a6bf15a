"""Read labelled articles from a file: what it says, and what is doubtful about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labels.names import find_theme, similar_theme, split_names, theme_key
from labels.store import ABSENT, MAIN, TOUCHED, Labelled, LabelStore, article_id
from model.corpus.columns import TextColumns, article_of, columns_of, find_columns, plain_name
from model.corpus.open_source import open_source
from model.corpus.source import Row
from model.corpus.text_tables import Delimited
from model.corpus.writers import as_it_was, whole
from model.errors import InputError

# The first name that a table has wins.
USUAL_NAMES = {
    MAIN: (
        "labels",
        "label",
        "nhan",
        "chu de",
        "chu de chinh",
        "themes",
        "theme",
        "topics",
        "topic",
    ),
    TOUCHED: ("touched", "nhac den", "chi nhac den"),
    ABSENT: ("absent", "khong co", "khong phai", "not"),
}
IMPLIED = "implied"  # column of what our own export knows to be absent by omission
MAX_NEW = 100  # themes; more are no themes
UNREAD = "?"  # in the place of labels: nobody has read the article yet


@dataclass
class Reading:
    """What a file says.

    Attributes:
        source: name of the file.
        labelled: its articles, once each.
        new: themes that the store does not know, name by key.
        similar: for those of `new` that look like a slip of the pen, the key that may be meant.
        duplicates: how many rows repeat one before.
        unread: how many rows nobody has labelled yet.
        problems: rows that were left out, with the reason.
        changes: labels in the store that the file contradicts.
    """

    source: str
    labelled: list[Labelled] = field(default_factory=list)
    new: dict[str, str] = field(default_factory=dict)
    similar: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    unread: int = 0
    problems: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def count(self, grade: int) -> Counter[str]:
        """How many articles have that grade, by theme."""
        return Counter(t for item in self.labelled for t, g in item.grades.items() if g == grade)


def read_labels(
    path: str,
    themes: Mapping[str, str],
    text_columns: Sequence[str] = (),
    name: str | None = None,
    removed: Mapping[str, str] | None = None,
) -> Reading:
    """Read a table of labelled articles.

    A row lists the themes of its article in `labels`. A theme that the file uses elsewhere and
    not on this row is absent here; one that the file never uses stays unknown. A file with a
    column `absent` says itself what is absent.

    Args:
        path: any table that `open_source` opens.
        themes: names of the known themes by key.
        text_columns: where the text is, if not in columns of usual names.
        name: of the file, if not that of `path`.
        removed: themes that users have removed, names by key; one that is used is new again.

    Raises InputError if there is no table, or no column of labels.
    """
    source = open_source(path)
    if source.has_documents:
        raise InputError("Nhãn cần một bảng: .jsonl, .csv, .tsv, .xlsx hoặc .parquet.")
    columns = None
    delimited = isinstance(source, Delimited)
    if source.columns is not None:
        columns = find_columns(source.columns, text_columns)
        find_label_columns(source.columns)
    elif text_columns:
        columns = find_columns(text_columns, text_columns)
    reading = Reading(name or Path(path).name)
    names: dict[str, str] = {**themes, **(removed or {})}
    most = len(names) + MAX_NEW
    found: dict[str, tuple[Labelled, str]] = {}
    clashing: set[str] = set()
    implies = True
    for row in source.rows():
        try:
            if delimited:
                row = replace(row, fields={n: as_it_was(c) for n, c in row.fields.items()})
            item, states_absent = read_row(row, columns, names)
        except InputError as error:
            reading.problems.append(f"{row.place}: {error}")
            continue
        if len(names) > most:
            raise InputError(
                f"Tệp có hơn {MAX_NEW} chủ đề chưa biết; có lẽ cột nhãn không phải là chủ đề."
            )
        implies &= not states_absent
        if item is None:
            reading.unread += 1
            continue
        identity = article_id(item.article)
        before, place = found.setdefault(identity, (item, row.place))
        if before is item:
            continue
        if before.grades == item.grades:
            reading.duplicates += 1
        else:
            clashing.add(identity)
            reading.problems.append(
                f"{row.place}: cùng bài với {place} nhưng khác nhãn; bỏ cả hai."
            )
    labelled = [item for identity, (item, _) in found.items() if identity not in clashing]
    if implies:
        labelled = with_implied(labelled)
    reading.labelled = labelled = [item for item in labelled if item.grades]
    used = {theme for item in labelled for theme in item.grades}
    reading.new = {k: label for k, label in names.items() if k not in themes and k in used}
    for key, label in reading.new.items():
        if meant := similar_theme(label, themes):
            reading.similar[key] = meant
    return reading


def find_label_columns(columns: Sequence[str]) -> dict[int, str]:
    """The columns of labels by grade. Raises InputError if none has the main themes."""
    names = {plain_name(column): column for column in reversed(columns)}
    found = {}
    for grade, usual in USUAL_NAMES.items():
        if column := next((names[name] for name in usual if name in names), None):
            found[grade] = column
    if MAIN not in found:
        listed = ", ".join(f"'{column}'" for column in columns)
        raise InputError(
            f"Không thấy cột nhãn ('labels', 'nhãn' hoặc 'chủ đề') trong các cột: {listed}."
        )
    return found


def read_row(
    row: Row, columns: TextColumns | None, names: dict[str, str]
) -> tuple[Labelled | None, bool]:
    """A row's article and labels, None if it is unread; and does it say what is absent?

    Adds new themes to `names`. Raises InputError if the row is no labelled article.
    """
    if row.error is not None:
        raise InputError(row.error)
    label_columns = find_label_columns(list(row.fields))
    cells = {grade: cell_names(row.fields[c], names) for grade, c in label_columns.items()}
    if UNREAD in cells[MAIN]:
        return None, False
    usual = columns_of(tuple(n for n in row.fields if n not in label_columns.values()))
    article = article_of(row.fields, columns or usual)
    grades: dict[str, int] = {}
    for grade, listed in cells.items():
        for name in listed:
            key = key_of(name, names)
            if grades.setdefault(key, grade) != grade:
                raise InputError(f"chủ đề '{name}' vừa có vừa không.")
    implied = [key_of(name, names) for name in cell_names(row.fields.get(IMPLIED), names)]
    unstated = frozenset(implied) - grades.keys()
    grades |= dict.fromkeys(unstated, ABSENT)
    identity = row.fields.get(usual.id or "")
    name = "" if identity is None else whole(str(identity))
    return Labelled(name, article, grades, unstated), ABSENT in label_columns


def key_of(name: str, names: dict[str, str]) -> str:
    """The key of a theme, which is added to `names` if it is new. InputError if it is no name."""
    key = find_theme(name, names)
    if key is None:
        key = theme_key(name)
        names[key] = name
    return key


def cell_names(cell: Any, themes: Mapping[str, str]) -> list[str]:
    """The names in a cell of labels, a text or a list. Raises InputError if it is neither."""
    if cell is None:
        return []
    if isinstance(cell, str):
        return split_names(whole(cell), themes)
    if isinstance(cell, list) and all(isinstance(name, str) for name in cell):
        return list(dict.fromkeys(whole(name.strip()) for name in cell if name.strip()))
    raise InputError("nhãn phải là chuỗi hoặc danh sách chuỗi.")


def with_implied(labelled: Sequence[Labelled]) -> list[Labelled]:
    """Themes that are used on one row and not on another are absent on that one."""
    used = {theme for item in labelled for theme in item.grades}
    return [
        replace(
            item,
            grades=dict.fromkeys(sorted(used), ABSENT) | dict(item.grades),
            implied=frozenset(used - item.grades.keys()),
        )
        for item in labelled
    ]


def find_changes(reading: Reading, store: LabelStore) -> None:
    """Note which labels of the store would become others by the file."""
    stored = {item.id: item for item in store.articles()}
    for item in reading.labelled:
        before = stored.get(article_id(item.article))
        if before is None:
            continue
        for theme, grade in item.grades.items():
            label = before.labels.get(theme)
            if label and label.grade != grade and not (label.stated and theme in item.implied):
                title = item.article.title or item.article.text[:60]
                reading.changes.append(f"'{title}': {theme}, nhãn trước của {label.author}")


def store_reading(reading: Reading, store: LabelStore, author: str) -> int:
    """Put what was read into the store, its new themes too; how many labels are new?"""
    return store.add(reading.labelled, author, reading.source, reading.new)
