# A run of a timer: how it begins, ends, and records its result. Uses the settings and the functions of result.sh and lease.sh.
work=
has_lease=
renewer=

finish() {
  [ -z "$renewer" ] || kill "$renewer" 2>/dev/null
  [ -z "$work" ] || rm -rf "$work" "$snapshot"
  [ -z "$has_lease" ] || release_lease
  [ -n "$is_recorded" ] || record failed "the run was interrupted"
}

# attempt STEP COMMAND...: writes what the command prints to $work/output, and ends the run if it fails.
attempt() {
  step=$1
  shift
  "$@" >"$work/output" 2>"$work/errors" </dev/null || fail "$step failed: $(last_words)"
}
last_words() { tail -n 3 "$work/errors" | tr '\n' ' '; }

# stamp backup|drill ID TIME: records for `status` that it succeeded, as the command of this name does.
stamp() {
  file=$state/last-$1.json
  printf '{"id":"%s","time":"%s"}\n' "$2" "$3" >"$file.new" && chmod 644 "$file.new" && mv -fT "$file.new" "$file"
}

# Begins a run: takes the Lease, and creates the folder $work. A killed run may have left its own.
begin() {
  trap finish EXIT
  trap 'exit 1' TERM INT
  rm -rf "$result".* "$snapshot"
  record running ""
  is_recorded=
  work=$(mktemp -d "$result.XXXXXX") || fail "a folder could not be created in $state"
  take_lease
  case $? in
    0) has_lease=1 ;;
    2) record postponed "$holder still backs up the cluster"; exit 0 ;;
    *) fail "$problem" ;;
  esac
  while sleep 60; do renew_lease; done >/dev/null 2>&1 </dev/null &
  renewer=$!
}
