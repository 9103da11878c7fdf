"""Power BI and its token service on this machine, over TLS, speaking the documented protocol."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TENANT, CLIENT, SECRET = "contoso-tenant", "evergreen-app", "S3CR3T-of-the-principal"
SCOPE = "https://analysis.windows.net/powerbi/api/.default"
GROUP, MODEL = "a-group", "a-model"
PATH = f"/v1.0/myorg/groups/{GROUP}/datasets/{MODEL}/executeQueries"
BYTE_ORDER_MARK = "\ufeff"


class Answer(NamedTuple):
    """What executeQueries answers once: status, body, headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = MappingProxyType({})


def result(rows: list[dict[str, Any]], error: dict[str, Any] | None = None) -> Answer:
    """A successful answer, which may carry an error beside limited rows."""
    return Answer(200, {"results": [{"tables": [{"rows": rows}]}]} | ({"error": error} if error else {}))


def dax_failure(told: str, code: str = "DatasetExecuteQueriesError") -> Answer:
    """The body of a query that fails: no message, but details below ``pbi.error``."""
    details = [
        {"code": "DetailsMessage", "detail": {"type": 1, "value": told}},
        {"code": "AnalysisServicesErrorCode", "detail": {"type": 1, "value": "3241803789"}},
    ]
    return Answer(400, {"error": {"code": code, "pbi.error": {"code": code, "parameters": {}, "details": details}}})


class PowerBIService(ThreadingHTTPServer):
    """Answers queries as told, the last answer again and again, and keeps what it was asked.

    Attributes:
        tokens: Every token handed out.
        revoked: Tokens that are no longer accepted.
        questions: The bodies of all accepted queries.
        paths: The paths of all queries.
    """

    daemon_threads = True

    def __init__(self, folder: Path, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.certificate = folder / "localhost.pem"
        write_certificate(self.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_port}"
        self.answers = answers
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self.questions: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Requests(BaseHTTPRequestHandler):
    server: PowerBIService

    def do_GET(self) -> None:
        self._send(
            Answer(
                200,
                {
                    "issuer": f"{self.server.url}/{TENANT}/v2.0",
                    "authorization_endpoint": f"{self.server.url}/{TENANT}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{self.server.url}/{TENANT}/oauth2/v2.0/token",
                },
            )
            if self.path.startswith(f"/{TENANT}/")
            else Answer(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."})
        )

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._send(self._token(content) if self.path.endswith("/oauth2/v2.0/token") else self._query(content))

    def _token(self, content: str) -> Answer:
        form = {name: values[0] for name, values in parse_qs(content).items()}
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
        if {name: form.get(name) for name in wanted} != wanted or SCOPE not in form["scope"].split():
            told = f"AADSTS7000215: Invalid client secret provided: {form.get('client_secret')}."
            return Answer(401, {"error": "invalid_client", "error_description": told})
        self.server.tokens.append(f"T0KEN-{len(self.server.tokens) + 1}-of-the-principal")
        return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": self.server.tokens[-1]})

    def _query(self, content: str) -> Answer:
        self.server.paths.append(self.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.server.tokens or token in self.server.revoked:
            return Answer(401, {"error": {"code": "TokenExpired", "message": f"expired: {token}"}})
        self.server.questions.append(json.loads(content))
        return self.server.next_answer()

    def _send(self, answer: Answer) -> None:
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        text = BYTE_ORDER_MARK + text if self.path.endswith("executeQueries") else text
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path, *answers: Answer) -> Iterator[PowerBIService]:
    """The service with these answers, in a thread."""
    server = PowerBIService(folder, list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_certificate(file: Path) -> None:
    """A key and a certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
