#!/bin/sh
# Approves the requests of kubelets for serving certificates (kubernetes.io/kubelet-serving). Approved is a request that
# the node itself has sent, byte for byte as its kubelet writes it for the name and the addresses of the roster. All
# others stay pending, and are reported once. Kubewright itself approves the requests of new nodes: this script is for
# kubelets that renew their certificate between two runs.
# The roster has what a request contains before and after the public key, as hexadecimal digits, so that no openssl is
# needed. With the argument `check`, only reads the requests.
set -u
export PATH="$PATH:/usr/local/bin"
export KUBECONFIG=/etc/kubernetes/admin.conf
export KUBECACHEDIR=/run/kubewright-kubelet-serving.cache # deleted with the unit
roster=@ROSTER@
reported=/run/kubewright-kubelet-serving.reported
separator=$(printf '\037')
digit='[0-9a-f]'

# Prints the pending requests, one a line: name, user, membership of system:nodes, usages, request. A quoted text (%q)
# contains no control characters.
list_pending() {
  fields='{{.metadata.name}}{{"\x1f"}}{{printf "%q" .spec.username}}{{"\x1f"}}'
  fields=$fields'{{range .spec.groups}}{{if eq . "system:nodes"}}node{{end}}{{end}}{{"\x1f"}}'
  fields=$fields'{{range .spec.usages}}{{.}},{{end}}{{"\x1f"}}{{.spec.request}}{{"\n"}}'
  kubectl get certificatesigningrequests.v1.certificates.k8s.io --request-timeout=15s \
    --field-selector spec.signerName=kubernetes.io/kubelet-serving \
    -o go-template="{{range .items}}{{if not .status.conditions}}$fields{{end}}{{end}}"
}

# Prints the bytes of a request, which is base64 of PEM. Prints nothing if the PEM has text around it.
print_bytes() {
  printf %s "$1" | base64 -d 2>/dev/null | awk '
    NR == 1 { if ($0 != "-----BEGIN CERTIFICATE REQUEST-----") exit; next }
    $0 == "-----END CERTIFICATE REQUEST-----" { ended++; next }
    ended || /[^A-Za-z0-9+\/=]/ { ended = 2; exit }
    { body = body $0 }
    END { if (ended == 1) print body }' | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# Prints why a request is not approved; nothing if it may be.
print_refusal() {
  user=$1 group=$2 usages=$3 request=$4
  node=${user#\"system:node:}
  node=${node%\"}
  line=$(NODE=$node awk '$1 == ENVIRON["NODE"] && NF == 3 {print; exit}' "$roster")
  if [ -z "$line" ] || [ "$user" != "\"system:node:$node\"" ] || [ "$group" != node ]; then
    echo "it was sent by $user, and $roster has no such node"
    return
  fi
  case $usages in
    "digital signature,server auth," | "server auth,digital signature,") ;;
    *) echo "its usages are $usages"; return ;;
  esac
  before=$(echo "$line" | cut -d ' ' -f 2)
  after=$(echo "$line" | cut -d ' ' -f 3)
  print_bytes "$request" |
    grep -Eq "^30(81$digit{2}|82$digit{4})${before}@KEY_HEADER@$digit{128}${after}@SIGNED@" ||
    echo "it has other names or addresses than those of $node in $roster"
}

report_once() {
  grep -qxF "$1" "$reported" 2>/dev/null && return
  echo "$1" >>"$reported"
  echo "<4>$1 is not approved: $2"
}

requests=$(list_pending) || exit 1
[ "${1:-}" != check ] && [ -n "$requests" ] || exit 0
status=0
while IFS=$separator read -r name user group usages request; do
  reason=$(print_refusal "$user" "$group" "$usages" "$request")
  if [ -n "$reason" ]; then
    report_once "$name" "$reason"
  else
    kubectl certificate approve "$name" --request-timeout=15s || status=1
  fi
done <<EOF
$requests
EOF
exit "$status"
