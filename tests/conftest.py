import os
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing that the tests run may ask the network for a model
os.environ["CHUDE_HOME"] = tempfile.mkdtemp(prefix="chude-test-")  # and not the user's own labels

import pytest

from model.classifier import ThemeClassifier

ROOT = Path(__file__).parents[1]

CLEARANCE = """Phường Bến Thóc vận động xong hộ cuối cùng giao đất làm cầu

Chiều 12/9, gia đình ông Lê Hữu Tạo ở tổ 4, phường Bến Thóc đã tháo dỡ nhà và bàn giao 180 m² đất \
cho dự án cầu Sông Mơ.

Như vậy toàn bộ 47 hộ trong phạm vi thu hồi đất đã nhận tiền bồi thường, hỗ trợ. Trong số này 21 \
hộ được bố trí vào khu tái định cư Gò Lim. Trung tâm Phát triển quỹ đất cho biết công tác giải \
phóng mặt bằng của dự án đã hoàn thành, chậm bốn tháng so với kế hoạch vì vướng mắc về đơn giá \
đất vườn.

Nhà thầu được giao mặt bằng sạch và sẽ đóng cọc mố cầu ngay trong tháng này.
"""


@pytest.fixture(scope="session")
def classifier() -> ThemeClassifier:
    return ThemeClassifier()


@pytest.fixture
def own_home(tmp_path, monkeypatch) -> Path:
    """A folder for labels and versions that no other test has touched."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CHUDE_HOME", str(folder))
    return folder


@pytest.fixture
def clearance() -> str:
    return CLEARANCE


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A theme classifier of random weights that loads and reads in no time."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    from model.classifier import DEFAULT_CHECKPOINT

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_CHECKPOINT)
    labels = ["dan_van", "gpmb", "dan_van:mentioned", "gpmb:mentioned"]
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=2.0,
        num_labels=len(labels),
        problem_type="multi_label_classification",
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    folder = tmp_path_factory.mktemp("tiny")
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
