# How a run of a timer ends. `npm run status` reads the record. Uses `state`, the folder of the file `result`.
problem=
is_recorded=

record() {
  is_recorded=1
  mkdir -p "$state"
  printf '%s %s\n%s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" >"$result.new" && mv -fT "$result.new" "$result"
}
fail() {
  echo "<3>$1"
  record failed "$1"
  exit 1
}
