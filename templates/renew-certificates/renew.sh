#!/bin/sh
# Renews the leaves of this control plane before they end, as `up` does: one component after the other, each proved
# healthy with its new certificates; otherwise the previous files are restored. Does nothing while no leaf ends soon.
# With the argument `check`, only checks that the programs it needs are there.
set -u
umask 077
export PATH="$PATH:/usr/local/bin"
export KUBECONFIG=/etc/kubernetes/admin.conf
export KUBECACHEDIR=/run/kubewright-renew-certificates.cache # deleted with the unit
folder=@FOLDER@
config=/etc/kubernetes/kubewright-cluster.yaml
answer=@ANSWER@
for part in settings result.sh leaves.sh kept.sh lease.sh pods.sh request.sh prove.sh; do . "$folder/$part"; done
lock=$state/renewal.lock
result=$state/renewal
patience=600
has_lease=
is_out=

finish() {
  [ -z "$is_out" ] || sh "$answer" ready
  [ -z "$has_lease" ] || release_lease
  [ -n "$is_recorded" ] || record failed "the renewal was interrupted: the next run continues it"
}

# Restarts a component that reads its certificates only at its start, and proves it. etcd reads them at each handshake.
restart_and_prove() {
  before=
  case $1 in
    etcd | administrator) ;;
    *)
      before=$(running_uids "$1")
      place_manifest "$1" "$2" || { problem="the manifest of $1 could not be written"; return 1; }
      ;;
  esac
  # shellcheck disable=SC2086
  prove "$1" $before
}

# Restores the copies of a component's files, and restarts it with them.
put_back() {
  failure=$problem
  echo "<4>$failure: restoring the previous files of $1"
  if restore_files && restart_and_prove "$1" "$previous$manifests/$1.yaml"; then
    drop_copies
    fail "$failure; the previous files were restored, and $1 is healthy again"
  fi
  fail "$failure; the previous files were restored, but $1 is not healthy: $problem"
}

# leave_balancers COMPONENT [always]
leave_balancers() {
  [ "$1" = kube-apiserver ] || return 0
  sh "$folder/take-out.sh"
  case $? in
    0) ;;
    @TAKEN_OUT@) is_out=1 ;;
    @NO_OTHER_READY@)
      # As `up`, once there is no time left to wait for another API server.
      [ "${2:-}" = always ] || is_urgent kube-apiserver ||
        fail "no other API server is ready, so clients would notice the restart of this one"
      ;;
    *) echo "<4>not taken out of the API balancers, whose checks notice a restart" ;;
  esac
}

enter_balancers() {
  [ -z "$is_out" ] || sh "$answer" ready
  is_out=
}

# renew COMPONENT LEAF...
renew() {
  component=$1
  shift
  echo "renewing the certificates of $component: $*"
  [ "$component" != etcd ] || require_quorum || fail "$problem"
  leave_balancers "$component"
  manifest=$manifests/$component.yaml
  files=$(for leaf in "$@"; do files_of "$leaf"; done)
  # shellcheck disable=SC2086
  keep "$component" "$manifest" $files || fail "the previous files could not be copied to $previous"
  if issue "$@" && restart_and_prove "$component" "$manifest" && require_renewed "$@"; then
    drop_copies
    enter_balancers
    return
  fi
  put_back "$component"
}

issue() {
  for leaf in "$@"; do
    set -- "$leaf"
    [ ! -e "$config" ] || set -- "$leaf" --config "$config"
    output=$(timeout 60 kubeadm certs renew "$@" 2>&1) || {
      problem="kubeadm certs renew $leaf failed: $(echo "$output" | tail -n 3)"
      return 1
    }
  done
}

require_renewed() {
  for leaf in "$@"; do
    left=$(seconds_until_due "$leaf" 2>&1) && [ "$left" -gt 0 ] 2>/dev/null && continue
    problem="kubeadm did not renew $leaf"
    return 1
  done
}

# A run that was interrupted may have replaced some of the files. The component is restarted with them, or else with the
# previous ones.
continue_interrupted() {
  component=$(cat "$renewal")
  echo "continuing the renewal of $component, which was interrupted"
  leave_balancers "$component" always
  restart_and_prove "$component" "$manifests/$component.yaml" || put_back "$component"
  drop_copies
  enter_balancers
}

# Takes the lock that `up` takes before it changes a control plane, and waits for an `up` that does so now.
take_lock() {
  mkdir -p "$state"
  exec 9>>"$lock"
  waited=0
  while :; do
    flock -w 60 9 || fail "another program keeps $lock"
    has_copies && ! is_interrupted || return 0
    flock -u 9
    [ "$waited" -lt "$patience" ] ||
      fail "$previous has the files of an \`up\` that was interrupted on this machine: run Kubewright's \`up\` again"
    waited=$((waited + 10))
    sleep 10
  done
}

components="etcd kube-apiserver kube-controller-manager kube-scheduler administrator"
print_due() { for one in $components; do due_of "$one" || return 1; done; }

if [ "${1:-}" = check ]; then
  for program in kubeadm kubectl socat flock od base64 awk; do command -v "$program" >/dev/null || exit 1; done
  exit 0
fi
due=$(print_due 2>&1) || fail "$(echo "$due" | tail -n 1)"
if [ -z "$due" ] && ! is_interrupted; then
  record ok "no certificate ends soon"
  exit 0
fi
trap finish EXIT
trap 'exit 1' TERM INT
record running ""
is_recorded=
take_lease
case $? in
  0) has_lease=1 ;;
  2) record postponed "$holder renews its certificates"; exit 0 ;;
  *) fail "$problem" ;;
esac
take_lock
! is_interrupted || continue_interrupted
renewed=
for one in $components; do
  due=$(due_of "$one" 2>&1) || fail "$(echo "$due" | tail -n 1)"
  # shellcheck disable=SC2086
  [ -z "$due" ] || renew "$one" $due
  renewed="$renewed $due"
done
rm -rf "$staging"
record ok "renewed: $(echo $renewed)"
echo "renewed: $(echo $renewed)"
