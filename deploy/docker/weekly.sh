#!/bin/sh
# The weekly run of each use case that EVERGREEN_USE_CASES names: collect what was answered, watch, retrain where that
# pays. Arguments go to `kedro run`. How it ended is left for Prometheus in 08_reporting/<use_case>/weekly.prom.
set -u
status=0
for use_case in ${EVERGREEN_USE_CASES:?name the use cases, by spaces}; do
    failed=0
    kedro run --pipelines=collect_predictions,feature_engineering,monitoring,retraining,reporting \
        --namespaces="$use_case" "$@" || failed=1
    folder=$EVERGREEN_DATA/08_reporting/$use_case
    mkdir -p "$folder"
    cat > "$folder/.weekly.prom" <<END
# HELP evergreen_last_run_failed 1 where the last run failed.
# TYPE evergreen_last_run_failed gauge
evergreen_last_run_failed{use_case="$use_case",run="weekly"} $failed
# HELP evergreen_last_run_timestamp_seconds When the last run ended.
# TYPE evergreen_last_run_timestamp_seconds gauge
evergreen_last_run_timestamp_seconds{use_case="$use_case",run="weekly"} $(date +%s)
END
    mv "$folder/.weekly.prom" "$folder/weekly.prom"
    [ "$failed" = 0 ] || status=1
done
exit $status
