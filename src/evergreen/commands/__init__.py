"""``kedro models``: look at the registered versions of a use case, and change which one serves."""

from evergreen.commands import changing, exposures, looking
from evergreen.commands.group import models

__all__ = ["changing", "exposures", "looking", "models"]
