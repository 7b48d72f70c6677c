#!/bin/sh
# Makes the namespace that Mayfly's workers use, or adjusts it: its retention, and the search attributes by which operators find jobs.
# Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and NAMESPACE_RETENTION from the environment.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:=default}" "${NAMESPACE_RETENTION:=720h}"
export TEMPORAL_ADDRESS TEMPORAL_NAMESPACE

# Repeats a command until it succeeds, at most 60 times, a second apart.
eventually() {
  tries=0
  until answer=$("$@" 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
      echo "namespace: gave up: $*" >&2
      echo "$answer" >&2
      return 1
    fi
    sleep 1
  done
}

# The port answers before every role of the server is ready.
eventually temporal operator cluster health

if temporal operator namespace describe >/dev/null 2>&1; then
  temporal operator namespace update --retention "$NAMESPACE_RETENTION" >/dev/null
else
  eventually temporal operator namespace create --retention "$NAMESPACE_RETENTION" \
    --description "Mayfly's jobs: one workflow job-<id> for each" "$TEMPORAL_NAMESPACE"
fi
echo "namespace: $TEMPORAL_NAMESPACE, retention $NAMESPACE_RETENTION"

# One request with a type for each name; attributes that exist with the same type are left alone.
keywords='MayflyKind MayflyTemplate MayflyOrganization MayflyGroup MayflyStatus MayflyLaunchedBy'
set -- --name MayflyJobId --type Int
for keyword in $keywords; do
  set -- "$@" --name "$keyword" --type Keyword
done
eventually temporal operator search-attribute create "$@"

# The server uses them only after it read the namespace again, which takes some seconds; until then it refuses jobs that set them, and
# this query.
query='MayflyJobId = 0'
for keyword in $keywords; do
  query="$query AND $keyword = ''"
done
eventually temporal workflow count --query "$query"
echo "namespace: search attributes are there"
