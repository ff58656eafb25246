# Copies of files from before a change, as `up` keeps them: see provider/kubeadm/kept-files.ts. The file `renewal` names
# the component that this timer changes. Without it, the copies are of an `up` that is under way or was interrupted.
state=/var/lib/kubewright/kubeadm
previous=$state/previous
renewal=$previous/renewal

has_copies() { [ -e "$previous/complete" ]; }
is_interrupted() { has_copies && [ -e "$renewal" ]; }

# keep COMPONENT FILE...
keep() {
  rm -rf "$previous"
  mkdir -p "$previous" || return 1
  echo "$1" >"$renewal" || return 1
  shift
  for file in "$@"; do
    [ -e "$file" ] || continue
    mkdir -p "$(dirname "$previous$file")" && cp -p "$file" "$previous$file" || return 1
  done
  sync
  printf '%s\n' "$@" >"$previous/complete"
}

# Restores the copies of everything but manifests, and removes files that did not exist.
restore_files() {
  while read -r file; do
    case $file in */manifests/*) continue ;; esac
    if [ ! -e "$previous$file" ]; then
      rm -f "$file"
    elif ! cmp -s "$previous$file" "$file"; then
      hidden=$(dirname "$file")/.$(basename "$file").kept
      cp -p "$previous$file" "$hidden" && mv -fT "$hidden" "$file" || return 1
    fi
  done <"$previous/complete"
}

drop_copies() { rm -rf "$previous"; }
