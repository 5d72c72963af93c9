#!/bin/bash
# run.sh SCENARIO: runs it, leaves the report for the steps that follow, and ends as kiln did.
set -euo pipefail
scenario=$1

name=$(basename "$scenario")
report=$RUNNER_TEMP/kiln-${name%.*}.json
status=0
kiln run --format json "$scenario" >"$report" || status=$?
{
    echo "report=$report"
    echo "status=$status"
} >>"$GITHUB_OUTPUT"
{
    if [ "$status" -eq 0 ]; then echo "### $name passed"; else echo "### $name ended with $status"; fi
    printf '\n<details><summary>report</summary>\n\n~~~json\n'
    cat "$report"
    printf '~~~\n\n</details>\n'
} >>"$GITHUB_STEP_SUMMARY"
[ "$status" -eq 0 ] || echo "::error::$name ended with $status; 'kiln --help' says what that means"
exit "$status"
