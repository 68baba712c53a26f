"""Building and serving the page: what is refused, and with which words."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from fa_mobile.bundle import write_sums
from fa_mobile.errors import UserError

import npm_package
import serve
from build import build, main


@pytest.fixture()
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def refused(bundle: Path, output: Path, words: str) -> None:
    """Nothing is left of a build that was refused, not even beside its place."""
    with pytest.raises(UserError, match=words):
        build(bundle, output)
    assert not output.parent.is_dir() or not list(output.parent.iterdir())


def test_a_damaged_bundle_is_not_served(copy: Path, tmp_path: Path) -> None:
    with (copy / "model.onnx").open("r+b") as stream:
        stream.write(b"x")
    refused(copy, tmp_path / "out" / "web", "model.onnx has another hash")


def test_only_onnx_bundles_are_served(copy: Path, tmp_path: Path) -> None:
    path = copy / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"target": "coreml"}))
    write_sums(copy)
    refused(copy, tmp_path / "out" / "web", "is for coreml; the page runs ONNX .* export one")


def test_another_package_than_the_pinned_one_is_refused(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FA_MOBILE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    version = npm_package.pinned_version("onnxruntime-web")
    (tmp_path / "cache" / f"onnxruntime-web-{version}.tgz").write_bytes(b"other")
    refused(bundle, tmp_path / "out" / "web", "has SHA-256 .* pins .* remove the file")


def test_without_npm_its_absence_is_told(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FA_MOBILE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    refused(bundle, tmp_path / "out" / "web", r"npm was not found.*install Node.js.*\.tgz")


def test_a_file_that_the_package_lacks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="onnxruntime-web has no file none"):
        npm_package.extract("onnxruntime-web", {"none": tmp_path / "none"})
    assert not list(tmp_path.iterdir())


def test_the_command_line_answers_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["build.py", "--bundle", str(tmp_path / "none")])
    assert main() == 2
    assert "is not a bundle" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["serve.py", str(tmp_path)])
    assert serve.main() == 2
    assert "not a built page" in capsys.readouterr().err


def test_files_are_served_with_the_headers_for_threads(tmp_path: Path) -> None:
    for name in ("a.mjs", "a.wasm", "a.js"):
        (tmp_path / name).write_text("x")
    running = serve.server(tmp_path)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    types = {}
    for name in ("a.mjs", "a.wasm", "a.js"):
        address = f"http://127.0.0.1:{running.server_address[1]}/{name}"
        with urllib.request.urlopen(address) as answer:
            types[name] = answer.headers["Content-Type"]
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    running.shutdown()
    running.server_close()
    script = "text/javascript"
    assert types == {"a.mjs": script, "a.wasm": "application/wasm", "a.js": script}
