#!/bin/sh
# Backs up the cluster's state, as `kubewright backup` does on another computer: one control plane after the schedule's
# date, and the others find the backup in the repository. With the argument `check`, only checks that the programs and
# files it needs are there.
set -u
umask 077
export PATH="$PATH:/usr/local/bin"
export KUBECONFIG=/etc/kubernetes/admin.conf
export KUBECACHEDIR=/run/kubewright-backup.cache
folder=@FOLDER@
state=@STATE@
result=@RESULT@
snapshot=@SNAPSHOT@
work=
problem=
is_recorded=
has_lease=
renewer=
for part in settings lease.sh repository.sh content.sh; do . "$folder/$part"; done

record() {
  is_recorded=1
  printf '%s %s\n%s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" >"$result.new" && mv -fT "$result.new" "$result"
}
fail() {
  echo "<3>$1"
  record failed "$1"
  exit 1
}
finish() {
  [ -z "$renewer" ] || kill "$renewer" 2>/dev/null
  [ -z "$work" ] || rm -rf "$work" "$snapshot"
  [ -z "$has_lease" ] || release_lease
  [ -n "$is_recorded" ] || record failed "the backup was interrupted"
}

# attempt STEP COMMAND...: writes what the command prints to $work/output, and ends the run if it fails.
attempt() {
  step=$1
  shift
  "$@" >"$work/output" 2>"$work/errors" </dev/null || fail "$step failed: $(last_words)"
}
last_words() { tail -n 3 "$work/errors" | tr '\n' ' '; }

# Records the last backup for `status`, as `kubewright backup` does.
stamp() {
  printf '{"id":"%s","time":"%s"}\n' "$1" "$2" >"$state/last-backup.json.new" &&
    chmod 644 "$state/last-backup.json.new" && mv -fT "$state/last-backup.json.new" "$state/last-backup.json"
}

# Prints the first date of the schedule after a time, in seconds since the epoch; nothing if there is none.
next_after() {
  dates=$(LC_ALL=C systemd-analyze calendar --base-time="$1" "$schedule") || return 1
  date=$(echo "$dates" | sed -n 's/^ *(in UTC): //p' | head -n 1)
  [ -n "$date" ] || date=$(echo "$dates" | sed -n 's/^ *Next elapse: //p' | head -n 1)
  [ "$date" = never ] || date -d "$date" +%s
}

# Whether the schedule has a date between a backup and now.
is_due() {
  [ -n "$1" ] || return 0
  next=$(next_after "@$(date -d "$1" +%s)" 2>"$work/errors") || fail "reading the schedule failed: $(last_words)"
  [ -n "$next" ] && [ "$next" -le "$(date +%s)" ]
}

if [ "${1:-}" = check ]; then
  for program in kubectl systemd-analyze awk flock tar timeout sha256sum $programs; do
    command -v "$program" >/dev/null || exit 1
  done
  [ -x "$restic" ] && [ -s "$access/password" ] && next_after now >/dev/null
  exit
fi
trap finish EXIT
trap 'exit 1' TERM INT
mkdir -p "$state"
rm -rf "$state"/scheduled.* "$snapshot"
record running ""
is_recorded=
work=$(mktemp -d "$state/scheduled.XXXXXX") || fail "the folder of the backup could not be created in $state"
take_lease
case $? in
  0) has_lease=1 ;;
  2) record postponed "$holder still backs up the cluster"; exit 0 ;;
  *) fail "$problem" ;;
esac
while sleep 60; do renew_lease; done >/dev/null 2>&1 </dev/null &
renewer=$!
open_repository
read_last_backup
if ! is_due "$last_time"; then
  stamp "$last_id" "$last_time"
  record ok "backup $last_id is newer than the last date of the schedule"
  exit 0
fi
collect
store
clean
stamp "$id" "$time"
record ok "backup $id"
echo "backup $id of $time is stored in $repository: revision $revision, hash $hash"
