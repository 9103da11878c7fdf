"""A BigQuery that says no: a local service with the error bodies of Google's REST interfaces."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answers = dict[str, tuple[int, dict[str, Any]]]
"""Beginning of ``METHOD path`` → status and body; a dry run is asked for as ``DRY path``."""


def refusal(status: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    """An error body as BigQuery writes it."""
    fault = {"message": message, "domain": "global", "reason": reason}
    return status, {"error": {"code": status, "message": message, "errors": [fault], "status": reason.upper()}}


def estimate(size: int) -> tuple[int, dict[str, Any]]:
    """The answer to a dry run."""
    statistics = {"query": {"totalBytesProcessed": str(size), "statementType": "SELECT"}}
    reference = {"projectId": "demo", "jobId": "dry", "location": "EU"}
    return 200, {"jobReference": reference, "status": {"state": "DONE"}, "statistics": statistics}


@contextmanager
def service(answers: Answers) -> Iterator[str]:
    """A running service; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            method = "DRY" if b'"dryRun": true' in asked else self.command
            key = next((key for key in answers if f"{method} {self.path}".startswith(key)), None)
            status, body = answers[key] if key else refusal(404, "notFound", f"Not found: {self.path}")
            told = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = answer  # noqa: N815 - the interface has it

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def key_file(folder: Path, address: str) -> Path:
    """A service account's key, made up, whose tokens come from ``address``."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = folder / "key.json"
    fields = {
        "type": "service_account",
        "project_id": "demo",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "evergreen@demo.iam.gserviceaccount.com",
        "token_uri": f"{address}/token",
    }
    file.write_text(json.dumps(fields))
    return file
