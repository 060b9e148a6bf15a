import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing that the tests run may ask the network for a model

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
def clearance() -> str:
    return CLEARANCE
