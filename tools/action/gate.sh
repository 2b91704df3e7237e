#!/usr/bin/env bash
# The last step of action.yml: runs the gate, and leaves its verdict, its folder
# and its summary where GitHub looks for them. The exit status is the gate's.
set -euo pipefail
status=0
"$GITHUB_ACTION_PATH/bin/reapcheck" gate || status=$?
folder=${REAPCHECK_RESULTS:-results}/latest
verdict=inconclusive
if [ "$status" -ne 64 ] && [ -f "$folder/verdict.json" ]; then # 64: nothing was run
	verdict=$(sed -n '2s/.*"verdict": "\([a-z]*\)".*/\1/p' "$folder/verdict.json")
	cat "$folder/report.md" >>"$GITHUB_STEP_SUMMARY"
	echo "folder=$(cd -P "$folder" && pwd)" >>"$GITHUB_OUTPUT"
fi
echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
exit "$status"
