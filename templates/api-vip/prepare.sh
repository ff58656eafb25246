#!/bin/sh
# Writes keepalived's configuration with the interface that has the control plane's address. Runs before each start.
set -e
interface=$(ip -o addr show to @ADDRESS@ | awk 'NR == 1 { print $2 }')
[ -n "$interface" ] || { echo 'no interface has the address @ADDRESS@' >&2; exit 1; }
# A control plane of this cluster may have the virtual address. Another machine must not.
if [ -z "$(ip -o addr show to @VIP@)" ] && ping -c 1 -W 1 @VIP@ > /dev/null 2>&1; then
  # Any answer of the API server proves its certificate.
  curl -s -o /dev/null --max-time 3 --cacert @CA@ https://@HOST@:@PORT@/version || {
    echo 'another machine answers at @VIP@: choose an address that no machine has' >&2
    exit 1
  }
fi
sed "s/\<INTERFACE\>/$interface/" @FOLDER@/keepalived.conf > @RUNNING@
