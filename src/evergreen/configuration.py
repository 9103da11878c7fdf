"""How configuration is read: Kedro's way, this machine's secrets in every environment, each loader its own globals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader

LOCAL = "local"


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader, for which ``conf/local/credentials.yml`` also counts under ``--env``: secrets are a machine's.

    Kedro's ``${globals:…}`` means those of the loader that was made last; here it means the loader's own.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Configuration of one kind; credentials with those of ``conf/local`` on top."""
        self._register_globals_resolver()
        folder = Path(self.conf_source) / LOCAL
        if key != "credentials" or self.env in (None, LOCAL) or not folder.is_dir():
            return dict(super().__getitem__(key))
        own = self.load_and_merge_dir_config(str(folder), self.config_patterns[key], key, set(), True)
        try:
            return {**super().__getitem__(key), **own}
        except MissingConfigException:
            if not own:
                raise
            return dict(own)
