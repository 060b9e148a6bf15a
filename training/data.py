"""The labelled articles: grades by id in `training/data`, public texts in Parquet files.

A grade is 0 (absent), 1 (touched) or 2 (a main topic). `labels.tsv` names articles of two
public collections by id: `vn-…` of VietNews (Nguyen et al. 2019) and `bm-…` of Baomoi 2017;
`written/*.jsonl` holds articles written for training, text and grades together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from model.article import Article
from model.classifier import MENTIONED

DATA = Path(__file__).parent / "data"
SECOND_READING = DATA / "second-reading.tsv"
THEMES = {
    "dan_van": "Dân vận",
    "cai_cach_hanh_chinh": "Cải cách hành chính",
    "bau_cu": "Bầu cử (Quốc hội, HĐND)",
    "gpmb": "Giải phóng mặt bằng",
}
# Taught beside the themes, since it is the commonest false alarm of `bau_cu`; not shipped.
AUXILIARY = {"bau_cu_nuoc_ngoai": "Bầu cử nước ngoài"}
KEYS = [*THEMES, *AUXILIARY]
LABELS = [*KEYS, *(key + MENTIONED for key in KEYS)]
SHIPPED = [*THEMES, *(key + MENTIONED for key in THEMES)]


@dataclass(frozen=True)
class LabelledArticle:
    """An article with its grades.

    Attributes:
        id: the collection's own id.
        article: the text.
        grades: one grade of 0, 1 or 2 per key of `KEYS`; between them where readers differ.
        split: "train", "validation" or "test"; for check articles their kind.
    """

    id: str
    article: Article
    grades: dict[str, float]
    split: str


def read_texts(corpus: Path, ids: set[str], with_abstracts: bool = True) -> dict[str, Article]:
    """The articles of `ids` out of every Parquet file under `corpus`.

    Args:
        with_abstracts: take the abstracts of VietNews, which are the leads of its articles, as
            such; not for summaries, whose reference they are.

    Raises:
        ValueError: one of the articles is in no file.
    """
    found: dict[str, Article] = {}
    for path in sorted(corpus.rglob("*.parquet")):
        table = pd.read_parquet(path, columns=["id"])
        if not table["id"].isin(ids).any():
            continue
        table = pd.read_parquet(path, filters=[("id", "in", sorted(ids))])
        lead = "lead" if "lead" in table else "abstract"
        for row in table.to_dict("records"):
            own = row[lead] if with_abstracts or lead == "lead" else None
            found[row["id"]] = Article.from_fields(row["title"], own, row["body"])
    if missing := ids - found.keys():
        raise ValueError(f"{len(missing)} labelled articles are not under {corpus}: {min(missing)}")
    return found


def read_labels(path: Path = DATA / "labels.tsv") -> pd.DataFrame:
    """The label file: id, split, a grade per key, `<key>_2` for a second reader's."""
    return pd.read_csv(path, sep="\t", index_col="id")


def load_graded(corpus: Path) -> list[LabelledArticle]:
    """The public articles. Training grades are the mean of all who have read the article;
    validation and test keep the first reader's, which the figures are about."""
    labels = read_labels()
    again = read_labels(SECOND_READING)
    texts = read_texts(corpus, set(labels.index))
    articles = []
    for name, row in labels.iterrows():
        grades = {key: float(row[key]) for key in KEYS}
        if row["split"] == "train":
            for key in KEYS:
                others = [row.get(f"{key}_2", np.nan), again[key].get(name, np.nan)]
                grades[key] = float(np.nanmean(np.array([grades[key], *others], dtype=float)))
        articles.append(LabelledArticle(str(name), texts[str(name)], grades, row["split"]))
    return articles


def load_jsonl(folder: Path, split: str | None = None) -> list[LabelledArticle]:
    """Articles of our own writing; their split is `split`, or else their "kind"."""
    articles = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            article = Article.from_fields(row["title"], row["lead"], row["body"])
            grades = {key: float(row["grades"][key]) for key in KEYS}
            articles.append(LabelledArticle(row["id"], article, grades, split or row["kind"]))
    return articles


def grade_matrix(articles: list[LabelledArticle], keys: list[str] | None = None) -> np.ndarray:
    """Grades as an array of shape (articles, keys)."""
    return np.array([[a.grades[key] for key in keys or KEYS] for a in articles])


def soft_targets(grades: np.ndarray) -> np.ndarray:
    """Targets of `LABELS` from grades: P(main topic), then P(mentioned); (articles, 2 × keys)."""
    return np.hstack([np.clip(grades - 1, 0, 1), np.clip(grades, 0, 1)]).astype(np.float32)
