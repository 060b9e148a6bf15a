import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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


CHROMIUM = shutil.which("chromium")


def python(script: str, *arguments: object) -> subprocess.Popen:
    """A process of its own, which the test talks to."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serve(*options: str, host: str = "127.0.0.1", **environment: str) -> Iterator[str]:
    """The page in a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--host", host, "--port", str(port), "--no-browser"]
    server = subprocess.Popen([*command, *options], cwd=ROOT, env=os.environ | environment)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(240):
            assert server.poll() is None, "the page did not start"
            try:
                urllib.request.urlopen(url, timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


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


@pytest.fixture
def short_lead() -> str:
    """`clearance` with a lead that does not suffice for a summary."""
    title, _, *body = CLEARANCE.split("\n\n")
    return "\n\n".join([title, "Phường Bến Thóc đã có mặt bằng sạch để làm cầu.", *body])


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
