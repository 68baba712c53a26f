"""The page built from an exported bundle, and the cases that it is held against."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from fa_mobile.bundle import read_bundle

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from cases import write_cases  # noqa: E402


@pytest.fixture(scope="session")
def bundle() -> Path:
    """``$BUNDLE``, or the one that 'make demo' leaves."""
    folder = Path(os.environ.get("BUNDLE") or ROOT / "dist" / "imx258-onnx-fp32")
    if not folder.is_dir():
        pytest.fail(f"no bundle at {folder}: run 'make web-test', which exports it, or set BUNDLE")
    return folder


@pytest.fixture(scope="session")
def cases(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    write_cases(folder, read_bundle(bundle))
    return folder


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.fail("node was not found: install Node.js 20 or newer (Debian: nodejs, npm)")
    return found
