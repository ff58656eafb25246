#!/bin/sh
# Makes the name of the cluster's API server lead to the balancer on this node. Runs before each start of the balancer, because Docker
# and cloud-init write /etc/hosts again when a machine starts. The kubelet copies the file into pods with hostNetwork.
line='127.0.0.1 @NAME@'
hosts=/etc/hosts
if ! grep -qxF "$line" $hosts; then
  # The same block as that of the cluster's machines. In a container the file is a mount point, which cannot be replaced.
  if grep -qx '# BEGIN kubewright' $hosts; then
    new=$(awk -v line="$line" '{ print } /^# BEGIN kubewright$/ { print line }' $hosts) && printf '%s\n' "$new" > $hosts
  else
    printf '# BEGIN kubewright\n%s\n# END kubewright\n' "$line" >> $hosts
  fi || exit 1
fi
# SELinux lets haproxy connect to the ports of HTTP only. The boolean is not persistent: this script sets it at each start.
if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then setsebool haproxy_connect_any on; fi
# A control plane that restarted while it was taken out of the balancers is put back.
if [ -e /var/lib/kubewright/api-balancer-answer ] && ! systemctl is-active --quiet kubewright-api-balancer-answer.service; then
  sh /etc/kubewright/api-balancer/answer.sh ready
fi
exit 0
