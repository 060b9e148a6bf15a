"""Written (abstractive) summaries, shown only where the article says what they say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from model.article import Article
from model.errors import InputError
from model.faithfulness import unsupported
from model.page_noise import PROSE_END
from model.sentences import split_at_stops
from model.summarizer import (
    ABSTRACTIVE,
    DEFAULT_LENGTH,
    LENGTHS,
    Summarizes,
    Summary,
    SummarySentence,
)

logger = logging.getLogger(__name__)
MAX_SOURCE = 512  # tokens of the article that are read
BATCH = 8
BEAMS = 4
TOKENS_PER_SYLLABLE = 1.8  # generous: the budget is of syllables


class WrittenSummarizer:
    """A sequence-to-sequence model that writes, and an extractive one for where it errs."""

    def __init__(self, checkpoint: str | Path, fallback: Summarizes) -> None:
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
            self.model = AutoModelForSeq2SeqLM.from_pretrained(
                checkpoint, dtype=torch.float32
            ).eval()
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise InputError(
                f"Không nạp được mô hình viết tóm tắt ở '{checkpoint}'. Mô hình này không đi kèm; "
                "xem README, mục huấn luyện, lệnh training.train_summarizer."
            ) from error
        self.fallback = fallback

    def summarize(self, articles: Sequence[Article], length: str = DEFAULT_LENGTH) -> list[Summary]:
        """A summary per article; its mode tells whether it was written or fell back.

        A written one falls back if it is empty or has a number, a date or a name that does not
        stand in the article.
        """
        written: list[Summary | None] = []
        for start in range(0, len(articles), BATCH):
            batch = articles[start : start + BATCH]
            for article, sentences in zip(batch, self.write(batch, length), strict=True):
                text = " ".join(sentences)
                missing = unsupported(text, article.text)
                if missing or not text:
                    logger.info("falling back: the article lacks %s", missing or "a summary")
                    written.append(None)
                    continue
                parts = [SummarySentence(sentence, None) for sentence in sentences]
                written.append(Summary(text, ABSTRACTIVE, parts))
        failed = [a for a, summary in zip(articles, written, strict=True) if summary is None]
        instead = iter(self.fallback.summarize(failed, length))
        return [summary or next(instead) for summary in written]

    @torch.inference_mode()
    def write(self, articles: Sequence[Article], length: str) -> list[list[str]]:
        """The sentences that the model writes, unchecked, without one that the limit cut off."""
        inputs = self.tokenizer(
            [article.text for article in articles],
            truncation=True,
            max_length=MAX_SOURCE,
            padding=True,
            return_tensors="pt",
            return_token_type_ids=False,
            split_special_tokens=True,
        )
        written = self.model.generate(
            **inputs,
            num_beams=BEAMS,
            no_repeat_ngram_size=6,  # of word pieces: a long name may well be said again
            max_new_tokens=int(LENGTHS[length].budget * TOKENS_PER_SYLLABLE),
        )
        texts = self.tokenizer.batch_decode(written, skip_special_tokens=True)
        whole = [
            [s for s in split_at_stops(" ".join(text.split())) if PROSE_END.search(s)]
            for text in texts
        ]
        return [sentences[: LENGTHS[length].sentences] for sentences in whole]
