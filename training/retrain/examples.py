"""What a new version learns from: the labels of the store, and our own articles beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labels.store import MAIN, LabelStore, StoredArticle, article_id
from model.article import Article
from model.classifier import MENTIONED
from model.errors import InputError
from training.data import DATA, load_jsonl

MIN_EXAMPLES = 10  # of a new theme


@dataclass(frozen=True)
class Example:
    """An article and what is known of it.

    Attributes:
        id: of its text (`article_id`).
        name: as people call it: its title, or how it begins.
        grades: 0 to 2 by theme; a theme that is not in it is unknown.
        ours: is it one of the articles that come with the program?
    """

    id: str
    name: str
    article: Article
    grades: Mapping[str, float]
    ours: bool = False


def of_store(item: StoredArticle) -> Example:
    """An article of the store as an example."""
    return Example(item.id, name_of(item.article), item.article, item.grades)


def name_of(article: Article) -> str:
    """The title of an article, or how it begins."""
    return article.title or article.text[:80]


def own_examples(folder: str) -> list[Example]:
    """The articles of our own writing in a folder of `training/data`."""
    return [
        Example(article_id(a.article), name_of(a.article), a.article, a.grades, ours=True)
        for a in load_jsonl(DATA / folder, folder)
    ]


@dataclass(frozen=True)
class Lesson:
    """Everything that a training needs to know.

    Attributes:
        themes: the new version's themes by key, with their names.
        new: those of them that the current version does not know.
        learned: examples to learn from. background: our own articles, to learn from as well.
        held_out: examples to measure by.
        fingerprint: of the themes and of all labels.
    """

    themes: dict[str, str]
    new: list[str]
    learned: list[Example]
    background: list[Example]
    held_out: list[Example]
    fingerprint: str

    @property
    def examples(self) -> list[Example]:
        """All that is learnt from: the store's articles first."""
        return [*self.learned, *self.background]

    def with_unlabelled(self, examples: Sequence[Example]) -> Lesson:
        """The same with more background, but for articles that are in it already."""
        there = {e.id for e in (*self.examples, *self.held_out)}
        return replace(
            self, background=[*self.background, *(e for e in examples if e.id not in there)]
        )


def with_grades_of(examples: Sequence[Example], articles: Sequence[StoredArticle]) -> list[Example]:
    """Our own articles, with what the store says of the same ones on top."""
    stored = {item.id: item.grades for item in articles}
    return [
        replace(example, grades={**example.grades, **stored.get(example.id, {})})
        for example in examples
    ]


def read_held_out(articles: Sequence[StoredArticle]) -> list[Example]:
    """What versions are measured by: labels held out of training, and our own check articles."""
    check = with_grades_of(own_examples("check"), articles)
    ours = {example.id for example in check}
    held_out = [item for item in articles if item.held_out and item.labels and item.id not in ours]
    return [*map(of_store, held_out), *check]


def read_lesson(store: LabelStore, known: Mapping[str, str]) -> Lesson:
    """What the store has to teach.

    Args:
        known: themes of the current version.

    Raises InputError if a new theme has too few examples, or if there is nothing to learn.
    """
    articles = [item for item in store.articles() if item.labels]
    themes = store.themes(known)
    if not themes:
        raise InputError("Không còn chủ đề nào. Hãy thêm lại một chủ đề.")
    new = [theme for theme in themes if theme not in known]
    check = {example.id for example in own_examples("check")}
    missing = []
    for theme in new:
        count = sum(item.grades.get(theme) == MAIN for item in articles if item.id not in check)
        if count < MIN_EXAMPLES:
            missing.append(
                f"Chủ đề '{themes[theme]}' mới có {count} bài làm nội dung chính, còn thiếu "
                f"{MIN_EXAMPLES - count} bài (cần ít nhất {MIN_EXAMPLES})."
            )
    if missing:
        raise InputError(
            " ".join(missing) + " Hãy gán nhãn thêm, hoặc bỏ chủ đề bằng chude themes remove."
        )
    if not articles and themes == known:
        raise InputError(
            "Kho nhãn trống, không có gì để học. Hãy sửa nhãn trên trang hoặc chạy chude labels "
            "import."
        )
    labels = sorted((item.id, sorted(item.grades.items())) for item in articles)
    text = json.dumps([sorted(themes.items()), labels], ensure_ascii=False)
    held_out = read_held_out(articles)
    measured = {example.id for example in held_out}
    learned = [of_store(item) for item in articles if item.id not in measured]
    graded = measured | {example.id for example in learned}
    return Lesson(
        themes=themes,
        new=new,
        learned=learned,
        background=[e for e in own_examples("written") if e.id not in graded],
        held_out=held_out,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
    )


def targets(examples: Sequence[Example], label: str) -> np.ndarray:
    """Whether `label` is true of each example, NaN where that is unknown; shape (examples,).

    Args:
        label: a theme, for a main topic, or `<theme>:mentioned`.
    """
    theme = label.removesuffix(MENTIONED)
    grades = np.array([e.grades.get(theme, np.nan) for e in examples], dtype=float)
    return np.clip(grades if label.endswith(MENTIONED) else grades - 1, 0, 1)
