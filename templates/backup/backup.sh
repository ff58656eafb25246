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
for part in settings result.sh run.sh lease.sh repository.sh content.sh; do . "$folder/$part"; done

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
begin
open_repository
read_last_backup
if ! is_due "$last_time"; then
  stamp backup "$last_id" "$last_time"
  record ok "backup $last_id is newer than the last date of the schedule"
  exit 0
fi
collect
store
clean
stamp backup "$id" "$time"
record ok "backup $id"
echo "backup $id of $time is stored in $repository: revision $revision, hash $hash"
