#!/bin/sh
# answer.sh drain|ready: takes this control plane out of the balancers of all nodes, or puts it back.
# The balancers ask for this on port @PORT@ (agent-check). Without an answer they keep the last one, and use their health checks only.
# After `drain` they open no further connection to this API server. Existing ones stay.
# A control plane is put back after 15 minutes, or when its balancer starts again after a restart of the machine.
set -e
unit=kubewright-api-balancer-answer.service
state=/run/kubewright-api-balancer-answer
mark=/var/lib/kubewright/api-balancer-answer
listen=TCP4-LISTEN:@PORT@
[ ! -e /proc/net/if_inet6 ] || listen=TCP6-LISTEN:@PORT@,ipv6only=0
serve="socat -U $listen,reuseaddr,fork OPEN:$state,rdonly"
# Long enough for every balancer to ask.
ready="echo ready > $state; timeout 30 $serve; rm -f $mark"
case "$1" in
  drain) run="echo drain > $state; timeout 900 $serve; $ready" ;;
  ready) run=$ready ;;
  *) echo "usage: answer.sh drain|ready" >&2; exit 2 ;;
esac
mkdir -p /var/lib/kubewright
: > $mark
systemctl stop $unit 2>/dev/null || true
exec systemd-run --quiet --collect --unit=$unit /bin/sh -c "$run"
