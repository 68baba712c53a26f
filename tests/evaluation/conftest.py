"""What several tests of the evaluation start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from fa_mobile.nsma import save_checkpoint
from tests.conftest import visible_array


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "array"
    save_checkpoint(visible_array(2), folder)
    return folder
