#!/bin/bash
# Joins, drains or removes one worker: `hand.sh join|drain|leave`. Waits only where needed, with one connection per machine.
# NAME, IP: the worker. CP: the control plane's address. KEY, CP_KEY: their SSH keys. SHELL_REF: the shell script's folder, prepared. EXTRAS: more images.
set -euo pipefail
opts="-i $KEY -i $CP_KEY -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -c aes128-gcm@openssh.com
  -o ControlMaster=auto -o ControlPath=$SOCKETS/%h -o ControlPersist=60"
on() { local host=$1; shift; ssh $opts root@$host "$@"; }

install() {
  on $IP 'tar --no-same-owner -i -C / -xf -' < $SHELL_REF/build/node.tar
  on $IP "bash -s $IP" < $SHELL_REF/node-install.sh
  for archive in $SHELL_REF/build/worker.tar $EXTRAS; do on $IP 'ctr -n k8s.io images import --local - >/dev/null' < $archive; done
}

# The bootstrap token for this join alone, and the CA's hash, as `kubeadm token create --print-join-command` prints them.
token() { on $CP 'kubeadm token create --ttl 15m --print-join-command'; }

join() {
  install & local installed=$!
  local command; command=$(token)
  local token hash
  token=$(sed 's/.*--token \([^ ]*\).*/\1/' <<< "$command"); hash=$(sed 's/.*cert-hash \([^ ]*\).*/\1/' <<< "$command")
  wait $installed
  # Lets the kubelet run on cgroup v1.
  on $IP 'mkdir -p /etc/kubernetes/patches; echo "failCgroupV1: false" > /etc/kubernetes/patches/kubeletconfiguration+merge.yaml'
  sed "s/@TOKEN@/$token/;s/@NAME@/$NAME/;s/@IP@/$IP/;s/@CPIP@/$CP/;s,@HASH@,$hash," $SHELL_REF/files/kubeadm-join.yaml |
    on $IP 'umask 077; { cat; echo "patches: {directory: /etc/kubernetes/patches}"; } > /etc/kubernetes/join.yaml; kubeadm join --config /etc/kubernetes/join.yaml >/dev/null; rm /etc/kubernetes/join.yaml'
  kubectl wait --for=create node/$NAME --timeout=60s
  kubectl wait --for=condition=Ready node/$NAME --timeout=120s
  on $CP "kubeadm token delete $token"
}

drain() { kubectl drain $NAME --ignore-daemonsets --timeout=300s; }

# The machine is deleted as a whole, so nothing is reset.
leave() {
  drain
  kubectl delete node $NAME
  ssh $opts -O exit root@$IP 2>/dev/null || true
}

"$@"
