#!/bin/sh
# Read every file below some directories of a Lustre file system, so that it fetches their content from S3.
#
# Needs a POSIX sh and cat, dd, mkdir, mkfifo, rm, sleep, tr, wc, which any image has. find and stat are used where they
# are and can do what is asked of them. Names are hostile: they travel as arguments, or counted line by line, and are
# printed without anything that a terminal or a metric's expression would take for its own.
#
#   PRELOAD_DIRECTORIES    absolute paths without blanks, one blank between them
#   PRELOAD_READERS        files that are read at the same time
#   PRELOAD_STALL_SECONDS  so long without a file finished or a piece read, and it gives up
#   PRELOAD_FAILURE_FILE   where the reason of a failure goes
#   PRELOAD_TICK_SECONDS   pause between two lines of numbers
#
# Ends with 0 when all was read, 2 when it cannot begin, 3 when reading stalled, 4 when a file cannot be read, 143 when
# it was stopped.
#
# How it works: one process walks the directories and writes names into a pipe. The readers take turns at the pipe, each
# takes a few small files or one large one, reads them, and tells what came of it. The main process counts what it is
# told, and hears a tick every few seconds.
set -u
# bytes are bytes, and reasons are English
LC_ALL=C
export LC_ALL

nl='
'
small_blocks=2048         # of 512 bytes: up to this a file is small, and read together with others
batch_files=16
piece_blocks=256          # of 1 MiB: a large file tells after each piece that it goes on
piece_bytes=268435456
shown_failures=10
reason_characters=1024    # what SageMaker takes of the failure file

# One file as a record: its kind, how many further lines its name has, its name. Text, since find runs it in a shell of
# its own.
# shellcheck disable=SC2016
record='
kind=$1
shift
nl="
"
for name do
    more=0
    rest=$name
    while :; do
        case $rest in
        *"$nl"*) more=$((more + 1)) rest=${rest#*"$nl"} ;;
        *) break ;;
        esac
    done
    printf "%s %s %s\n" "$kind" "$more" "$name"
done'

tell() { printf '%s\n' "$*" >&3; }

# Text of others on one line, without what could be taken for a command of the terminal or for a number of ours.
plain() { printf "%.${2}s" "$1" | tr -c '\040-\074\076-\176' '?'; }

# --- the walk: names of regular files to standard output; links are not followed

walk() {
    if can_find; then
        # shellcheck disable=SC2086
        { trouble=$(find $roots -type f \( -size "+$small_blocks" -exec sh -c "$record" record large {} + \
            -o -exec sh -c "$record" record small {} + \) 2>&1 >&6); status=$?; } 6>&1
    else
        { trouble=$(for root in $roots; do climb "$root"; done 2>&1 >&6); status=$?; } 6>&1
        [ -z "$trouble" ] || status=1
    fi
    [ "$status" -eq 0 ] || tell "unlisted $(plain "${trouble%%"$nl"*}" 200)"
    tell ended
}

can_find() {
    # shellcheck disable=SC2086
    find $roots -prune -type d \( -size +1 -exec sh -c : {} + -o -exec sh -c : {} + \) >/dev/null 2>&1
}

# Without find: whether a file is small is not known, and each is read by itself.
eval "as_record() { $record
}"
climb() {
    if [ ! -r "$1" ] || [ ! -x "$1" ]; then
        echo "$1: cannot be listed" >&2
        return
    fi
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        if [ -L "$entry" ]; then
            continue
        elif [ -d "$entry" ]; then
            climb "$entry"
        elif [ -f "$entry" ]; then
            as_record large "$entry"
        fi
    done
}

# --- a reader

reader() {
    # it does not end unheard, whatever its shell stumbles over
    finished=
    trap '[ -n "$finished" ] || tell failed "a reader ended before its time"; tell ended' EXIT
    # whom a signal's end has missed goes by itself
    while kill -0 "$$"; do
        # whoever has the turn reads names
        read -r _ <&4
        set --
        kind=small
        while [ $# -lt "$batch_files" ] && [ "$kind" = small ] && IFS= read -r line <&5; do
            kind=${line%% *}
            line=${line#* }
            more=${line%% *}
            name=${line#* }
            while [ "$more" -gt 0 ] && IFS= read -r line <&5; do
                name=$name$nl$line
                more=$((more - 1))
            done
            set -- "$@" "$name"
        done
        echo >&4
        [ $# -gt 0 ] || break
        load "$@"
    done
    finished=yes
}

# Is a file loaded? "lfs hsm_state" would say so, but no image has it. Inferred instead from its blocks: Lustre
# gives a file whose content is released none, or one, so that it is not taken for sparse, and FSx imports a file as a
# released one; what has been fetched has blocks for every byte. So a file counts as loaded when it has more than one,
# and they hold its size: one proves nothing, for a file of up to 512 bytes either. Where they do not, for they may be
# compressed, where stat is another one or fails, files are read: that takes time, and is never wrong. Nothing has to be
# fetched for an empty file.
load() {
    facts=$(stat -c %b:%s "$@" 2>/dev/null) || facts=
    files=0
    for fact in $facts; do
        files=$((files + 1))
        case $fact in *[!0-9:]* | :* | *: | *:*:*) facts= ;; *:*) ;; *) facts= ;; esac
    done
    [ "$files" -eq $# ] || facts=
    files=0
    bytes=0
    unread_bytes=0
    for fact in $facts; do
        blocks=${fact%:*}
        size=${fact#*:}
        if [ "$size" -eq 0 ] || { [ "$blocks" -gt 1 ] && [ $((blocks * 512)) -ge "$size" ]; }; then
            files=$((files + 1))
            bytes=$((bytes + size))
        else
            unread_bytes=$((unread_bytes + size))
            set -- "$@" "$1"
        fi
        shift
    done
    [ "$files" -eq 0 ] || tell found "$files" "$bytes"
    # together; unless that brings every byte, one after the other, which tells why
    if [ -n "$facts" ] && [ $# -gt 1 ] && [ "$(cat "$@" 2>/dev/null | wc -c)" -eq "$unread_bytes" ]; then
        tell loaded "$#" "$unread_bytes" 0
        return
    fi
    for name do
        reason=$({ read_all <"$name"; } 2>&1) || tell failed "$(plain "$name" 400): $(plain "${reason##*: }" 100)"
    done
}

# Standard input to its end, piece by piece. Prints why not, and tells what it has read.
read_all() {
    told=0
    while :; do
        # dd's errors, its status and the number of bytes, in this order
        answer=$({ { dd bs=1048576 count="$piece_blocks" 2>&9; echo "$?" >&9; } | wc -c; } 9>&1)
        count=$((${answer##*"$nl"} + 0))
        answer=${answer%"$nl"*}
        if [ "${answer##*"$nl"}" -ne 0 ]; then
            [ "$told" -eq 0 ] || tell reading "-$told"
            printf '%s\n' "${answer%%"$nl"*}"
            return 1
        fi
        [ "$count" -eq "$piece_bytes" ] || break
        told=$((told + count))
        tell reading "$count"
    done
    tell loaded 1 "$((told + count))" "$told"
}

# --- the main process

loaded_files=0
loaded_bytes=0
found_files=0
reading_bytes=0
failed_files=0
reasons=

# A metric of a training job is a single-precision number: exact up to 16,777,216. So each large number is said once
# more in groups of six digits.
say_numbers() {
    printf '%s' "loaded_files=$loaded_files loaded_bytes=$loaded_bytes found_files=$found_files"
    printf '%s' " reading_bytes=$reading_bytes failed_files=$failed_files"
    printf '%s' " loaded_files_e6=$((loaded_files / 1000000)) loaded_files_e0=$((loaded_files % 1000000))"
    printf '%s' " loaded_bytes_e12=$((loaded_bytes / 1000000000000))"
    printf '%s' " loaded_bytes_e6=$((loaded_bytes / 1000000 % 1000000))"
    printf '%s\n' " loaded_bytes_e0=$((loaded_bytes % 1000000))"
}

fail() {
    failed_files=$((failed_files + 1))
    [ "$failed_files" -le "$shown_failures" ] || return 0
    echo "error: $1"
    reasons="$reasons${reasons:+; }$1"
}

# The code to end with, and why, if it did not end well.
end() {
    trap '' TERM INT
    # shellcheck disable=SC2086
    [ -z "$others" ] || kill $others 2>/dev/null
    if [ "$1" -ne 0 ]; then
        echo "$2"
        printf "%.${reason_characters}s" "$2" >"$PRELOAD_FAILURE_FILE"
    fi
    say_numbers
    exit "$1"
}

main() {
    others=
    trap 'end 143 "stopped; run it again to load the rest"' TERM INT
    # mksh is one of few, and would count wrong
    [ "$((1000000 * 1000000))" = 1000000000000 ] || end 2 "this sh counts with 32 bits; use an image with another one"
    roots=
    for root in $PRELOAD_DIRECTORIES; do
        [ -d "$root" ] || end 2 "$root is no directory"
        # a link is followed with a slash and a dot behind it only
        [ ! -L "$root" ] || root=$root/.
        roots="$roots $root"
    done
    open_pipes
    # Nobody prints but the main process, and whoever outlives it holds no output open: in braces, since a shell that
    # redirects a function keeps the old output for afterwards.
    { walk; } >"$work/names" 2>/dev/null &
    others=$!
    exec 5<"$work/names"
    rm -rf "$work"
    running=1
    while [ "$running" -le "$PRELOAD_READERS" ]; do
        { reader; } >/dev/null 2>&1 &
        others="$others $!"
        running=$((running + 1))
    done
    exec 5<&-
    while sleep "${PRELOAD_TICK_SECONDS:-5}" && kill -0 "$$"; do tell tick; done >/dev/null 2>&1 &
    ticker=$!
    others="$others $ticker"
    count
    # the others have ended
    others=$ticker
    if [ "$failed_files" -gt 0 ]; then
        end 4 "$failed_files file(s) cannot be read: $reasons"
    fi
    end 0
}

# Pipes without names: their places are removed once they are open.
open_pipes() {
    for place in "${TMPDIR:-/tmp}" /opt/ml/output .; do
        work=$place/headrace-preload.$$
        mkdir "$work" 2>/dev/null && break
    done
    mkfifo "$work/names" "$work/turn" "$work/news" || end 2 "there is no place for pipes: $work"
    exec 3<>"$work/news" 4<>"$work/turn"
    echo >&4
}

count() {
    tick_seconds=${PRELOAD_TICK_SECONDS:-5}
    idle_seconds=0
    while [ "$running" -gt 0 ]; do
        read -r what rest <&3
        # shellcheck disable=SC2086
        case $what in failed | unlisted) set -- ;; *) set -- $rest ;; esac
        case $what in
        tick)
            say_numbers
            idle_seconds=$((idle_seconds + tick_seconds))
            [ "$idle_seconds" -lt "$PRELOAD_STALL_SECONDS" ] \
                || end 3 "stalled: no file finished and nothing read for $idle_seconds s; run it again to load the rest"
            continue
            ;;
        found) loaded "$1" "$2" 0 && found_files=$((found_files + $1)) ;;
        loaded) loaded "$1" "$2" "$3" ;;
        reading) reading_bytes=$((reading_bytes + $1)) ;;
        failed | unlisted) fail "$rest" ;;
        ended) running=$((running - 1)) ;;
        esac
        idle_seconds=0
    done
}

# Files, their bytes, and how many of these were told as being read.
loaded() {
    loaded_files=$((loaded_files + $1))
    loaded_bytes=$((loaded_bytes + $2))
    reading_bytes=$((reading_bytes - $3))
}

main
