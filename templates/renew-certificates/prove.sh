# Proofs that a component works with its certificates.

# Runs a command until it succeeds, for $seconds at most.
within_limit() {
  limit=$(($(date +%s) + seconds))
  until output=$("$@" 2>&1); do
    if [ "$(date +%s)" -ge "$limit" ]; then
      problem="$(echo "$output" | tail -n 2)"
      return 1
    fi
    sleep 1
  done
}

etcdctl_here() { (. "$folder/etcdctl.sh" && etcdctl "$@"); }

# Succeeds if the API server accepts the client certificate of a kubeconfig.
is_accepted() { kubectl --kubeconfig "$kubernetes/$1" --request-timeout=10s get --raw /readyz; }

# Succeeds if the API server of this machine is ready, and the cluster's CA has issued the certificate that it serves.
is_served() {
  # shellcheck disable=SC2046
  set -- $(print_endpoint kube-apiserver)
  address=${1#OPENSSL:}
  kubectl --server "https://${address%,verify=0}" --tls-server-name kubernetes --request-timeout=10s get --raw /readyz
}

# prove COMPONENT UID...: fails if the component is not healthy in another pod than those of UID.
prove() {
  case $1 in
    administrator)
      for conf in $(leaves_of administrator); do
        [ ! -e "$kubernetes/$conf" ] || within_limit is_accepted "$conf" || return 1
      done
      return
      ;;
  esac
  wait_healthy "$@" || return 1
  case $1 in
    etcd) within_limit etcdctl_here endpoint health ;;
    kube-apiserver) within_limit is_served ;;
    *) within_limit is_accepted "$(leaves_of "$1")" ;;
  esac
}

# Fails if the cluster's etcd would lose its quorum without the member of this machine. Of two members, both are needed:
# then the other one must be healthy.
require_quorum() {
  report=$(etcdctl_here member list; echo --- health ---; etcdctl_here endpoint health --cluster 2>&1)
  echo "$report" | awk -v own="$node" '
    $0 == "--- health ---" {health = 1; next}
    health {if ($0 ~ / is healthy/) healthy[$1] = 1; next}
    {count = split($0, fields, /, */)}
    count < 5 || fields[6] == "true" {next}
    {members++; if (fields[3] != own) others[fields[5]] = 1}
    END {
      for (url in others) if (url in healthy) up++
      needed = members > 2 ? int(members / 2) + 1 : members - 1
      exit !(members > 0 && up + 0 >= needed)
    }' && return
  problem="without this member etcd would have no quorum: see \`etcdctl endpoint health --cluster\`"
  return 1
}
