#!/bin/sh
# Runs a command in which a job's folder is at /opt/ml, in the mount namespace of this process only.
# usage, below `unshare --mount`:
#   opt_ml.sh JOB_FOLDER EMPTY_FOLDER COUNT [ro|rw SOURCE TARGET] ... COMMAND [ARGUMENT ...]
# with COUNT triples of what else shall be shown elsewhere.
# The host's /opt has no "ml" and must not get one, and what else lies in /opt may be needed (Python, for one):
# so a new /opt is put together in memory, of what is there and the job's folder, and takes the place of the old.
set -eu
job=$1 stage=$2 binds=$3
shift 3
while [ "$binds" -gt 0 ]; do
    mount --rbind "$2" "$3"
    if [ "$1" = ro ]; then
        mount -o remount,bind,ro "$3"
    fi
    shift 3
    binds=$((binds - 1))
done
mount -t tmpfs tmpfs "$stage"
for entry in /opt/* /opt/.[!.]*; do
    name=${entry##*/}
    if [ "$name" = ml ]; then
        continue
    elif [ -h "$entry" ]; then
        cp -P "$entry" "$stage/$name"
    elif [ -d "$entry" ]; then
        mkdir "$stage/$name"
        mount --rbind "$entry" "$stage/$name"
    elif [ -e "$entry" ]; then
        : >"$stage/$name"
        mount --bind "$entry" "$stage/$name"
    fi
done
mkdir "$stage/ml"
# with what is mounted below it: a channel may be a mount of its own
mount --rbind "$job" "$stage/ml"
mount --rbind "$stage" /opt
cd /opt/ml/code
exec "$@"
