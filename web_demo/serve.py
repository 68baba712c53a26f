"""Serve the built page with the headers that WebAssembly threads need. Python alone is enough.

python web_demo/serve.py build/web --port 8000
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

HEADERS: Final = {
    # Together they isolate the page from other origins, without which browsers give it no shared
    # memory and therefore no threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # A page that was built anew is seen at once.
    "Cache-Control": "no-cache",
}


class Handler(SimpleHTTPRequestHandler):
    """Files of one folder, with the headers."""

    # Not every system knows these; a module or WebAssembly of another type is refused by browsers.
    extensions_map: Final = {  # type: ignore[misc]
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet: what fails is shown by the page."""


def server(folder: Path, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """A server of ``folder``, bound but not running; port 0 takes a free one."""
    return ThreadingHTTPServer((host, port), partial(Handler, directory=str(folder)))


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Serve the browser page.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/web"))
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0: for the whole network")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    if not (given.folder / "index.html").is_file():
        print(
            f"error: {given.folder} is not a built page; run 'python web_demo/build.py' first",
            file=sys.stderr,
        )
        return 2
    try:
        running = server(given.folder, given.host, given.port)
    except OSError as error:
        print(
            f"error: cannot serve on {given.host} port {given.port} ({error.strerror}); give "
            "another --port",
            file=sys.stderr,
        )
        return 2
    print(f"http://localhost:{given.port}/  (Ctrl+C ends it)", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        running.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
