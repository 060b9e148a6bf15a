"""TF-IDF + linear SVM: a teacher, the word model that is shipped, and a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from model.words import WordModel, ngrams
from training.data import LABELS, LabelledArticle, grade_matrix, soft_targets

# 1–2-grams of syllables as scikit-learn makes them, none of them marked.
plain_ngrams: Callable[[str], list[str]] = CountVectorizer(
    ngram_range=(1, 2), token_pattern=r"\w+"
).build_analyzer()


def _fit(inputs: csr_matrix, target: np.ndarray) -> CalibratedClassifierCV:
    """An SVM for one label.

    Args:
        inputs: TF-IDF, shape (texts, terms).
        target: probability of the label, NaN where unknown; shape (texts,).
    """
    true, false = np.flatnonzero(target > 0), np.flatnonzero(target < 1)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return CalibratedClassifierCV(LinearSVC(C=1.0), cv=folds, ensemble=False).fit(
        inputs[np.concatenate([true, false])],
        np.repeat([True, False], [len(true), len(false)]),
        sample_weight=np.concatenate([target[true], 1 - target[false]]),
    )


class WordSvm:
    """TF-IDF of n-grams over the whole text, a linear SVM per label, Platt scaling.

    Args:
        texts: what it learns from.
        targets: probability of each label, NaN where unknown; shape (texts, labels). A text that is
            neither surely is learnt as both, each as much as it is likely.
        labels: their names.
        analyzer: from a text to its n-grams.
    """

    def __init__(
        self,
        texts: Sequence[str],
        targets: np.ndarray,
        labels: Sequence[str],
        analyzer: Callable[[str], list[str]] = ngrams,
    ) -> None:
        self.names = list(labels)
        self.vectorizer = TfidfVectorizer(analyzer=analyzer, min_df=2, sublinear_tf=True)
        inputs = self.vectorizer.fit_transform(texts)
        self.labels = [_fit(inputs, target) for target in targets.T]

    @classmethod
    def of_graded(
        cls, articles: list[LabelledArticle], analyzer: Callable[[str], list[str]] = ngrams
    ) -> WordSvm:
        """What readers' grades teach it, for `LABELS`."""
        texts = [item.article.text for item in articles]
        return cls(texts, soft_targets(grade_matrix(articles)), LABELS, analyzer)

    def probabilities(self, texts: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities of its labels, shape (texts, labels)."""
        return self.probabilities_of(self.vectorizer.transform(texts))

    def probabilities_of(self, vectors: csr_matrix) -> np.ndarray:
        """The same from vectors of `vectorizer`, shape (texts, terms)."""
        return np.stack([label.predict_proba(vectors)[:, 1] for label in self.labels], axis=1)

    def word_model(self, labels: list[str]) -> WordModel:
        """The same for some of its labels, as it is shipped."""
        weights, biases = [], []
        for name in labels:
            [fitted] = self.labels[self.names.index(name)].calibrated_classifiers_
            svm, [platt] = fitted.estimator, fitted.calibrators
            # The probability is 1 / (1 + exp(a f + b)) of the margin f = w x + i.
            weights.append(-platt.a_ * svm.coef_[0])
            biases.append(-(platt.a_ * svm.intercept_[0] + platt.b_))
        return WordModel(
            self.vectorizer.get_feature_names_out().tolist(),
            torch.tensor(self.vectorizer.idf_, dtype=torch.float32),
            torch.tensor(np.array(weights).T, dtype=torch.float32),
            torch.tensor(np.array(biases), dtype=torch.float32),
        )
