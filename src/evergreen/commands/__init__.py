"""``kedro models``: look at registered versions and change which one serves; ``kedro check-conf``; ``kedro serve``."""

from evergreen.commands import changing, exposures, looking
from evergreen.commands.checking import check_conf
from evergreen.commands.group import models
from evergreen.commands.serving import serve

__all__ = ["changing", "check_conf", "exposures", "looking", "models", "serve"]
