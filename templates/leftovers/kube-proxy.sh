# Leftovers of kube-proxy: the rules of all Services. Chains of the kubelet stay.
without_tables "ip kube-proxy" "ip6 kube-proxy"
without_rules '!/KUBE-/ || /KUBE-(KUBELET|FIREWALL)/'
ip link delete kube-ipvs0 2>/dev/null
