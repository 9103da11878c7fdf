"""Where the service listens."""

from __future__ import annotations

import socket
from pathlib import Path

from evergreen.serving.settings import ServingSettings


def bound(settings: ServingSettings) -> socket.socket:
    """A socket on the address that the settings name, not listening yet."""
    if settings.unix_socket:
        Path(settings.unix_socket).unlink(missing_ok=True)
        found = socket.socket(socket.AF_UNIX)
        found.bind(settings.unix_socket)
        return found
    found = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind((settings.host, settings.port))
    return found


def address_of(listening: socket.socket, settings: ServingSettings) -> str:
    """Where clients find it."""
    if settings.unix_socket:
        return f"unix:{settings.unix_socket}"
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings.certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
