"""The store of labels: one SQLite file, to which labels are only ever added.

A later label of the same article and theme takes the place of an earlier one, which stays in the
history with who gave it, when and from where.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from model.article import Article
from model.errors import InputError
from model.home import home

ABSENT, TOUCHED, MAIN = 0, 1, 2  # grades
HELD_OUT_EVERY = 4  # every fourth article of a kind is kept out of training, to measure by
SCHEMA = """
CREATE TABLE IF NOT EXISTS articles (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, title TEXT NOT NULL, lead TEXT NOT NULL,
    body TEXT NOT NULL, kind TEXT NOT NULL, held_out INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS labels (
    number INTEGER PRIMARY KEY,
    article TEXT NOT NULL REFERENCES articles (id),
    theme TEXT NOT NULL,
    grade INTEGER NOT NULL CHECK (grade IN (0, 1, 2)),
    stated INTEGER NOT NULL,
    author TEXT NOT NULL,
    source TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS labels_of ON labels (article, number);
CREATE INDEX IF NOT EXISTS articles_of ON articles (kind);
CREATE TABLE IF NOT EXISTS themes (
    key TEXT PRIMARY KEY, label TEXT NOT NULL, removed INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class Labelled:
    """An article with what somebody says of it.

    Attributes:
        name: its id as the user has it; may be empty.
        article: the text.
        grades: 0 (absent), 1 (touched) or 2 (a main topic) by theme; others are unknown.
        implied: the themes of `grades` that nobody has stated: absent by omission.
    """

    name: str
    article: Article
    grades: Mapping[str, int]
    implied: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StoredLabel:
    """A label as it stands."""

    grade: int
    stated: bool
    author: str
    source: str
    at: str


@dataclass(frozen=True)
class StoredArticle:
    """An article of the store with its labels by theme; `held_out` of training if so."""

    id: str
    name: str
    article: Article
    held_out: bool
    labels: Mapping[str, StoredLabel]

    @property
    def grades(self) -> dict[str, int]:
        """Its grades by theme."""
        return {theme: label.grade for theme, label in self.labels.items()}


def article_id(article: Article) -> str:
    """The same for the same words, however they are spaced or spelt in capitals."""
    return sha256(" ".join(article.text.casefold().split()).encode()).hexdigest()


class LabelStore:
    """The store in a folder, by default the user's own.

    Every call is one transaction on a connection of its own, so that threads and processes may
    share a store and a killed process leaves it whole. Raises InputError if the file cannot be
    used.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or home()) / "labels.sqlite"

    def add(
        self,
        labelled: Iterable[Labelled],
        author: str,
        source: str,
        themes: Mapping[str, str] | None = None,
    ) -> int:
        """Store labels, all or none; how many of them say something new?

        An implied label does not take the place of a stated one.

        Args:
            labelled: articles; those without any grade are passed over.
            themes: names of themes that are new or come back, by key.
            author: who gave them. source: where they come from, as "trang" or a file's name.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        new = 0
        with self._connect(write=True) as database:
            for key, label in (themes or {}).items():
                self._put_theme(database, key, label, removed=False)
            for item in labelled:
                if not item.grades:
                    continue
                identity = self._add_article(database, item)
                known = {
                    theme: (grade, stated)
                    for theme, grade, stated in database.execute(
                        "SELECT theme, grade, stated FROM labels WHERE article = ? ORDER BY number",
                        (identity,),
                    )
                }
                for theme, grade in item.grades.items():
                    stated = theme not in item.implied
                    before, was_stated = known.get(theme, (None, False))
                    if (before == grade and was_stated >= stated) or (was_stated and not stated):
                        continue
                    database.execute(
                        "INSERT INTO labels (article, theme, grade, stated, author, source, at) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (identity, theme, grade, stated, author, source, at),
                    )
                    new += 1
        return new

    def _add_article(self, database: sqlite3.Connection, item: Labelled) -> str:
        identity = article_id(item.article)
        if database.execute("SELECT 1 FROM articles WHERE id = ?", (identity,)).fetchone():
            return identity
        kind = next((t for t, grade in sorted(item.grades.items()) if grade == MAIN), "")
        [(before,)] = database.execute("SELECT count(*) FROM articles WHERE kind = ?", (kind,))
        article = item.article
        database.execute(
            "INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(identity, item.name, article.title, article.lead, "\n".join(article.paragraphs)),
                *(kind, before % HELD_OUT_EVERY == HELD_OUT_EVERY - 1),
            ),
        )
        return identity

    def articles(self) -> list[StoredArticle]:
        """Every article with its labels, in the order in which they came."""
        labels: dict[str, dict[str, StoredLabel]] = {}
        with self._connect() as database:
            for article, theme, grade, stated, author, source, at in database.execute(
                "SELECT article, theme, grade, stated, author, source, at FROM labels "
                "ORDER BY number"
            ):
                labels.setdefault(article, {})[theme] = StoredLabel(
                    grade, bool(stated), author, source, at
                )
            rows = database.execute(
                "SELECT id, name, title, lead, body, held_out FROM articles ORDER BY rowid"
            ).fetchall()
        return [
            StoredArticle(
                identity,
                name,
                Article(title, lead, tuple(body.split("\n")) if body else ()),
                bool(held_out),
                labels.get(identity, {}),
            )
            for identity, name, title, lead, body, held_out in rows
        ]

    def grades(self, article: Article) -> dict[str, int]:
        """What is known of one article, by theme."""
        with self._connect() as database:
            return dict(
                database.execute(
                    "SELECT theme, grade FROM labels WHERE article = ? ORDER BY number",
                    (article_id(article),),
                ).fetchall()
            )

    def themes(self, known: Mapping[str, str]) -> dict[str, str]:
        """Names of the themes by key: those that a model knows, changed as users have asked.

        Args:
            known: the model's.
        """
        themes = dict(known)
        with self._connect() as database:
            for key, label, removed in database.execute("SELECT * FROM themes ORDER BY rowid"):
                if removed:
                    themes.pop(key, None)
                else:
                    themes[key] = label
        return themes

    def removed_themes(self) -> dict[str, str]:
        """Names of the themes that users have removed, by key."""
        with self._connect() as database:
            return dict(database.execute("SELECT key, label FROM themes WHERE removed").fetchall())

    def name_theme(self, key: str, label: str) -> None:
        """Add a theme, rename it, or take back its removal."""
        with self._connect(write=True) as database:
            self._put_theme(database, key, label, removed=False)

    def remove_theme(self, key: str, label: str) -> None:
        """The next model will not have it; its labels stay in the store."""
        with self._connect(write=True) as database:
            self._put_theme(database, key, label, removed=True)

    @staticmethod
    def _put_theme(database: sqlite3.Connection, key: str, label: str, removed: bool) -> None:
        database.execute(
            "INSERT INTO themes VALUES (?, ?, ?) ON CONFLICT (key) "
            "DO UPDATE SET label = excluded.label, removed = excluded.removed",
            (key, label, removed),
        )

    @contextmanager
    def _connect(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that is written at once or not at all; to read, an empty store will do."""
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            there = write or self.path.exists()
            place = self.path if there else ":memory:"
            database = sqlite3.connect(place, timeout=60, isolation_level=None)
            try:
                database.execute("PRAGMA synchronous = FULL")
                database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                for statement in filter(str.strip, SCHEMA.split(";")):
                    database.execute(statement)
                yield database
                database.execute("COMMIT")
            finally:
                database.close()  # rolls back what is not committed
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"Không dùng được kho nhãn '{self.path}': {error}.") from error
