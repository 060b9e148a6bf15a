"""Lay an article's sentences into windows for an encoder that scores each in its context."""

from __future__ import annotations

import math
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from model.windows import TITLE, token_ids

WINDOW = 448  # tokens: most articles are one or two windows
MAX_SENTENCE = 128  # tokens of one sentence; what is longer is a table or a list
CONTEXT = 48  # tokens of the previous window's end that stand in front of the next


@dataclass(frozen=True)
class SentenceWindow:
    """Tokens of one window, and whose they are.

    Attributes:
        input_ids: special tokens, title and context included.
        sentence: for each token the number of the sentence that it scores, -1 for none.
    """

    input_ids: list[int]
    sentence: list[int]


def sentence_windows(
    tokenizer: PreTrainedTokenizerBase, title: str, sentences: list[str], size: int = WINDOW
) -> list[SentenceWindow]:
    """Windows of about equal length in which every sentence stands whole, once.

    Each begins with the title. A later one goes on with an ellipsis and the last tokens of the
    one before, unscored, so that its first sentence is not taken for the article's lead.
    """
    begin, *end = tokenizer.encode("")
    head = [begin, *token_ids(tokenizer, title)[:TITLE], *end]
    ellipsis = token_ids(tokenizer, "…")
    pieces = [token_ids(tokenizer, sentence)[:MAX_SENTENCE] for sentence in sentences]
    room = size - len(head) - len(end)
    total = sum(map(len, pieces))
    later = room - len(ellipsis) - CONTEXT
    count = 1 if total <= room else math.ceil((total - room) / later) + 1
    share = total / count

    windows: list[SentenceWindow] = []
    ids, owner = list(head), [-1] * len(head)
    before = done = 0  # tokens of sentences in earlier windows, and up to here
    for number, piece in enumerate(pieces):
        full = len(ids) + len(piece) + len(end) > size
        if done > before and (full or done + len(piece) / 2 > share * (len(windows) + 1)):
            windows.append(SentenceWindow(ids + end, owner + [-1] * len(end)))
            ids = head + ellipsis + ids[len(head) :][-CONTEXT:]
            owner = [-1] * len(ids)
            before = done
        ids = ids + piece
        owner = owner + [number] * len(piece)
        done += len(piece)
    windows.append(SentenceWindow(ids + end, owner + [-1] * len(end)))
    return windows
