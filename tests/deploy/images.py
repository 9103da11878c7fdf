"""The real Dockerfile, built without an engine: buildah with chroot isolation on a base that debootstrap makes.

The base is Debian bookworm with its Python and without documentation, as ``python:3.11-slim-bookworm`` is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests_support import ROOT

RELEASE = "bookworm"
BASE = "localhost/evergreen-base"
NEEDED = ("buildah", "debootstrap", "unshare", "chroot")
AUTHORITIES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
BARE = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/cache/apt", "var/lib/apt/lists")


def missing() -> str | None:
    """What this machine lacks to build images; None where nothing does."""
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        return f"building images needs {', '.join(absent)}: apt-get install buildah debootstrap"
    return "building images needs root" if os.geteuid() else None


@dataclass(frozen=True)
class Images:
    """Images in a folder of their own.

    Attributes:
        store: Where buildah keeps them; the base is made there once.
    """

    store: Path

    def buildah(self, *arguments: str, **options: Any) -> str:
        """Run buildah; returns what it printed last."""
        places = ["--storage-driver=vfs", f"--root={self.store}/images", f"--runroot={self.store}/run"]
        done = subprocess.run(
            ["buildah", *places, *arguments], capture_output=True, text=True, cwd=ROOT, check=False, **options
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout.strip()

    def build(self, target: str) -> Image:
        """Build a target of the Dockerfile; under ``CONTAINER_REUSE=1`` one that is there already is taken."""
        name = f"localhost/evergreen:{target}"
        if os.environ.get("CONTAINER_REUSE") and name in self._there():
            return Image(self, name)
        self._make_base()
        dockerfile = ["-f", "deploy/docker/Dockerfile", "--target", target, "--build-arg", f"BASE={BASE}"]
        self.buildah("bud", "--isolation=chroot", "--format=docker", *dockerfile, "-t", name, ".")
        return Image(self, name)

    def _there(self) -> list[str]:
        return self.buildah("images", "--format={{.Name}}:{{.Tag}}").split()

    def _make_base(self) -> None:
        if f"{BASE}:latest" in self._there():
            return
        place, system = self.store / "base", self.store / "base" / "system"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        command = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", RELEASE]
        subprocess.run([*command, str(system), *_mirror()], check=True, capture_output=True)
        for folder in BARE:
            shutil.rmtree(system / folder, ignore_errors=True)
        for file in _of_this_machine():
            (system / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(f"/{file}", system / file)
        known = [f"ENV {name}={os.environ[name]}" for name in AUTHORITIES if name in os.environ]
        (place / "Dockerfile").write_text("\n".join(["FROM scratch", "ADD system /", *known]) + "\n")
        self.buildah("bud", "--isolation=chroot", "--format=docker", "-t", BASE, str(place))
        shutil.rmtree(place)


def _mirror() -> list[str]:
    """Where this machine takes Debian's packages from."""
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    lines = sources.read_text().splitlines() if sources.is_file() else []
    return [line.split()[1] for line in lines if line.startswith("URIs:")][:1]


def _of_this_machine() -> Iterator[str]:
    """How it reaches registries: authorities and sources, for the base alone."""
    for file in ("etc/ssl/certs/ca-certificates.crt", "etc/apt/sources.list.d/debian.sources"):
        if Path(f"/{file}").is_file():
            yield file


@dataclass(frozen=True)
class Image:
    """A built image."""

    images: Images
    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """User, environment, entry point, labels, health check."""
        found = json.loads(self.images.buildah("inspect", "--type=image", self.name))
        return dict(found["Docker"]["config"])

    @property
    def megabytes(self) -> float:
        """Size of all layers, in 10^6 bytes, as `docker images` says."""
        told = self.images.buildah("images", "--json", self.name)
        (size,) = {image["size"] for image in json.loads(told)}
        number, unit = size.split()
        return float(number) * {"KB": 0.001, "MB": 1.0, "GB": 1000.0}[unit]

    @contextmanager
    def started(
        self,
        command: Sequence[str] | None,
        volumes: Mapping[str, Path],
        environment: Mapping[str, str],
        **options: Any,
    ) -> Iterator[subprocess.Popen[str]]:
        """The image's own command (or other arguments) as its user, with a read-only root and these volumes alone.

        The process that is yielded is the container's first one.
        """
        settings = self.settings
        container = self.images.buildah("from", self.name)
        root = self.images.buildah("mount", container)
        for inside in volumes:
            Path(f"{root}{inside}").mkdir(exist_ok=True)
        arguments = [*(settings.get("Entrypoint") or []), *(command if command is not None else settings["Cmd"])]
        variables = [*settings["Env"], *(f"{name}={value}" for name, value in environment.items())]
        binds = "".join(f"mount --bind '{outside}' '{root}{inside}'\n" for inside, outside in volumes.items())
        script = f"""set -e
            mount --bind {root} {root}
            mount -o remount,bind,ro {root}
            {binds}
            mount -t tmpfs tmpfs {root}/tmp
            mount --rbind /proc {root}/proc
            mount --rbind /dev {root}/dev
            exec chroot --userspec={settings["User"]} {root} /usr/bin/env -i -C {settings["WorkingDir"]} "$@" """
        whole = ["unshare", "--mount", "sh", "-c", script, "sh", *variables, *arguments]
        process = subprocess.Popen(whole, text=True, **options)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            self.images.buildah("rm", container)
