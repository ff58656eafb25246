#!/bin/bash
# Creates a cluster of several control planes from machines that answer ssh, as a careful operator would: until all
# nodes are Ready and CoreDNS is Available. Prepares all machines in parallel, with one connection per machine. The
# others join in parallel once the first one is initialized; kubeadm waits while etcd accepts no further member.
# CONTROL_PLANES, WORKERS: names. NODES: "name=address ...". SSH_KEY: the key of all machines. BIN: folder of kubectl.
# SHELL_REF: the shell script's folder, prepared. JOINS=turn: the control planes join one after the other.
# Writes OUT/steps.tsv (node, step, start, end, exit code; seconds), OUT/total (seconds) and a log of each step.
set -euo pipefail
umask 077
export LC_ALL=C
rm -rf "$OUT"; mkdir -p "$OUT"
export KUBECONFIG=$OUT/admin.conf PATH=$BIN:$PATH
declare -A IP; for pair in $NODES; do IP[${pair%%=*}]=${pair#*=}; done
read -r FIRST OTHERS <<< "$CONTROL_PLANES"
# The name leads to a load balancer on each node itself.
ENDPOINT=api.bench.internal PORT=7443
TOKEN=$(openssl rand -hex 3).$(openssl rand -hex 8)
CERTIFICATE_KEY=$(openssl rand -hex 32)
# The controller manager's default of 20 requests per second delays its start.
KCM_ARGS='[{name: kube-api-qps, value: "200"}, {name: kube-api-burst, value: "400"}]'
options="-i $SSH_KEY -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes
  -o ConnectTimeout=5 -c aes128-gcm@openssh.com -o ControlMaster=auto -o ControlPath=$OUT/%h -o ControlPersist=60"
on() { local host=${IP[$1]}; shift; ssh $options root@$host "$@"; }
is_control_plane() { [[ " $CONTROL_PLANES " == *" $1 "* ]]; }

clean() {
  kill $(jobs -p) 2> /dev/null || true
  for address in "${IP[@]}"; do ssh $options -O exit root@$address 2> /dev/null || true; done
}
trap clean EXIT

# step NODE NAME COMMAND...: runs a command and records when. Functions run without `set -e` here, so they use `&&`.
step() {
  local node=$1 name=$2 start=$EPOCHREALTIME code=0
  local log=$OUT/$node.$name.log
  shift 2
  "$@" > $log 2>&1 || code=$?
  awk -v node=$node -v name=$name -v start=$start -v end=$EPOCHREALTIME -v zero=$T0 -v code=$code \
    'BEGIN { printf "%s\t%s\t%.2f\t%.2f\t%d\n", node, name, start - zero, end - zero, code }' >> $OUT/steps.tsv
  [ $code = 0 ] || { echo "$node: $name failed with exit code $code"; tail -n 15 $log; }
  return $code
}

# Repeats a command for up to three minutes: an API server can be unavailable for a moment while etcd gets a member.
retry() { local deadline=$((SECONDS + 180)); until "$@"; do [ $SECONDS -lt $deadline ] || return 1; sleep 0.2; done; }

# Fills in a file for one machine, with the endpoint of all control planes. Secrets are in no command line.
fill() {
  local text; text=$(< $2)
  text=${text//@TOKEN@/$TOKEN} text=${text//@NAME@/$1} text=${text//@HASH@/${HASH:-}}
  text=${text//@IP@:6443/$ENDPOINT:$PORT} text=${text//@IP@/${IP[$1]}}
  text=${text//@CPIP@:6443/$ENDPOINT:$PORT} text=${text//@CPIP@/$ENDPOINT}
  text=${text/'value: "6443"'/"value: \"$PORT\""}
  text=${text//@PROXY@/nftables} text=${text//@NFT@/true} text=${text//@MAXPODS@/110}
  text=${text//@KCMARGS@/$KCM_ARGS} text=${text//@SCHEDARGS@/[]}
  printf '%s\n' "$text"
}

# The same checks as those of Kubewright's balancer.
balancer_config() {
  local check="check check-ssl verify none inter 1s fastinter 500ms downinter 1s rise 2 fall 2"
  check+=" on-marked-down shutdown-sessions on-error mark-down observe layer4 error-limit 2"
  cat << END
global
    nbthread 1
    maxconn 4000
    user haproxy
    group haproxy
    hard-stop-after 2s
defaults
    mode tcp
    timeout connect 2s
    timeout check 2s
    timeout client 2h
    timeout server 2h
    option clitcpka
    option srvtcpka
    option redispatch 1
    retries 2
frontend api
    bind 127.0.0.1:$PORT
    default_backend apiservers
backend apiservers
    balance leastconn
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host api
    http-check expect status 200
    default-server $check
END
  for name in $CONTROL_PLANES; do echo "    server $name ${IP[$name]}:6443"; done
}

# The distribution's unit mounts /dev/log, which a container may not have.
balancer_unit() {
  cat << END
[Unit]
Before=kubelet.service
[Service]
Type=notify
ExecStart=/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/api-balancer.pid
KillMode=mixed
Restart=always
[Install]
WantedBy=multi-user.target
END
}

copy() { on $1 'tar --no-same-owner -i -C / -xf -' < $SHELL_REF/build/$2.tar; }
load() { on $1 'ctr -n k8s.io images import --local - > /dev/null' < $SHELL_REF/build/$2.tar; }
install() {
  on $1 "bash -s ${IP[$1]}" < $SHELL_REF/node-install.sh &&
    balancer_config | on $1 'cat > /etc/haproxy/haproxy.cfg' &&
    balancer_unit | on $1 "cat > /etc/systemd/system/api-balancer.service && echo '127.0.0.1 $ENDPOINT' >> /etc/hosts &&
      systemctl daemon-reload && systemctl enable -q api-balancer && systemctl restart api-balancer"
}

# run_kubeadm VERB NODE OPTIONS: with a configuration from stdin, which has secrets and is deleted.
run_kubeadm() {
  on $2 "(umask 077; cat > /etc/kubernetes/$1.yaml) && kubeadm $1 --config /etc/kubernetes/$1.yaml -v1 $3 2>&1; code=\$?
    rm -f /etc/kubernetes/$1.yaml; exit \$code"
}

init() {
  local text; text=$(fill $1 $SHELL_REF/files/kubeadm-init.yaml)
  text=${text/localAPIEndpoint:/"certificateKey: $CERTIFICATE_KEY"$'\n'localAPIEndpoint:}
  text=${text/clusterName:/"encryptionAlgorithm: ECDSA-P256"$'\n'clusterName:}
  run_kubeadm init $1 "--upload-certs --skip-certificate-key-print --skip-token-print" <<< "$text"
}

join() {
  local text; text=$(fill $1 $SHELL_REF/files/kubeadm-join.yaml)
  if is_control_plane $1; then
    text+=$'\n'"controlPlane: {certificateKey: $CERTIFICATE_KEY, localAPIEndpoint: {advertiseAddress: ${IP[$1]}}}"
  fi
  run_kubeadm join $1 "" <<< "$text"
}

# The server of kubeadm's file is the endpoint, which only the nodes can resolve.
administrator() {
  local text; text=$(on $FIRST 'cat /etc/kubernetes/admin.conf' < /dev/null) &&
    echo "${text/"https://$ENDPOINT:$PORT"/"https://${IP[$FIRST]}:6443"}" > $KUBECONFIG
}

# SHA-256 of the CA's public key.
ca_hash() {
  kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d |
    openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum | cut -d ' ' -f 1
}

# Two replicas on different nodes, and a first probe that does not wait for a random part of 10 s.
PATCH='{"spec": {"template": {"spec": {"containers": [{"name": "coredns", "readinessProbe": {"periodSeconds": 1}}],
  "topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 2, "topologyKey": "kubernetes.io/hostname",
  "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor", "matchLabelKeys": ["pod-template-hash"],
  "labelSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]}}}}'
add_ons() {
  fill $FIRST $SHELL_REF/files/flannel.yaml | kubectl apply -f - &&
    kubectl -n kube-system patch deployment coredns -p "$PATCH"
}

# kubeadm join reads the signed cluster-info, and would ask for it only every 5 s.
is_signed() {
  [ -n "$(kubectl -n kube-public get configmap cluster-info -o jsonpath="{.data.jws-kubeconfig-${TOKEN%.*}}")" ]
}

ready() {
  retry kubectl wait --for=create node/$1 --timeout=60s &&
    retry kubectl wait --for=condition=Ready node/$1 --timeout=60s
}
coredns() { retry kubectl -n kube-system wait deployment/coredns --for=condition=Available --timeout=60s; }

await_init() { read -r HASH < $OUT/gate.$1; }

# A machine that joins.
member() {
  local turn
  step $1 copy copy $1 node
  step $1 install install $1
  if is_control_plane $1; then step $1 images-cp load $1 cp; fi
  step $1 images load $1 worker
  if is_control_plane $1; then step $1 kubectl copy $1 kubectl; fi
  step $1 wait-init await_init $1
  if [ "${JOINS:-parallel}" = turn ] && is_control_plane $1; then
    exec {turn}> $OUT/turn
    step $1 wait-turn flock $turn
  fi
  step $1 join join $1
  step $1 ready ready $1
}

T0=$EPOCHREALTIME
running=()
for node in $OTHERS $WORKERS; do mkfifo $OUT/gate.$node; member $node & running+=($!); done
step $FIRST copy copy $FIRST node
step $FIRST install install $FIRST
step $FIRST images-cp load $FIRST cp
{ step $FIRST images load $FIRST worker; step $FIRST kubectl copy $FIRST kubectl; } & running+=($!)
step $FIRST init init $FIRST
step $FIRST administrator administrator
step $FIRST add-ons add_ons
step $FIRST signed retry is_signed
HASH=sha256:$(ca_hash)
for node in $OTHERS $WORKERS; do echo $HASH > $OUT/gate.$node & done
step $FIRST ready ready $FIRST
step $FIRST coredns coredns
for job in "${running[@]}"; do wait $job; done
kubectl get nodes --no-headers | awk -v all=${#IP[@]} '$2 == "Ready" { ready++ } END { exit ready != all }'
awk -v end=$EPOCHREALTIME -v zero=$T0 'BEGIN { printf "%.2f\n", end - zero }' > $OUT/total
