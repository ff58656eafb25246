# What a node needs in the firewall that is active: `missing` tells it, `open` brings it, `close` takes it away again. Set before: $verb,
# $ports (6443/tcp 30000-32767/udp) and $ranges (of pods and services). The firewall itself is never switched on or off, and nobody else's
# rule is touched.
set -eu

# Pods of other nodes come from the pods' range, so that range is trusted; and what is on its way to a pod is let through.
policy=kubewright-pods

in_firewalld() {
  # An interface may be in a zone of its own, and packets are judged by the rules of theirs.
  local zone zones
  zones=$( { firewall-cmd --get-default-zone; firewall-cmd --get-active-zones | grep '^[^ ]' | cut -d' ' -f1; } | sort -u | grep -vxE 'trusted|docker|libvirt' )
  case $1 in
    port) for zone in $zones; do firewall-cmd --permanent --zone="$zone" "--$2-port=$3" || return; done ;;
    range) firewall-cmd --permanent --zone=trusted "--$2-source=$3" ;;
  esac >/dev/null 2>&1
}

policy_is_there() { firewall-cmd --permanent --get-policies | grep -qw "$policy"; }

firewalld() {
  case $verb in
    missing)
      for port in $ports; do in_firewalld port query "$port" || echo "missing=$port"; done
      for range in $ranges; do in_firewalld range query "$range" && policy_is_there || echo "missing=$range"; done ;;
    open)
      for port in $ports; do in_firewalld port add "$port"; done
      for range in $ranges; do in_firewalld range add "$range"; done
      if [ -n "$ranges" ] && ! policy_is_there; then
        firewall-cmd -q --permanent --new-policy="$policy"
        firewall-cmd -q --permanent --policy="$policy" --add-ingress-zone=ANY
        firewall-cmd -q --permanent --policy="$policy" --add-egress-zone=trusted
        firewall-cmd -q --permanent --policy="$policy" --set-target=ACCEPT
      fi
      firewall-cmd -q --reload ;;
    close)
      for port in $ports; do in_firewalld port remove "$port" || true; done
      for range in $ranges; do in_firewalld range remove "$range" || true; done
      if [ -n "$ranges" ] && policy_is_there; then firewall-cmd -q --permanent --delete-policy="$policy"; fi
      firewall-cmd -q --reload ;;
  esac
}

# ufw writes a range of ports with a colon.
ufw_rules() {
  for port in $ports; do echo "$port allow $(echo "$port" | tr - :)"; done
  for range in $ranges; do
    echo "$range allow from $range"
    echo "$range route allow from $range"
    echo "$range route allow to $range"
  done
}

uncomplicated() {
  added=$(ufw show added)
  ufw_rules | while read -r name rule; do
    case $verb in
      missing) printf '%s\n' "$added" | grep -qE "^ufw $rule( comment .*)?$" || echo "missing=$name" ;;
      open) ufw $rule comment kubewright >/dev/null ;;
      close) case $rule in route*) ufw --force route delete ${rule#route } ;; *) ufw --force delete $rule ;; esac >/dev/null ;;
    esac
  done | sort -u
}

if systemctl -q is-active firewalld 2>/dev/null; then
  echo firewall=firewalld
  firewalld
elif command -v ufw >/dev/null 2>&1 && ufw status | grep -q '^Status: active'; then
  echo firewall=ufw
  uncomplicated
else
  echo firewall=none
fi
