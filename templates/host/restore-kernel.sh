# Restores the kernel settings of this machine before its first change, and unloads modules that were not loaded then.
record=@RECORD@
[ -f $record ] || exit 0
recorded() { grep -qxF "$1" $record; }
links() { [ -n "$(ip -o link show type "$1" 2>/dev/null)" ]; }

grep '^sysctl ' $record | while read -r _ name value; do
  # Another program may have started to forward packets since.
  case $name in net.ipv4.ip_forward | net.ipv4.conf.*)
    if links bridge || links tun || links wireguard; then continue; fi ;;
  esac
  sysctl -q -w "$name=$value" 2>/dev/null
  # The machine's own configuration may have changed since.
  sysctl -q --system --pattern "^$(echo "$name" | sed 's/\./\\./g')\$" >/dev/null 2>&1
done

# A module is unloaded if it was not loaded before, belongs to what Kubernetes uses, and no other module or program uses it.
unload() {
  for module in $(awk '$3 == 0 { print $1 }' /proc/modules); do
    recorded "module $module" && continue
    case $module in
      overlay | stp | llc | libcrc32c | udp_tunnel | ip6_udp_tunnel) ;;
      # Unloading these deletes their links, or ends what depends on a bridge.
      bridge | br_netfilter | veth | vxlan | dummy)
        type=$module
        [ $module = br_netfilter ] && type=bridge
        links $type && continue
        [ -z "$(ls /run/netns 2>/dev/null)" ] || continue ;;
      nf_* | nft_* | nfnetlink* | xt_* | ipt_* | ip6t_* | ip_set* | ip_vs*)
        [ -z "$(nft list ruleset 2>/dev/null)" ] || continue ;;
      *) continue ;;
    esac
    rmmod "$module" 2>/dev/null && echo "$module"
  done
}
systemd-detect-virt -qc || while [ -n "$(unload)" ]; do :; done

rm -f $record
rmdir "$(dirname $record)" 2>/dev/null
exit 0
