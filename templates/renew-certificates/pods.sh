# Restarts static pods and waits until they are healthy, as `up` does: see provider/host/prove-static-pod.ts.
manifests=$kubernetes/manifests
staging=$kubernetes/tmp/kubewright-certificates
logs=/var/log/pods
mark=kubewright.io/certificates-renewed

# Prints pod uid and id of each running container of a component.
running() {
  pod=$1-$node
  tasks=$(ctr --connect-timeout 2s -n k8s.io tasks ls 2>/dev/null | awk '$3 == "RUNNING" {print $1}')
  of_pod="labels.\"io.kubernetes.pod.name\"==$pod"
  for id in $(ctr --connect-timeout 2s -n k8s.io containers ls -q "$of_pod" 2>/dev/null); do
    case " $(echo $tasks) " in *" $id "*) ;; *) continue ;; esac
    ctr -n k8s.io containers info "$id" 2>/dev/null | awk -F'"' -v id="$id" '
      $2 == "io.kubernetes.pod.uid" {uid = $4}
      $2 == "io.kubernetes.container.name" {name = $4}
      END {if (name != "" && name != "POD") print uid, id}'
  done
  docker ps --no-trunc --filter "label=io.kubernetes.pod.name=$pod" --format \
    '{{.Label "io.kubernetes.pod.uid"}} {{.ID}} {{.Label "io.kubernetes.container.name"}}' 2>/dev/null |
    awk '$3 != "POD" {print $1, $2}'
}

running_uids() { running "$1" | awk '{print $1}' | sort -u; }

# starts_of COMPONENT UID...: prints how often containers of its other pods have started. The kubelet numbers the logs.
starts_of() {
  component=$1
  shift
  for folder in "$logs"/*_"$component-$node"_*/*/; do
    uid=$(basename "$(dirname "$folder")")
    case " $* " in *" ${uid##*_} "*) continue ;; esac
    ls "$folder" 2>/dev/null | sed -n 's/^\([0-9]*\)\.log$/\1/p' | sort -n | tail -n 1
  done | awk '{sum += $1 + 1} END {print sum + 0}'
}

# Prints the last lines that a component has logged.
last_lines() {
  log=$(find -L "$logs"/*_"$1-$node"_*/ -name '*.log' -size +0 -exec ls -t {} + 2>/dev/null | head -n 1)
  [ -z "$log" ] || tail -n 3 "$log" | cut -c 1-300
}

# place_manifest COMPONENT SOURCE: writes the manifest with another time of the renewal, so that the kubelet replaces
# the pod.
place_manifest() {
  mkdir -p -m 700 "$staging" || return 1
  line="    $mark: \"$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)\""
  awk -v mark="    $mark: " -v line="$line" '
    NR == FNR {if ($0 == "  annotations:") has = 1; next}
    index($0, mark) == 1 {next}
    {print}
    !done && $0 == (has ? "  annotations:" : "metadata:") {
      if (!has) print "  annotations:"
      print line
      done = 1
    }' "$2" "$2" >"$staging/manifest.yaml" && mv -fT "$staging/manifest.yaml" "$manifests/$1.yaml"
}

# Prints address and path of a component's readiness probe, or else its liveness probe, for `request`.
print_endpoint() {
  awk '
    function value() {sub(/^[^:]*: */, ""); gsub(/"/, ""); return $0}
    /^ *- containerPort: / {number = value()}
    /^ *name: / && number != "" {name = value(); ports[name] = number; number = ""}
    /^    [a-zA-Z]*Probe:/ {probe = $1}
    /^    [a-zA-Z]/ && !/Probe:/ {probe = ""}
    probe != "" && /^ *(host|path|port|scheme): / {key = $1; found[probe key] = value()}
    END {
      probe = ("readinessProbe:port:" in found) ? "readinessProbe:" : "livenessProbe:"
      port = found[probe "port:"]
      if (port in ports) port = ports[port]
      if (port == "") exit
      host = found[probe "host:"] == "" ? "127.0.0.1" : found[probe "host:"]
      if (host ~ /:/) host = "[" host "]"
      type = found[probe "scheme:"] == "HTTPS" ? "OPENSSL:%s:%s,verify=0" : "TCP:%s:%s"
      printf type " %s\n", host, port, found[probe "path:"] == "" ? "/" : found[probe "path:"]
    }' "$manifests/$1.yaml"
}

# Prints what a component waits for; nothing if it runs in a pod that is not one of UID..., and answers.
# pod_problem COMPONENT UID...
pod_problem() {
  component=$1
  shift
  containers=$(running "$component")
  [ -n "$containers" ] || { echo "the kubelet has not started its container"; return; }
  for uid in "$@"; do
    case "$containers" in *"$uid "*) echo "the previous pod still runs"; return ;; esac
  done
  # shellcheck disable=SC2046
  set -- $(print_endpoint "$component")
  [ $# -eq 2 ] || return
  answer=$(request "$1" "$2")
  case $answer in HTTP/1.?" 200"*) ;; *) echo "${answer:-it does not answer}" ;; esac
}

# Waits until a component is healthy in another pod than those of UID..., for three seconds without a restart.
# wait_healthy COMPONENT UID...
wait_healthy() {
  limit=$(($(date +%s) + seconds))
  began= previous_ids=
  starts=$(starts_of "$@")
  while :; do
    reason=$(pod_problem "$@")
    now=$(date +%s)
    ids=$(running "$1")
    [ "$ids" = "$previous_ids" ] && [ -z "$reason" ] || began=$now
    previous_ids=$ids
    [ -n "$reason" ] || [ $((now - began)) -lt 3 ] || return 0
    if [ "$(($(starts_of "$@") - starts))" -ge 3 ] || [ "$now" -ge "$limit" ]; then
      problem="$1 is not healthy: ${reason:-its container keeps exiting}: $(last_lines "$1")"
      return 1
    fi
    sleep 1
  done
}
