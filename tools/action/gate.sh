#!/usr/bin/env bash
# The last step of action.yml: runs the gate, and leaves its verdict, its folder
# and its summary where GitHub looks for them. The exit status is the gate's.
set -euo pipefail
latest=${REAPCHECK_RESULTS:-results}/latest
before=$(readlink "$latest" || true)
# Containers run as root, and most scenarios look into them: an ordinary user who
# may start them sees nothing there.
as_root=()
if [ "${REAPCHECK_RUNTIME:-auto}" != namespace ] && [ "$(id -u)" -ne 0 ] && sudo -nE true 2>/dev/null; then
	as_root=(sudo -nE)
fi
status=0
"${as_root[@]}" "$GITHUB_ACTION_PATH/bin/reapcheck" gate || status=$?
if [ "${#as_root[@]}" -gt 0 ] && [ -d "${REAPCHECK_RESULTS:-results}" ]; then
	sudo -n chown -Rh "$(id -u):$(id -g)" "${REAPCHECK_RESULTS:-results}" || true # only who cleans up later minds
fi
verdict=inconclusive
# A gate that ended before it had a folder of its own leaves an older run's as the
# latest, whose verdict is not this one's.
if [ "$(readlink "$latest" || true)" != "$before" ] && [ -f "$latest/verdict.json" ]; then
	verdict=$(sed -n '2s/.*"verdict": "\([a-z]*\)".*/\1/p' "$latest/verdict.json")
	cat "$latest/report.md" >>"$GITHUB_STEP_SUMMARY"
	echo "folder=$(cd -P "$latest" && pwd)" >>"$GITHUB_OUTPUT"
fi
if [ "$verdict" = pass ] && [ "$status" -ne 0 ]; then
	verdict=inconclusive # it was killed after it had written
fi
echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
exit "$status"
