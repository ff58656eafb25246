#!/bin/sh
# Proves that this control plane can restore the newest backup, as `kubewright backup drill` does on another computer.
# With the argument `check`, only checks that the programs and files it needs are there.
set -u
umask 077
export PATH="$PATH:/usr/local/bin"
export KUBECONFIG=/etc/kubernetes/admin.conf
export KUBECACHEDIR=/run/kubewright-backup-drill.cache
folder=@FOLDER@
state=@STATE@
result=@RESULT@
snapshot=$result.db
for part in settings result.sh run.sh lease.sh repository.sh content.sh; do . "$folder/$part"; done
# A backup of this control plane has the Lease under another name.
node=$node/drill

# Prints what was recorded when the backup was taken, whichever computer has taken it.
recorded_content() {
  tr -d ' \n' <"$work/files/cluster.json" >"$work/facts"
  echo "revision $(number_of revision "$work/facts")"
  echo "hash $(number_of hash "$work/facts")"
  sed 's/.*"keys":{\([^}]*\)}.*/\1/' "$work/facts" | tr ',:' '\n ' | tr -d '"' | grep .
}

# Prints the same of the restored snapshot.
restored_content() {
  echo "revision $revision"
  echo "hash $hash"
  restored_keys | awk '{print $2, $1}'
}

compare() {
  recorded_content | LC_ALL=C sort >"$work/recorded"
  restored_content | LC_ALL=C sort >"$work/restored"
  missing=$(LC_ALL=C comm -23 "$work/recorded" "$work/restored" | paste -s -d , -)
  other=$(LC_ALL=C comm -13 "$work/recorded" "$work/restored" | paste -s -d , -)
  [ -z "$missing$other" ] || fail "backup $last_id differs: recorded ${missing:-nothing}; restored ${other:-nothing}"
}

if [ "${1:-}" = check ]; then
  for program in kubectl awk comm paste timeout $programs; do command -v "$program" >/dev/null || exit 1; done
  [ -x "$restic" ] && [ -s "$access/password" ]
  exit
fi
begin
open_repository
read_last_backup
[ -n "$last_id" ] || fail "the repository $repository has no backup of this cluster"
run_restic "reading a backup from" "$long" restore "$last_id" --target "$work/files"
read_snapshot "$work/files/etcd.db"
compare
stamp drill "$last_id" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
record ok "backup $last_id can be restored"
echo "backup $last_id of $last_time can be restored: revision $revision, hash $hash"
