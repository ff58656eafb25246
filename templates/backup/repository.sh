# The repository, through restic on this machine. The password and the keys of S3 and SFTP are in files of root only.
# Seconds. Other clusters may share the repository, so `short` is longer than restic waits for a lock.
short=390
long=3600

# call_restic SECONDS ARGUMENT...
call_restic() (
  limit=$1
  shift
  export RESTIC_CACHE_DIR="$state/restic-cache" TZ=UTC
  if [ -e "$access/environment" ]; then
    set -a
    . "$access/environment"
  fi
  # restic reads the password from stdin where that is no terminal.
  exec timeout "$limit" "$restic" --repo "$repository" --retry-lock 5m @OPTIONS@"$@" <"$access/password"
)

# run_restic STEP SECONDS ARGUMENT...: ends the run if restic fails. `unlock` removes only locks of processes that this
# machine no longer has, and those that were not renewed for half an hour.
run_restic() {
  step=$1
  limit=$2
  shift 2
  call_restic "$limit" "$@" >"$work/output" 2>"$work/errors"
  code=$?
  if [ "$code" -eq 11 ]; then
    call_restic "$short" unlock >/dev/null 2>&1
    call_restic "$limit" "$@" >"$work/output" 2>"$work/errors"
    code=$?
  fi
  [ "$code" -eq 0 ] || fail "$step $repository failed: $(reason_of "$code")"
}

reason_of() {
  case $1 in
    10) echo "there is no repository: mount its disk, or correct backup.repository in the configuration" ;;
    11) echo "another command uses it" ;;
    12) echo "the password is wrong: correct backup.password in the configuration" ;;
    124) echo "restic did not end in $limit seconds: $(last_words)" ;;
    *) last_words ;;
  esac
}

# Does not create the repository: a disk that the server has not mounted must not get an empty one.
open_repository() { run_restic "opening the repository" "$short" cat config; }

# Sets the id and the time of the newest backup of this cluster, whichever computer has stored it.
read_last_backup() {
  run_restic "listing the backups in" "$short" snapshots --json --tag "$tag"
  last=$(grep -Eo '"(time|short_id)":"[^"]*"' "$work/output" | cut -d '"' -f 4 | paste -d ' ' - - | sort | tail -n 1)
  last_time=${last%% *}
  last_id=${last##* }
}

# Stores the collected files, and sets the id of the backup.
store() {
  at=$(echo "$time" | cut -c 1-19 | tr T ' ')
  cd "$work/files" || fail "the folder of the backup is missing"
  run_restic "storing the backup in" "$long" backup --json --host "$node" --time "$at" --tag "$tag" .
  cd /
  id=$(sed -n 's/.*"snapshot_id":"\([0-9a-f]\{8\}\).*/\1/p' "$work/output" | tail -n 1)
  [ -n "$id" ] || fail "storing the backup in $repository failed: restic did not report the backup's id"
}

# Deletes the backups that need not be kept, and checks the repository's structure.
clean() {
  # shellcheck disable=SC2086
  run_restic "deleting old backups in" "$long" forget --tag "$tag" --group-by tags $keep --prune
  run_restic "checking the repository" "$long" check
}
