"""The model that an alias points at, as a load-only catalog entry."""

from __future__ import annotations

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from evergreen import registry
from evergreen.errors import EvergreenError


class ModelVersionDataset(AbstractDataset[NoReturn, registry.ModelVersion | None]):
    """Resolves the first of some aliases at every load.

    Args:
        use_case: Name of the registered model.
        aliases: Aliases to try in this order.
        optional: Load None where no alias is set, instead of raising.
        metadata: Kedro-Viz and documentation; not read here.
    """

    def __init__(
        self,
        use_case: str,
        aliases: list[str],
        optional: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._use_case = use_case
        self._aliases = aliases
        self._optional = optional
        self.metadata = metadata

    def load(self) -> registry.ModelVersion | None:
        """Load the version, its files checked against their digests.

        Raises:
            EvergreenError: Where no alias is set and the entry isn't optional.
        """
        pointing = registry.aliases_of(self._use_case)
        version = next((pointing[alias] for alias in self._aliases if alias in pointing), None)
        if version is not None:
            return registry.load(self._use_case, version)
        if self._optional:
            return None
        raise EvergreenError(registry.explain_vacancy(self._use_case))

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the interface has it
        """Refuse: aliases move in the registry, with an audit."""
        raise DatasetError(
            f"{self._use_case}: a model version is registered by training, not saved through the catalog."
        )

    def _exists(self) -> bool:
        pointing = registry.aliases_of(self._use_case)
        return any(alias in pointing for alias in self._aliases)

    def _describe(self) -> dict[str, Any]:
        return {"use_case": self._use_case, "aliases": self._aliases, "optional": self._optional}
