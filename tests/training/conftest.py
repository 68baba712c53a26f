"""Data for short runs."""

from __future__ import annotations

import pytest

from fa_mobile.training.pipeline import (
    Data,
)
from fa_mobile.training.sources import (
    PhotoSource,
)
from tests.training.small import photo


@pytest.fixture(scope="module")
def data() -> Data:
    return Data([PhotoSource(photo(i)) for i in range(3)], [PhotoSource(photo(9))], ())
