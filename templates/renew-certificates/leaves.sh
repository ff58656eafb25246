# Reads the leaves of a control plane. Names are those of `kubeadm certs renew`: apiserver, etcd-server, admin.conf.
# Needs no openssl.
kubernetes=/etc/kubernetes
day=86400

leaves_of() {
  case $1 in
    etcd) echo etcd-server etcd-peer etcd-healthcheck-client ;;
    kube-apiserver) echo apiserver apiserver-kubelet-client apiserver-etcd-client front-proxy-client ;;
    kube-controller-manager) echo controller-manager.conf ;;
    kube-scheduler) echo scheduler.conf ;;
    administrator) echo admin.conf super-admin.conf ;;
  esac
}

# Prints the path of a leaf's certificate, or of the kubeconfig that contains it.
path_of() {
  case $1 in
    *.conf) echo "$kubernetes/$1" ;;
    etcd-*) echo "$kubernetes/pki/etcd/${1#etcd-}.crt" ;;
    *) echo "$kubernetes/pki/$1.crt" ;;
  esac
}

# Prints the files that the renewal of a leaf replaces.
files_of() {
  path=$(path_of "$1")
  echo "$path"
  case $path in *.crt) echo "${path%.crt}.key" ;; esac
}

# Prints the certificate of a leaf as hexadecimal digits of its DER.
print_certificate() {
  path=$(path_of "$1")
  case $1 in
    *.conf) sed -n 's/^ *client-certificate-data: *//p' "$path" | head -n 1 | base64 -d 2>/dev/null ;;
    *) cat "$path" ;;
  esac | awk '/-----BEGIN CERTIFICATE-----/ {inside = 1; next} /-----END CERTIFICATE-----/ {exit} inside' |
    base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# Converts a time of ASN.1 to seconds since 1970: u270131120000 (UTCTime, of 1950 to 2049), g20500131120000.
to_seconds() {
  digits=${1#?}
  case $1 in
    u[5-9]*) digits=19$digits ;;
    u*) digits=20$digits ;;
  esac
  date -u -d "$(echo "$digits" | sed -E 's/(....)(..)(..)(..)(..)(..)/\1-\2-\3 \4:\5:\6/')" +%s
}

# Prints start and end of a leaf in seconds since 1970. They are a sequence of two times (RFC 5280, 4.1.2.5).
print_validity() {
  one='(170d(3[0-9]){12}|180f(3[0-9]){14})5a'
  times=$(print_certificate "$1" | grep -Eo "30(1e|20|22)$one$one" | head -n 1 |
    sed -E 's/^30(1e|20|22)//; s/170d/ u/g; s/180f/ g/g; s/5a//g; s/3([0-9])/\1/g')
  [ -n "$times" ] || { echo "$(path_of "$1") has no certificate that can be read" >&2; return 1; }
  # shellcheck disable=SC2086
  set -- $times
  echo "$(to_seconds "$1") $(to_seconds "$2")"
}

# Prints the seconds until a leaf must be renewed: $days days before its end, or in the last third of a shorter life.
seconds_until_due() {
  validity=$(print_validity "$1") || return 1
  start=${validity% *} end=${validity#* }
  window=$((days * day))
  [ $(((end - start) / 3)) -ge "$window" ] || window=$(((end - start) / 3))
  echo $((end - window - $(date +%s)))
}

# Prints the leaves of a component that must be renewed. Fails if one cannot be read.
due_of() {
  for leaf in $(leaves_of "$1"); do
    [ -e "$(path_of "$leaf")" ] || continue
    left=$(seconds_until_due "$leaf") || return 1
    [ "$left" -gt 0 ] || echo "$leaf"
  done
}

# Succeeds if a leaf of a component ends within a week, or has ended.
is_urgent() {
  for leaf in $(due_of "$1"); do
    validity=$(print_validity "$leaf") || return 0
    [ $((${validity#* } - $(date +%s))) -gt $((7 * day)) ] || return 0
  done
  return 1
}
