"""Where the fits of a search are computed: on this machine, or on a cluster that is opened and closed here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from joblib import parallel_config

from evergreen.errors import EvergreenError

PATIENCE_SECONDS = 30


@contextmanager
def fits_on(backend: str, address: str | None) -> Iterator[None]:
    """Let joblib compute fits by a backend, connected to its cluster for as long.

    Args:
        backend: joblib's name of it.
        address: Of the cluster's scheduler; None starts a cluster of this machine's cores and ends it afterwards.

    Raises:
        EvergreenError: The package is not installed, or nothing answers at the address.
    """
    if backend not in CLUSTERS:
        with parallel_config(backend=backend):
            yield
        return
    package = {"dask": "distributed"}.get(backend, backend)
    if importlib.util.find_spec(package) is None:
        raise EvergreenError(
            f"training.backend is {backend}, and {package} is not installed: install it with "
            f"`pip install 'evergreen[{backend}]'`, or set training.backend to threading."
        )
    with CLUSTERS[backend](address), parallel_config(backend=backend):
        yield


@contextmanager
def _dask(address: str | None) -> Iterator[None]:
    from dask.distributed import Client, LocalCluster

    with _told("dask", address):
        own = None if address else LocalCluster(threads_per_worker=1, dashboard_address=None)
        client = Client(address or own, timeout=PATIENCE_SECONDS)
    try:
        yield
    finally:
        client.close()
        if own is not None:
            own.close()


@contextmanager
def _ray(address: str | None) -> Iterator[None]:
    import ray
    from ray.util.joblib import register_ray

    with _told("ray", address):
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    register_ray()
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _told(backend: str, address: str | None) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise EvergreenError(
            f"training.cluster is {address or 'not set'}, where no {backend} cluster answered ({reason}): correct the "
            "address, start the cluster, or set training.backend to threading."
        ) from error


CLUSTERS: dict[str, Callable[[str | None], AbstractContextManager[None]]] = {"dask": _dask, "ray": _ray}
