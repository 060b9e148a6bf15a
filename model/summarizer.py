"""A short summary from the article's own sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from model.article import LONGEST_LEAD, Article, syllable_count
from model.openings import is_ceremony, is_contrast, is_dangling, stand_alone, without_bullet
from model.page_noise import CAPTION, PROSE_END
from model.sentence_windows import SentenceWindow, sentence_windows
from model.sentences import UPPER, split_sentences
from model.windows import batches_by_length, pad_windows

DEFAULT_CHECKPOINT = Path(__file__).parent / "checkpoints" / "sentences"
EXTRACTIVE, ABSTRACTIVE = "extractive", "abstractive"
MIN_SYLLABLES = 6
MIN_BARE_SYLLABLES = 12  # of a line without a full stop, where no line has one
MIN_WORDED = 0.2  # share of words in small letters; fewer are a table or a list of names
LONGEST_SENTENCE = 90  # syllables; a longer one is shown up to a break, with an ellipsis
LONGEST_CHARACTERS = 900
MAX_OVERLAP = 0.5  # of the shorter sentence's words
DANGLING_PENALTY, CEREMONY_PENALTY, CAPTION_PENALTY = 0.7, 1.5, 0.7  # logits
# Logits, for a second sentence that adds the whole title. For the first one readers did not like
# it: it takes the place of the news.
TITLE_BONUS = 2.0
SHORTEST_TITLE = 8  # pairs of syllables; one word of a shorter title is no whole title
# Logits, for the first sentence of a lead: readers like a summary that begins with it. In the
# articles with abstracts the scorer has never seen one, since the abstracts are the leads.
LEAD_BONUS = 1.0
SCRAP = re.compile(r"[a-zà-ỹ\d]{1,12}[),;]")
# The caption of a portrait: an office, a name and no verb, or who is speaking where.
OFFICE = (
    r"(?:(?:Phó )?(?:[Tt]ổng thư ký|[Tt]ổng bí thư|[Tt]ổng thống|[Bb]í thư|[Tt]hủ tướng|[Cc]hủ tịch"
    r"|[Bb]ộ trưởng|[Gg]iám đốc|[Tt]rưởng ban)|Thứ trưởng|Đại biểu|Ông|Bà)"
)
PORTRAIT = re.compile(
    rf"{OFFICE}\b(?!.*[“”\";:])"
    r"(?!.*\b(?:cho|nói|là|đã|sẽ|vừa|được|bị|có|yêu cầu|đề nghị|khẳng định|nhấn mạnh|chủ trì|tiếp"
    r"|gặp|bổ nhiệm|giao|ký|chỉ đạo|trao|đến|thăm|kiểm tra|họp|quyết định|công bố)\b)"
    rf".*(?:[{UPPER}]\w* [{UPPER}]\w*\.$"
    r"|\b(?:phát biểu|trả lời|trao đổi|đọc báo cáo|tại (?:buổi|hội nghị|phiên|cuộc))\b)"
)
LONGEST_CAPTION = 25  # syllables
# A caption describes: no tense, no number, nobody's words.
TOLD = re.compile(
    r"(?i)\b(?:đã|sẽ|đang|vừa|được|bị|phải|cần|cho|rằng|yêu cầu|đề nghị|khẳng định|quyết định|nói"
    r"|là|có|không|nên|vẫn|còn|mới|chưa|nhấn mạnh|đề xuất|kiến nghị|thông báo|công bố|giảm|tăng)\b"
    r"|[\"“”:;\d]"
)
NEWS_SENTENCES = 4  # at the beginning of an article, in which its news is told
CUT_OFF = re.compile(r"(?<!\W)\W*(?:\.\.\.|…)$")
# Syllables. Readers found such a lead the better summary by itself, and a shorter one better with
# another sentence of the article.
ENOUGH_LEAD = 30
RANKS = 3  # best sentences that are looked at; the fourth is not chosen for its length


@dataclass(frozen=True)
class Length:
    """How long a summary is: the syllables aimed at and the most sentences."""

    budget: int
    sentences: int


LENGTHS = {"short": Length(32, 1), "medium": Length(55, 3)}
DEFAULT_LENGTH = "medium"


@dataclass(frozen=True)
class SummarySentence:
    """A sentence of a summary; `source_index` is its place in `Article.sentences`, None if it
    was written and stands nowhere."""

    text: str
    source_index: int | None


@dataclass(frozen=True)
class Summary:
    """A summary.

    Attributes:
        text: empty if there is nothing to summarise.
        mode: "extractive" or "abstractive".
        sentences: in the order of the text.
    """

    text: str
    mode: str
    sentences: list[SummarySentence]


def sentence_means(token_logits: torch.Tensor, sentence: torch.Tensor, count: int) -> torch.Tensor:
    """The mean logit of each sentence's tokens, shape (count,).

    Args:
        token_logits: shape (windows, tokens).
        sentence: number of each token's sentence, -1 for none; shape (windows, tokens).
        count: number of sentences.
    """
    scored = sentence >= 0
    index, values = sentence[scored], token_logits[scored]
    total = values.new_zeros(count).index_add(0, index, values)
    tokens = values.new_zeros(count).index_add(0, index, torch.ones_like(values))
    return total / tokens.clamp(min=1)


class SentenceScorer:
    """How much each sentence is worth in a summary: the mean over its tokens of the logits of
    the first label of a token classifier."""

    def __init__(self, checkpoint: str | Path = DEFAULT_CHECKPOINT) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        self.model = AutoModelForTokenClassification.from_pretrained(
            checkpoint, dtype=torch.float32
        ).eval()

    @torch.inference_mode()
    def scores(self, articles: Sequence[tuple[str, list[str]]]) -> list[list[float]]:
        """The score of every sentence of every article, given as title and sentences."""
        windows: list[SentenceWindow] = []
        starts: list[int] = []  # for each window the number of its article's first sentence
        count = 0
        for title, sentences in articles:
            own = sentence_windows(self.tokenizer, title, sentences)
            windows += own
            starts += [count] * len(own)
            count += len(sentences)
        scores = torch.zeros(count)
        for batch in batches_by_length([window.input_ids for window in windows]):
            inputs = pad_windows([windows[i].input_ids for i in batch], self.tokenizer.pad_token_id)
            logits = self.model(**inputs).logits[..., 0]
            sentence = torch.full(logits.shape, -1)
            for row, index in enumerate(batch):
                own_sentence = torch.tensor(windows[index].sentence)
                own_sentence[own_sentence >= 0] += starts[index]
                sentence[row, : len(own_sentence)] = own_sentence
            scores += sentence_means(logits, sentence, count)  # a sentence is in one window
        lengths = [len(sentences) for _, sentences in articles]
        return [part.tolist() for part in scores.split(lengths)]


def fit_sentences(sentences: Sequence[str], title: str = "") -> list[int]:
    """Indices of the sentences that can stand in a summary.

    A heading, a caption, a question, half a quotation, a list or the title again cannot. Where
    nothing has a full stop (a text typed without), longer lines can.
    """
    prose = [
        (i, s)
        for i, s in enumerate(sentences)
        if syllable_count(s) >= MIN_SYLLABLES
        and "?" not in s[-4:]
        and not CAPTION.search(s)
        and not (syllable_count(s) <= LONGEST_CAPTION and PORTRAIT.match(s))
        and is_worded(s)
        and is_whole(s)
        and s.rstrip(" .!…") != title.rstrip(" .!…")
    ]
    ended = [(i, s) for i, s in prose if PROSE_END.search(s)]
    found = ended or [(i, s) for i, s in prose if syllable_count(s) >= MIN_BARE_SYLLABLES]
    return [i for i, s in found if shortened(s) == s] or [i for i, _ in found]


def is_like_a_caption(sentence: str) -> bool:
    """Is it a short sentence that describes and does not tell?"""
    return syllable_count(sentence) < LONGEST_CAPTION and not TOLD.search(sentence)


def is_whole(sentence: str) -> bool:
    """Is it neither half a quotation nor a piece of a badly cut sentence?"""
    quotes = sum(map(sentence.count, '"“”'))
    brackets = sentence.count("(") - sentence.count(")")
    return quotes % 2 == 0 and brackets == 0 and not SCRAP.match(sentence)


def is_worded(sentence: str) -> bool:
    """Is enough of it in small letters, as in sentences and not in tables and lists of names?"""
    words = [word.lstrip("“\"'‘(«[") for word in sentence.split()]
    words = [word for word in words if word[:1].isalpha()]
    return sum(word[0].islower() for word in words) >= MIN_WORDED * max(1, len(words))


def syllable_pairs(text: str) -> set[tuple[str, str]]:
    """The pairs of neighbouring syllables, in small letters."""
    syllables = re.findall(r"\w+", text.lower())
    return set(pairwise(syllables))


def repeats(sentence: str, chosen: Sequence[str]) -> bool:
    """Does it say mostly what one of the chosen sentences says?"""
    own = set(re.findall(r"\w+", sentence.lower()))
    return any(
        len(own & other) > MAX_OVERLAP * min(len(own), len(other))
        for other in (set(re.findall(r"\w+", c.lower())) for c in chosen)
    )


def ranked(
    sentences: Sequence[str], scores: Sequence[float], length: Length, title: str
) -> list[int]:
    """Indices of the sentences that can stand in a summary of that length, best first.

    What hangs on a sentence that is not there, who attended, and what reads like a caption count
    against a sentence; for those that stand beside the best one, what they add of the title counts.
    """
    whole = {
        i: scores[i]
        - CEREMONY_PENALTY * is_ceremony(sentences[i])
        - CAPTION_PENALTY * is_like_a_caption(sentences[i])
        for i in fit_sentences(sentences, title)
    }
    if not whole:
        return []
    worth = {i: whole[i] - DANGLING_PENALTY * is_dangling(sentences[i]) for i in whole}
    best = max(worth, key=worth.__getitem__)
    if length.sentences > 1:
        if best + 1 in worth:
            worth[best + 1] = whole[best + 1]  # what it hangs on stands in front of it
        title_pairs = syllable_pairs(title)
        untold = title_pairs - syllable_pairs(sentences[best])
        for i in worth:
            told = len(syllable_pairs(sentences[i]) & untold)
            worth[i] += TITLE_BONUS * told / max(SHORTEST_TITLE, len(title_pairs))
    return sorted(worth, key=lambda i: (i != best, -worth[i]))


def choose(
    sentences: Sequence[str],
    scores: Sequence[float],
    length: Length = LENGTHS[DEFAULT_LENGTH],
    title: str = "",
) -> list[int]:
    """Indices, in the order of the article, of the best sentences for a summary of that length.

    The best sentence is always taken; each further one if the sum comes nearer to the budget. A
    summary of one sentence takes the best of a fit length, if one of the best has it.
    """
    return pick(ranked(sentences, scores, length, title), sentences, length)


def pick(ranks: Sequence[int], sentences: Sequence[str], length: Length) -> list[int]:
    """`choose` from sentences that are ranked already, best first."""
    best = ranks[:RANKS]
    if length.sentences == 1:
        syllables = {i: syllable_count(sentences[i]) for i in best}
        near = [i for i in best if abs(syllables[i] - length.budget) <= length.budget / 2]
        return list(near[:1] or best[:1])
    return filled([], best, sentences, length)


def filled(
    chosen: Sequence[int], others: Sequence[int], sentences: Sequence[str], length: Length
) -> list[int]:
    """`chosen`, and each of `others` that is no repetition and takes the sum nearer to the budget,
    in the order of the article."""
    chosen = list(chosen)
    total = sum(syllable_count(sentences[i]) for i in chosen)
    for index in others:
        if chosen and (total >= length.budget or len(chosen) >= length.sentences):
            break
        syllables = syllable_count(sentences[index])
        nearer = abs(total + syllables - length.budget) < abs(total - length.budget)
        if chosen and (not nearer or repeats(sentences[index], [sentences[i] for i in chosen])):
            continue
        chosen.append(index)
        total += syllables
    return sorted(chosen)


def shortened(sentence: str) -> str:
    """A sentence that is too long, cut at a break, with an ellipsis.

    A number is never cut from its unit.
    """
    words = sentence.split()
    if len(words) <= LONGEST_SENTENCE and len(sentence) <= LONGEST_CHARACTERS:
        return sentence
    words = sentence[:LONGEST_CHARACTERS].split()[:LONGEST_SENTENCE]
    last = max((i for i, word in enumerate(words) if word.endswith((";", ","))), default=-1)
    words = words[: last + 1] if last >= len(words) // 3 else words[:-1]
    while len(words) > 1 and re.search(r"\d[.,]?$", words[-1]):
        words.pop()
    return " ".join(words).rstrip(",;") + " …"


def joined(sentences: Sequence[str]) -> str:
    """Sentences as one text; a line without a full stop gets one."""
    return " ".join(s if PROSE_END.search(s) else f"{s}." for s in sentences)


def is_taken_back(article: Article) -> bool:
    """Does the article take back the first sentence of its lead in the next one?"""
    return bool(article.lead) and any(map(is_contrast, article.body_sentences[1:2]))


def said_whole(sentences: Sequence[str]) -> tuple[int, str] | None:
    """The sentence that says whole what the first one says as far as its dots, and its number.

    Some sites cut their leads off. A caption may be glued to the front of the whole sentence.

    Args:
        sentences: of an article from its lead on, at least one.
    """
    start = CUT_OFF.sub("", sentences[0])
    if start == sentences[0] or syllable_count(start) < MIN_SYLLABLES:
        return None
    for index, sentence in enumerate(sentences[1:], 1):
        at = sentence.find(start)
        if at >= 0 and not CUT_OFF.search(sentence):
            return index, sentence[at:]
    return None


def with_whole_lead(
    chosen: Sequence[int],
    lead: Sequence[int],
    ranks: Sequence[int],
    sentences: Sequence[str],
    length: Length,
) -> list[int]:
    """`chosen`, which has the first sentence of the lead, with the whole lead instead of it.

    A lead of enough syllables stands alone. One that is cut off or very long is not shown whole.

    Args:
        lead: numbers of its sentences.
        ranks: numbers of the sentences that can stand in a summary, best first.
    """
    shown = [i for i in lead if i in ranks and not CUT_OFF.search(sentences[i])]
    shown = [i for i in shown if i == lead[0] or not is_ceremony(sentences[i])][: length.sentences]
    syllables = sum(syllable_count(sentences[i]) for i in shown)
    if syllables > LONGEST_LEAD or lead[0] not in shown:
        return list(chosen)
    if syllables >= ENOUGH_LEAD:
        return shown
    others = [i for i in ranks if i not in lead][:RANKS]
    return filled(shown, others, sentences, length)


class Summarizes(Protocol):
    """What makes summaries, of whatever mode."""

    def summarize(self, articles: Sequence[Article], length: str) -> list[Summary]:
        """A summary per article; `length` is a key of `LENGTHS`."""
        ...


class Summarizer:
    """Summaries out of the articles' own sentences."""

    def __init__(self, checkpoint: str | Path = DEFAULT_CHECKPOINT) -> None:
        self.scorer = SentenceScorer(checkpoint)

    def summarize(self, articles: Sequence[Article], length: str = DEFAULT_LENGTH) -> list[Summary]:
        """A summary per article; `length` is a key of `LENGTHS`."""
        bodies = [article.body_sentences for article in articles]
        titles = [article.title for article in articles]
        rows = self.scorer.scores(list(zip(titles, bodies, strict=True)))
        parts = zip(articles, bodies, rows, strict=True)
        return [summary_of(article, body, own, LENGTHS[length]) for article, body, own in parts]


def summary_of(
    article: Article, body: Sequence[str], scores: Sequence[float], length: Length
) -> Summary:
    """The summary of an article from the scores of its sentences.

    Args:
        body: its sentences from the lead on.
        scores: of each of them.
    """
    sentences, worth = list(body), list(scores)
    lead = list(range(len(split_sentences(article.lead))))
    if lead and (whole := said_whole(body)):
        lead = [whole[0]]
        sentences[0], sentences[whole[0]] = "", whole[1]
    # Dots behind a sentence from far down make curious, they do not tell the news.
    if lead and lead[0] >= NEWS_SENTENCES:
        lead = []
    if lead:
        worth[lead[0]] += LEAD_BONUS
    ranks = ranked(sentences, worth, length, article.title)
    chosen = pick(ranks, sentences, length)
    if length.sentences > 1 and lead and lead[0] in chosen:
        if lead[0] == 0 and is_taken_back(article):
            chosen = [0, 1]  # the first alone would say the opposite
        else:
            chosen = with_whole_lead(chosen, lead, ranks, sentences, length)
    first = len(article.sentences) - len(body)
    # A sentence keeps its "Tuy nhiên," behind the one that it points back to.
    texts = [
        without_bullet(sentences[i]) if i - 1 in chosen else stand_alone(sentences[i])
        for i in chosen
    ]
    shown = [
        SummarySentence(shortened(text), first + i) for text, i in zip(texts, chosen, strict=True)
    ]
    return Summary(joined([sentence.text for sentence in shown]), EXTRACTIVE, shown)
