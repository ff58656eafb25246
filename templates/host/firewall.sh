# Manages a node's rules in the active firewall. $verb is `missing` (prints missing rules), `open` (adds them) or `close` (removes them),
# $ports are `6443/tcp 30000-32767/udp`, $ranges the CIDRs of pods and Services. Never enables or disables the firewall, and changes no
# other rules.
set -eu

# Packets from pods of other nodes have addresses of the pod range, which is therefore trusted. The policy allows forwarding to pods.
policy=kubewright-pods

# The zone of an interface determines the rules for its packets, so rules are added to every active zone.
zones() { { firewall-cmd --get-default-zone; firewall-cmd --get-active-zones | grep '^[^ ]' | cut -d' ' -f1; } | sort -u | grep -vxE 'trusted|docker|libvirt'; }

# Each call of firewall-cmd takes half a second, so arguments are combined.
permanent() { firewall-cmd --permanent "$@"; }
flags() { option=$1; shift; for value in "$@"; do printf -- '--%s=%s ' "$option" "$value"; done; }
lacks() { case " $1 " in *" $2 "*) return 1 ;; esac; }

policy_exists() { permanent --get-policies | grep -qw "$policy"; }

firewalld() {
  case $verb in
    missing)
      for zone in $(zones); do
        present=$(permanent --zone="$zone" --list-ports)
        for port in $ports; do if lacks "$present" "$port"; then echo "missing=$port"; fi; done
      done | sort -u
      present=
      if policy_exists; then present=$(permanent --zone=trusted --list-sources); fi
      for range in $ranges; do if lacks "$present" "$range"; then echo "missing=$range"; fi; done ;;
    open)
      if [ -n "$ports" ]; then for zone in $(zones); do permanent -q --zone="$zone" $(flags add-port $ports); done; fi
      if [ -n "$ranges" ]; then permanent -q --zone=trusted $(flags add-source $ranges); fi
      if [ -n "$ranges" ]; then
        policy_exists || permanent -q --new-policy="$policy"
        permanent -q --policy="$policy" --add-ingress-zone=ANY
        permanent -q --policy="$policy" --add-egress-zone=trusted
        permanent -q --policy="$policy" --set-target=ACCEPT
      fi
      firewall-cmd -q --reload ;;
    close)
      if [ -n "$ports" ]; then for zone in $(zones); do permanent -q --zone="$zone" $(flags remove-port $ports); done; fi
      if [ -n "$ranges" ]; then permanent -q --zone=trusted $(flags remove-source $ranges); fi
      if [ -n "$ranges" ] && policy_exists; then permanent -q --delete-policy="$policy"; fi
      firewall-cmd -q --reload ;;
  esac
}

# ufw separates the bounds of a port range with a colon.
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
