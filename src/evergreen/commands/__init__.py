"""The project's commands; importing them imports no library that takes time."""

from evergreen.commands import changing, exporting, exposures, looking, repairing
from evergreen.commands.group import models

__all__ = ["changing", "exporting", "exposures", "looking", "models", "repairing"]
