# The Lease that lets one control plane work at a time. A write names the version that was read, so that the API server
# refuses that of a second control plane. A Lease whose control plane neither releases nor renews it is free after
# `duration` seconds.
lease=@LEASE@
duration=@DURATION@
lease_wait=@WAIT@
lease_time='{{with .spec.renewTime}}{{.}}{{else}}-{{end}}'

# Prints version, time of the last renewal, and holder; nothing if there is no Lease.
read_lease() {
  kubectl get leases.v1.coordination.k8s.io "$lease" -n kube-system --ignore-not-found --request-timeout=15s \
    -o go-template="{{.metadata.resourceVersion}} $lease_time {{with .spec.holderIdentity}}{{.}}{{end}}"
}

# write_lease create|replace VERSION SPEC
write_lease() {
  version=
  [ -z "$2" ] || version=",\"resourceVersion\":\"$2\""
  metadata="\"name\":\"$lease\",\"namespace\":\"kube-system\"$version"
  echo "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{$metadata},\"spec\":{$3}}" |
    kubectl "$1" --validate=false --request-timeout=15s -f - 2>&1
}

is_over() {
  [ "$1" = - ] || [ $(($(date -d "$1" +%s) + duration)) -lt "$(date +%s)" ]
}

lease_spec() {
  now=$(date -u +%Y-%m-%dT%H:%M:%S.000000Z)
  echo "\"holderIdentity\":\"$node\",\"leaseDurationSeconds\":$duration,\"acquireTime\":\"$now\",\"renewTime\":\"$now\""
}

# Renews the Lease if this control plane has it. @returns 1 if it does not
renew_lease() {
  found=$(read_lease 2>/dev/null) || return 1
  # shellcheck disable=SC2086
  set -- $found
  [ "${3:-}" = "$node" ] && write_lease replace "$1" "$(lease_spec)" >/dev/null
}

# Waits for the Lease. @returns 1 if the API server does not answer or refuses, 2 if another control plane keeps it
take_lease() {
  waited=0
  while :; do
    found=$(read_lease 2>&1) || { problem="the Lease $lease could not be read: $found"; return 1; }
    # shellcheck disable=SC2086
    set -- $found
    holder=${3:-}
    if [ $# -eq 0 ] || [ -z "$holder" ] || [ "$holder" = "$node" ] || is_over "$2"; then
      verb=replace
      [ $# -gt 0 ] || verb=create
      answer=$(write_lease "$verb" "${1:-}" "$(lease_spec)") && return 0
      case $answer in
        *Conflict* | *AlreadyExists* | *"has been modified"*) ;;
        *) problem="the Lease $lease could not be written: $answer"; return 1 ;;
      esac
    fi
    [ "$waited" -lt "$lease_wait" ] || return 2
    waited=$((waited + 10))
    sleep 10
  done
}

# Releases the Lease if this control plane has it. The API server may still be starting.
release_lease() {
  for _ in 1 2 3 4 5 6; do
    if found=$(read_lease 2>/dev/null); then
      # shellcheck disable=SC2086
      set -- $found
      [ "${3:-}" = "$node" ] || return 0
      write_lease replace "$1" "\"leaseDurationSeconds\":$duration" >/dev/null && return 0
    fi
    sleep 5
  done
  echo "<4>the Lease $lease was not released: it is free after $duration seconds"
}
