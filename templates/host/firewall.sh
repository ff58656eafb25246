# What a node needs in the firewall that is active: `missing` tells it, `open` brings it, `close` takes it away again. Set before: $verb,
# $ports (6443/tcp 30000-32767/udp) and $ranges (of pods and services). The firewall itself is never switched on or off, and nobody else's
# rule is touched.
set -eu

# Pods of other nodes come from the pods' range, so that range is trusted; and what is on its way to a pod is let through.
policy=kubewright-pods

# An interface may be in a zone of its own, and packets are judged by the rules of theirs.
zones() { { firewall-cmd --get-default-zone; firewall-cmd --get-active-zones | grep '^[^ ]' | cut -d' ' -f1; } | sort -u | grep -vxE 'trusted|docker|libvirt'; }

# Each call of firewall-cmd takes half a second: so it is told, and asked, everything at once.
permanent() { firewall-cmd --permanent "$@"; }
flags() { option=$1; shift; for value in "$@"; do printf -- '--%s=%s ' "$option" "$value"; done; }
lacks() { case " $1 " in *" $2 "*) return 1 ;; esac; }

policy_is_there() { permanent --get-policies | grep -qw "$policy"; }

firewalld() {
  case $verb in
    missing)
      for zone in $(zones); do
        there=$(permanent --zone="$zone" --list-ports)
        for port in $ports; do if lacks "$there" "$port"; then echo "missing=$port"; fi; done
      done | sort -u
      there=
      if policy_is_there; then there=$(permanent --zone=trusted --list-sources); fi
      for range in $ranges; do if lacks "$there" "$range"; then echo "missing=$range"; fi; done ;;
    open)
      if [ -n "$ports" ]; then for zone in $(zones); do permanent -q --zone="$zone" $(flags add-port $ports); done; fi
      if [ -n "$ranges" ]; then permanent -q --zone=trusted $(flags add-source $ranges); fi
      if [ -n "$ranges" ]; then
        policy_is_there || permanent -q --new-policy="$policy"
        permanent -q --policy="$policy" --add-ingress-zone=ANY
        permanent -q --policy="$policy" --add-egress-zone=trusted
        permanent -q --policy="$policy" --set-target=ACCEPT
      fi
      firewall-cmd -q --reload ;;
    close)
      if [ -n "$ports" ]; then for zone in $(zones); do permanent -q --zone="$zone" $(flags remove-port $ports); done; fi
      if [ -n "$ranges" ]; then permanent -q --zone=trusted $(flags remove-source $ranges); fi
      if [ -n "$ranges" ] && policy_is_there; then permanent -q --delete-policy="$policy"; fi
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
