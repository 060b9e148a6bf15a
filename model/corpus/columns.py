"""Which column of a table is the title, the lead, the body: by their usual names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from model.article import Article
from model.errors import InputError

# The first name that a table has wins, so the plainest stand in front.
USUAL_NAMES = {
    "id": ("id", "ma", "ma bai", "ma so", "guid", "article id", "stt"),
    "title": ("title", "tieu de", "tieu de bai viet", "ten bai", "ten bai viet", "headline", "tit"),
    "lead": ("lead", "sapo", "abstract", "dan", "loi dan", "mo ta", "description", "trich yeu"),
    "body": ("body", "noi dung", "content", "noi dung bai viet", "than bai", "contents"),
    "text": ("text", "van ban", "toan van", "bai viet", "full text", "fulltext", "article"),
    "date": (
        *("date", "ngay", "ngay dang", "ngay xuat ban", "thoi gian", "published", "publish date"),
        *("published at", "published date", "pubdate", "created at", "datetime"),
    ),
}
TEXT_ROLES = ("title", "lead", "body", "text")


def plain_name(name: str) -> str:
    """A column's name in small letters without accents: "Tiêu_đề " and "tieu de" are one."""
    letters = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", letters))


@dataclass(frozen=True)
class TextColumns:
    """Names of the columns that hold an article, None where a table has none.

    Attributes:
        body_parts: further columns to read as parts of the body, in that order.
    """

    id: str | None = None
    title: str | None = None
    lead: str | None = None
    body: str | None = None
    text: str | None = None
    date: str | None = None
    body_parts: tuple[str, ...] = ()

    @property
    def has_text(self) -> bool:
        """Is there anything to read?"""
        return bool(self.title or self.lead or self.body or self.text or self.body_parts)

    @property
    def read(self) -> list[str]:
        """The columns that are read, in the order of an article."""
        named = [getattr(self, role) for role in TEXT_ROLES]
        return [name for name in (*named, *self.body_parts) if name]


def find_columns(columns: Iterable[str], chosen: Sequence[str] = ()) -> TextColumns:
    """The columns of an article by their usual names, or those that the user has chosen.

    A chosen column is the title or the lead if it is called so; the others are the body.

    Raises InputError if a chosen column is not there.
    """
    exact = list(columns)
    names: dict[str, str] = {}
    for column in exact:
        if plain := plain_name(column):
            names.setdefault(plain, column)

    def find(name: str) -> str:
        column = name if name in exact else names.get(plain_name(name))
        if column is None:
            listed = ", ".join(f"'{column}'" for column in exact)
            raise InputError(f"Không có cột '{name}'. Các cột của tệp: {listed}.")
        return column

    roles = {
        role: next((names[name] for name in usual if name in names), None)
        for role, usual in USUAL_NAMES.items()
    }
    if not chosen:
        return TextColumns(**roles)  # type: ignore[arg-type]
    wanted = [find(name) for name in chosen]
    title, lead = (roles[role] if roles[role] in wanted else None for role in ("title", "lead"))
    parts = tuple(dict.fromkeys(name for name in wanted if name not in (title, lead)))
    return TextColumns(roles["id"], title, lead, date=roles["date"], body_parts=parts)


@lru_cache(maxsize=256)
def columns_of(names: tuple[str, ...]) -> TextColumns:
    """`find_columns`, once for rows of the same columns."""
    return find_columns(names)


def chosen_columns(
    names: Iterable[str], title: str | None, lead: str | None, text: str | None
) -> TextColumns:
    """The columns that somebody has set one by one. Raises InputError if none is."""
    if not (title or lead or text):
        raise InputError("Hãy chọn cột chứa tiêu đề, đoạn mở đầu hoặc nội dung bài viết.")
    found = find_columns(names)
    return TextColumns(found.id, title, lead, text=text, date=found.date)


def article_of(fields: Mapping[str, Any], columns: TextColumns) -> Article:
    """The article of a row. Raises InputError, with what is wrong, if there is none.

    A text that begins with the title, or has none beside it, is taken for a whole article as it
    would be pasted.
    """
    cells = {name: fields[name] for name in columns.read if fields.get(name) is not None}
    if not columns.read:
        raise InputError("thiếu trường 'text' (hoặc 'title', 'lead', 'body').")
    if not cells:
        names = ", ".join(f"'{name}'" for name in columns.read)
        raise InputError(f"không có nội dung ở {names}.")
    for name in (columns.title, columns.lead):  # a year alone in a cell is a number
        if name and isinstance(cells.get(name), (int, float)):
            cells[name] = str(cells[name])
    if wrong := [name for name, cell in cells.items() if not isinstance(cell, str)]:
        raise InputError(f"trường '{wrong[0]}' phải là chuỗi.")
    title, lead, body, text = (cells.get(getattr(columns, role), "") for role in TEXT_ROLES)
    if not text.strip():
        text = "\n".join([body, *(cells.get(name, "") for name in columns.body_parts)])
    title = title.strip()
    if (title and text.lstrip().split("\n", 1)[0].strip() != title) or lead.strip():
        return Article.from_fields(title, lead, text)
    return Article.from_text(text)
