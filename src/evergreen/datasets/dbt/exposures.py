"""dbt's exposures file: the champions as what dbt's lineage ends in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from evergreen.datasets.dbt.artefacts import DbtManifest, Node
from evergreen.datasets.dbt.lookup import Owner
from evergreen.datasets.whole import written_whole
from evergreen.errors import EvergreenError
from evergreen.registry import VersionFacts

HEADER = "# Written by `kedro models dbt-exposures`: what is changed here by hand is lost the next time.\n"


def exposure(
    use_case: str, champion: VersionFacts, tables: Sequence[Node], manifest: DbtManifest, owner: Owner, url: str | None
) -> dict[str, Any]:
    """One use case as dbt's properties describe an exposure.

    Args:
        use_case: Its name.
        champion: The version that serves.
        tables: What its features are made from.
        manifest: The manifest that the tables come from.
        owner: Whom dbt names.
        url: Where the version can be looked at, if anywhere.
    """
    return {
        "name": use_case,
        "label": use_case.replace("_", " ").capitalize(),
        "type": "ml",
        **({"url": url} if url else {}),
        "description": _description(champion),
        "depends_on": [reference(node, manifest.project_name) for node in tables],
        "owner": owner.model_dump(exclude_none=True),
    }


def reference(node: Node, project: str | None) -> str:
    """A table as dbt refers to it: ``source(…)``, or ``ref(…)`` with package and version where they are needed.

    Args:
        node: The table.
        project: Name of the dbt project that refers to it.
    """
    if node.resource_type == "source":
        return f"source('{node.source_name}', '{node.name}')"
    package = "" if node.package_name == project else f"'{node.package_name}', "
    version = "" if node.version == node.latest_version else f", v={node.version!r}"
    return f"ref({package}'{node.name}'{version})"


def write_exposures(exposures: Sequence[dict[str, Any]], file: Path) -> None:
    """Write the file whole, under a temporary name that is then moved.

    Args:
        exposures: One for each use case.
        file: A ``.yml`` file; one of ours is replaced.

    Raises:
        EvergreenError: Where the file is somebody else's, or can't be written.
    """
    try:
        if file.exists() and not file.read_text().startswith(HEADER):
            raise EvergreenError(
                f"{file} was not written by this command and is not replaced: name another file with --output."
            )
        with written_whole(file) as temporary:
            temporary.write_text(HEADER + OmegaConf.to_yaml({"version": 2, "exposures": list(exposures)}))
    except OSError as error:
        raise EvergreenError(f"{file} can't be written ({error.strerror}): name another file with --output.") from error


def _description(champion: VersionFacts) -> str:
    auc = champion.test_metrics.get("roc_auc")
    sentences = [f"Champion: version {champion.version} ({champion.algorithm}), trained as of {champion.as_of}."]
    if auc and auc.value is not None:
        sentences.append(f"ROC AUC on its test window: {auc.value:.3f}")
        sentences[-1] += "." if auc.low is None or auc.high is None else f" ({auc.low:.3f} to {auc.high:.3f})."
    return " ".join(sentences)
