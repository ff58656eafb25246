#!/bin/sh
# Runs flanneld with the given arguments, and writes the node's CNI configuration from flanneld's subnet file. Flannel's own CNI
# plugin only delegates to `bridge` and `host-local`, so their configuration is written directly and the plugin is not needed.
subnet_env=/run/flannel/subnet.env
conflist=/etc/cni/net.d/10-flannel.conflist

# The name of the API server leads to the node's balancer. A node of a cluster that is older than the balancers gets its own only when
# `pulumi up` reaches it: until then, the Service leads to the API servers there.
knows_api_server() {
  case $KUBERNETES_SERVICE_HOST in *.internal) ;; *) return 0 ;; esac
  while read -r _ name _; do [ "$name" = "$KUBERNETES_SERVICE_HOST" ] && return 0; done < /etc/hosts
  return 1
}
knows_api_server || export KUBERNETES_SERVICE_HOST="$KUBERNETES_PORT_443_TCP_ADDR" KUBERNETES_SERVICE_PORT=443

start() { /opt/bin/flanneld --ip-masq --kube-subnet-mgr "$@" & pid=$!; }
trap 'kill $pid; wait $pid; exit 0' TERM INT

rm -f $subnet_env
start "$@"
# flanneld exits while the node has no podCIDR. Restarting it here is faster than the kubelet's back-off of 10 s.
until [ -s $subnet_env ]; do
  kill -0 $pid 2>/dev/null || { sleep 0.5; start "$@"; }
  sleep 0.1
done

. $subnet_env
subnet=$(echo "$FLANNEL_SUBNET" | sed 's,\.1/,.0/,')   # host-local rejects host bits
cat > /etc/cni/net.d/.flannel.tmp <<EOF
{
  "cniVersion": "1.0.0",
  "name": "cbr0",
  "plugins": [
    {
      "type": "bridge", "bridge": "cni0", "mtu": $FLANNEL_MTU, "isDefaultGateway": true, "hairpinMode": true, "ipMasq": false,
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "$subnet"}]], "routes": [{"dst": "$FLANNEL_NETWORK"}]}
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
EOF
mv /etc/cni/net.d/.flannel.tmp $conflist   # atomic, because the runtime watches this folder
wait $pid
