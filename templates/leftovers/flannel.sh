# Leftovers of flanneld: its CNI configuration, routes to other nodes' pods, rules.
pod_network=$(sed -n 's/^FLANNEL_NETWORK=//p' /run/flannel/subnet.env 2>/dev/null)
rm -rf /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/.flannel.tmp /run/flannel
# Routes through other nodes (host-gw). The route to the machine's own subnet has no gateway.
[ -n "$pod_network" ] && ip route show root "$pod_network" | grep ' via ' | while read -r route; do ip route del $route; done
ip link delete flannel.1 2>/dev/null
without_tables "ip flannel-ipv4" "ip6 flannel-ipv6"
without_rules '!/FLANNEL|FLANEL/'
