"""KServe's own Python client talks to the service (its package is no dependency of the project)."""

from __future__ import annotations

import asyncio

import pytest
from small_service import USE_CASE, Service

kserve = pytest.importorskip("kserve")


def test_kserves_own_client_talks_to_it(service: Service, versions) -> None:
    url = f"http://127.0.0.1:{service.port}"
    kinds = {"age": ("FP64", 41.0), "income": ("FP64", 1.5), "city": ("BYTES", "A")}
    inputs = [kserve.InferInput(name, [1], kind, data=[value]) for name, (kind, value) in kinds.items()]

    async def ask() -> tuple[bool, bool, bool, kserve.InferResponse]:
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        states = [await client.is_server_live(url), await client.is_server_ready(url)]
        states.append(await client.is_model_ready(url, USE_CASE))
        answer = await client.infer(url, kserve.InferRequest(USE_CASE, inputs), model_name=USE_CASE)
        return (*states, answer)

    *states, answer = asyncio.run(ask())
    assert states == [True, True, True]
    named = {"age": 41.0, "income": 1.5, "city": "A"}
    assert answer.outputs[0].data == [service.ask("/predict", named)[1]["probability"]]
