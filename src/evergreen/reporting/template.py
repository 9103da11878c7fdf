"""How is HTML written? Through templates that escape whatever they are given."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_ENVIRONMENT = Environment(
    loader=PackageLoader("evergreen.reporting"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> Markup:
    """A template of ``reporting/templates`` filled in; texts are escaped, what was rendered before is not.

    Args:
        template: The file's name without its ending.
        values: What the template asks for.
    """
    return Markup(_ENVIRONMENT.get_template(f"{template}.html").render(values))
