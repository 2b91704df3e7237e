#!/usr/bin/env bash
# What docs/swarm.md says, on this machine's engine: three shards as a replicated job, of
# which one is killed on the way, merged to a pass; and to inconclusive without one of them.
# It needs an engine that is in no swarm, and the image that it is given.
set -euo pipefail
image=${1:?usage: try.sh IMAGE}
[ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = inactive ] || {
	echo "swarm: this engine is in a swarm already" >&2
	exit 1
}
name=reapcheck-try-$$ volume=reapcheck-try-$$

clean() {
	docker service rm "$name" >/dev/null 2>&1 || true
	docker swarm leave --force >/dev/null 2>&1 || true
	for _ in $(seq 60); do # its last containers hold the volume
		docker volume rm "$volume" >/dev/null 2>&1 && return
		sleep 1
	done
	echo "swarm: volume $volume is left" >&2
}
trap clean EXIT

docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 >/dev/null
docker volume create "$volume" >/dev/null
docker service create --detach --quiet --name "$name" --mode replicated-job --replicas 3 \
	--restart-condition on-failure --restart-max-attempts 3 --no-resolve-image \
	--cap-add SYS_ADMIN --cap-add NET_ADMIN \
	--env 'REAPCHECK_TASK_SLOT={{.Task.Slot}}' --env REAPCHECK_SHARD=auto/3 \
	--env REAPCHECK_SEED=7 --env REAPCHECK_RUNTIME=namespace --env REAPCHECK_RESULTS=/results \
	--mount "type=volume,source=$volume,target=/results" \
	"$image" repro --tier quick --only exit-codes,reaper-wins,signals,output >/dev/null

# The second shard is killed as soon as it has recorded something, and so not at its end.
merge() { docker run --rm --volume "$volume:/results" "$image" merge /results --results /merged; }
inside() { docker run --rm --volume "$volume:/results" --entrypoint /bin/sh "$image" -c "$1"; }
waits() { # LIMIT WHAT COMMAND...
	local limit=$1 what=$2
	shift 2
	for _ in $(seq "$limit"); do
		"$@" && return
		sleep 1
	done
	echo "swarm: $what expected within ${limit}s; last seen:" >&2
	docker service ps "$name" >&2
	exit 1
}
begun() { inside 'ls /results/*-shard-2-of-3/*/*.jsonl' >/dev/null 2>&1; }
waits 300 "a recording of shard 2" begun
victim=$(docker ps --quiet --filter "name=$name.2.")
docker kill "$victim" >/dev/null
echo "killed shard 2, $victim"

done_shards() { [ "$(inside 'grep -l "\"done\": true" /results/*-shard-*/run.json | wc -l')" -ge 3 ]; }
waits 500 "three shards that are done" done_shards
docker service ps "$name"

status=0
merge || status=$?
[ "$status" = 0 ] || { echo "swarm: merge ended with $status, want 0" >&2; exit 1; }
inside 'rm -r /results/*-shard-3-of-3'
merged=$(merge) && status=0 || status=$?
echo "$merged" | tail -n 3
[ "$status" = 2 ] || { echo "swarm: merge without shard 3 ended with $status, want 2" >&2; exit 1; }
grep -q "these are missing: 3" <<<"$merged" || { echo "swarm: shard 3 is not named" >&2; exit 1; }
echo "swarm: pass with all shards, and inconclusive without shard 3"
