"""``kedro models``: look at registered versions and change which one serves; ``kedro check-conf``; ``kedro serve``."""

from evergreen.commands import changing, exporting, exposures, looking
from evergreen.commands.checking import check_conf
from evergreen.commands.group import models
from evergreen.commands.serving import serve

__all__ = ["changing", "check_conf", "exporting", "exposures", "looking", "models", "serve"]
