# What kube-proxy leaves: the rules of all Services. Those chains of the same family that are the kubelet's stay.
without_tables "ip kube-proxy" "ip6 kube-proxy"
without_rules '!/KUBE-/ || /KUBE-(KUBELET|FIREWALL)/'
ip link delete kube-ipvs0 2>/dev/null
