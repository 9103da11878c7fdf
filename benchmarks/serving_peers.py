"""Other servers with the same pipeline, each in a virtual environment of its own, as its documentation starts it.

One is made below ``build/peers`` when it is asked for; a server that cannot be installed is skipped in words.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving_servers import ROOT, Server, free_port, serving

Row = dict[str, Any]
PLACE = ROOT / "build" / "peers"
PIPELINE = ["scikit-learn==1.9.1", "pandas", "pyarrow", "pydantic", "msgspec"]
SCORE = """
import os, joblib, pandas as pd
def load():
    return joblib.load(os.environ["MODEL"])
def score(model, row):
    return float(model.predict_proba(pd.DataFrame([row]))[0, 1])
"""
BENTOML = """
import bentoml
from score import load, score

@bentoml.service(workers=1)
class Champion:
    def __init__(self):
        self.model = load()

    @bentoml.api(route="/predict")
    def predict(self, row: dict) -> dict:
        return {"probability": score(self.model, row)}
"""
LITSERVE = """
import sys
import litserve
from score import load, score

class Champion(litserve.LitAPI):
    def setup(self, device):
        self.model = load()

    def decode_request(self, request):
        return request

    def predict(self, row):
        return score(self.model, row)

    def encode_response(self, probability):
        return {"probability": probability}

if __name__ == "__main__":
    server = litserve.LitServer(Champion(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
"""
MLSERVER = """
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, PandasCodec
from mlserver.types import InferenceResponse
from score import load

class Champion(MLModel):
    async def load(self):
        self.model = load()
        return True

    async def predict(self, payload):
        found = self.model.predict_proba(PandasCodec.decode_request(payload))[:, 1]
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probability", found)])
"""
KSERVE = """
import sys
import kserve
from score import load, score

class Champion(kserve.Model):
    def __init__(self):
        super().__init__("champion")
        self.model = load()
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": [score(self.model, row) for row in payload["instances"]]}

if __name__ == "__main__":
    kserve.ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Champion()])
"""
MLSERVER_MODEL = {"name": "champion", "implementation": "service.Champion"}


def _tensors(row: Row) -> Any:
    texts = [name for name, value in row.items() if isinstance(value, str)]
    inputs = [{"name": n, "shape": [1, 1], "datatype": "FP64", "data": [v]} for n, v in row.items() if n not in texts]
    kind = {"shape": [1, 1], "datatype": "BYTES", "parameters": {"content_type": "str"}}
    return {"inputs": [*inputs, *({"name": name, "data": [row[name]], **kind} for name in texts)]}


@dataclass(frozen=True)
class Peer:
    """One other server.

    Attributes:
        packages: What is installed beside what the pipeline needs.
        service: The module that its documentation asks for.
        command: How it is started, after the environment's ``bin``, with ``{port}``.
        path: Where a row is sent.
        body: A row as it wants it.
        health: What answers once it is ready.
    """

    packages: tuple[str, ...]
    service: str
    command: tuple[str, ...]
    path: str
    body: Callable[[Row], Any]
    health: str


PEERS = {
    "BentoML": Peer(
        ("bentoml==1.4.40",),
        BENTOML,
        ("bentoml", "serve", "service:Champion", "--host=127.0.0.1", "--port={port}"),
        "/predict",
        lambda row: {"row": row},
        "/readyz",
    ),
    "LitServe": Peer(
        ("litserve==0.2.19",), LITSERVE, ("python", "service.py", "{port}"), "/predict", lambda row: row, "/health"
    ),
    "MLServer": Peer(
        ("mlserver==1.7.1", "uvloop==0.21.0"),
        MLSERVER,
        ("mlserver", "start", "."),
        "/v2/models/champion/infer",
        _tensors,
        "/v2/models/champion/ready",
    ),
    "KServe's SDK": Peer(
        ("kserve==0.21.0",),
        KSERVE,
        ("python", "service.py", "{port}"),
        "/v1/models/champion:predict",
        lambda row: {"instances": [row]},
        "/v2/health/ready",
    ),
}


def installed(name: str) -> Path | None:
    """The folder of a peer's programs, made where it is absent; None, and a sentence, where that fails."""
    peer, place = PEERS[name], PLACE / name.split("'")[0].lower()
    if not (place / ".ready").is_file():
        uv = str(Path(sys.executable).with_name("uv"))
        for command in (
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(place)],
            [uv, "pip", "install", "--quiet", "--python", str(place / "bin" / "python"), *peer.packages, *PIPELINE],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                said = done.stderr.strip().splitlines() or ["nothing was said"]
                print(f"  {name} is skipped: it cannot be installed here ({said[-1].strip()})")
                return None
        (place / ".ready").touch()
    return place / "bin"


@contextlib.contextmanager
def peer_server(name: str, model: Path, folder: Path) -> Iterator[Server | None]:
    """A peer with a pipeline that joblib has written; None, and a sentence, where it does not start."""
    programs, peer, port = installed(name), PEERS[name], free_port()
    if programs is None:
        yield None
        return
    (folder / "score.py").write_text(SCORE)
    (folder / "service.py").write_text(peer.service)
    (folder / "model-settings.json").write_text(json.dumps(MLSERVER_MODEL))
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port(), "host": "127.0.0.1"}
    (folder / "settings.json").write_text(json.dumps(ports))
    program, *rest = (part.format(port=port) for part in peer.command)
    environment = {
        "MODEL": str(model),
        "PYTHONPATH": f"{folder}:{ROOT / 'src'}",
        "PATH": f"{programs}:{os.environ['PATH']}",
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
    }
    with contextlib.ExitStack() as stack:
        server: Server | None = None
        try:
            started = serving([str(programs / program), *rest], peer.health, port, folder, **environment)
            server = stack.enter_context(started)
        except RuntimeError as error:
            print(f"  {name} is skipped: it does not start ({str(error).strip().splitlines()[-1]})")
        yield server
