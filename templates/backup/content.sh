# The files of a backup, as `kubewright backup` collects them.
manifest=/etc/kubernetes/manifests/kube-apiserver.yaml

json_text() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }
ask_cluster() { kubectl "$@" --request-timeout=60s; }
number_of() { grep -o "\"$1\":[0-9]*" "$2" | head -n 1 | cut -d : -f 2; }

# Fills $work/files.
collect() {
  mkdir -p "$work/files/machine" || fail "the folder of the backup could not be created"
  attempt "checking etcd on this machine" sh "$folder/etcd-health.sh"
  time=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
  attempt "saving a snapshot of etcd" sh "$folder/save-snapshot.sh" "$snapshot"
  read_snapshot "$snapshot"
  compare_with_live
  mv "$snapshot" "$work/files/etcd.db" || fail "the snapshot could not be moved"
  collect_machine_files
  for map in @CONFIG_MAPS@; do collect_config_map "$map"; done
  write_facts
  find "$work/files" -type f -exec chmod 600 {} +
}

# Restores a snapshot into a scratch etcd, and sets what it contains.
read_snapshot() {
  attempt "restoring the snapshot into a scratch etcd" sh "$folder/read-snapshot.sh" "$1"
  mv "$work/output" "$work/content"
  revision=$(number_of hash_revision "$work/content")
  [ -n "$revision" ] || revision=$(number_of revision "$work/content")
  hash=$(number_of hash "$work/content")
  compacted=$(number_of compact_revision "$work/content")
  compacted=${compacted:-0}
  [ -n "$revision" ] && [ -n "$hash" ] ||
    fail "restoring the snapshot failed: etcdctl printed $(head -c 200 "$work/content")"
}

# Prints the number of keys of each kind in a restored snapshot: `2 secrets`.
restored_keys() { sed '1,/^@SEPARATOR@$/d' "$work/content" | LC_ALL=C sort -k 2; }

# Unless the history was compacted in the meantime.
compare_with_live() {
  attempt "reading etcd's hash" sh "$folder/live-hash.sh" "$revision"
  live=$(number_of hash "$work/output")
  live_compacted=$(number_of compact_revision "$work/output")
  [ -z "$live" ] || [ "${live_compacted:-0}" != "$compacted" ] || [ "$live" = "$hash" ] ||
    fail "at revision $revision etcd has the hash $live, the snapshot $hash: look for the alarm CORRUPT of etcd"
}

# Prints what the API server reads from the machine besides kubeadm's own files.
configured_paths() {
  mounts='{{range .spec.containers}}{{range .volumeMounts}}{{if .readOnly}}read {{.name}}{{"\n"}}{{end}}{{end}}{{end}}'
  volumes='{{range .spec.volumes}}{{if .hostPath}}path {{.name}} {{.hostPath.path}}{{"\n"}}{{end}}{{end}}'
  kubectl annotate --local -f "$manifest" kubewright=backup -o go-template="$mounts$volumes" >"$work/mounts" || return 1
  [ -s "$work/mounts" ] || { echo "$manifest has no mounts" >&2; return 1; }
  awk -v kubeadm=@OF_KUBEADM@ '
    BEGIN {count = split(kubeadm, paths, ":"); for (i = 1; i <= count; i++) skip[paths[i]] = 1}
    $1 == "read" {read[$2] = 1}
    $1 == "path" {path = $0; sub(/^path [^ ]* /, "", path); if (read[$2] && !skip[path]) print path}' "$work/mounts"
}

# Copies the keys of the authorities and the configured files to their own paths below `machine`, without links.
collect_machine_files() {
  attempt "reading the manifest of the API server" configured_paths
  set -- @AUTHORITIES@
  [ ! -e /@FORMER@ ] || set -- "$@" @FORMER@
  while read -r path; do set -- "$@" "${path#/}"; done <"$work/output"
  attempt "copying the keys" tar -C / -chf "$work/files.tar" "$@"
  attempt "copying the keys" tar -C "$work/files/machine" -xf "$work/files.tar"
  rm -f "$work/files.tar"
  find "$work/files/machine" ! -type d ! -type f -exec rm -f {} +
  find "$work/files/machine" -mindepth 1 -type d -empty -delete
}

# Writes each key of a ConfigMap to a file NAME.KEY.yaml.
collect_config_map() {
  attempt "reading the ConfigMap $1" ask_cluster get configmap "$1" -n kube-system \
    -o go-template='{{range $key, $text := .data}}{{$key}}{{"\n"}}{{end}}'
  mv "$work/output" "$work/keys"
  while read -r key; do
    attempt "reading the ConfigMap $1" ask_cluster get configmap "$1" -n kube-system \
      -o go-template="{{index .data \"$key\"}}"
    mv "$work/output" "$work/files/$1.$key.yaml"
  done <"$work/keys"
}

write_facts() {
  attempt "reading the version of Kubernetes" ask_cluster get --raw /version
  kubernetes=$(sed -n 's/.*"gitVersion": *"v\{0,1\}\([^"]*\)".*/\1/p' "$work/output" | head -n 1)
  attempt "listing the nodes" ask_cluster get nodes -o go-template='{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}'
  nodes=$(LC_ALL=C sort "$work/output" | sed 's/.*/"&"/' | paste -s -d , -)
  keys=$(restored_keys |
    awk '{printf "%s\"%s\":%s", (NR > 1 ? "," : ""), $2, $1}')
  ca=$(sha256sum </etc/kubernetes/pki/ca.crt | cut -c 1-64)
  cat >"$work/files/cluster.json" <<END || fail "the facts of the backup could not be written"
{
  "stack": $(json_text "$stack"),
  "time": "$time",
  "node": $(json_text "$node"),
  "content": {"revision": $revision, "hash": $hash, "compactRevision": $compacted, "keys": {$keys}},
  "kubernetes": $(json_text "$kubernetes"),
  "nodes": [$nodes],
  "caHash": "$ca"
}
END
}
