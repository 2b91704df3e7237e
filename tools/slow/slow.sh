#!/usr/bin/env bash
# Runs a command as on a slower or a busier machine:
#
#   tools/slow/slow.sh [--share N] [--busy N] COMMAND [ARGUMENT...]
#
# --share 0.25 gives the command and all that it starts a quarter of one CPU, by the
# quota of a control group (cgroups(7)): as root one of its own, otherwise a scope of
# the user's systemd. Containers are made in the same group ($REAPCHECK_CGROUP_PARENT).
# --busy 8 keeps eight loops running beside it, outside of that group.
#
# The exit status is the command's, or 64 if the group cannot be made.
set -euo pipefail

share='' busy=0
while [ $# -gt 0 ]; do
	case $1 in
	--share) share=${2:?}; shift 2 ;;
	--busy) busy=${2:?}; shift 2 ;;
	--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || { "$0" --help >&2; exit 64; }

refuse() { # REASON
	echo "slow: $1" >&2
	exit 64
}

group='' loops=()
finish() {
	if [ ${#loops[@]} -gt 0 ]; then kill "${loops[@]}" 2>/dev/null || true; fi
	# The last of the command's own processes may take a moment to leave.
	for _ in $(seq 50); do
		[ -n "$group" ] && [ -d "$group" ] || return 0
		rmdir "$group" 2>/dev/null && return 0
		sleep 0.1
	done
}
trap finish EXIT

for ((i = 0; i < busy; i++)); do
	# Bounded: a loop whose script was killed ends with its parent.
	(trap - EXIT; while kill -0 $$ 2>/dev/null; do for ((j = 0; j < 100000; j++)); do :; done; done) &
	loops+=($!)
done

if [ -z "$share" ]; then
	"$@" && exit
	exit
fi
period=100000
quota=$(awk -v share="$share" -v period=$period 'BEGIN { print int(share * period) }')
[ "$quota" -ge 1000 ] || refuse "--share $share is too little: choose 0.01 or more"

name=reapcheck-slow-$$
if [ -d /sys/fs/cgroup/cpu ] && mkdir "/sys/fs/cgroup/cpu/$name" 2>/dev/null; then
	group=/sys/fs/cgroup/cpu/$name
	echo $period >"$group/cpu.cfs_period_us"
	echo "$quota" >"$group/cpu.cfs_quota_us"
elif [ -f /sys/fs/cgroup/cgroup.controllers ] && mkdir "/sys/fs/cgroup/$name" 2>/dev/null; then
	group=/sys/fs/cgroup/$name
	echo +cpu >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
	echo "$quota $period" >"$group/cpu.max"
elif command -v systemd-run >/dev/null && systemctl --user is-system-running >/dev/null 2>&1; then
	percent=$(awk -v share="$share" 'BEGIN { print share * 100 }')
	systemd-run --user --scope --quiet -p "CPUQuota=$percent%" -- "$@" && exit
	exit
else
	refuse "no control group can be made here: run as root, or where your user has a systemd of its own"
fi
export REAPCHECK_CGROUP_PARENT=/$name
bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@" && exit
exit
