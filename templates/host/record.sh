# Records what this machine is like before its first change, for `npm run down`: folders, services, modules, and the values of @SYSCTLS@.
record=@RECORD@
[ ! -e $record ] || exit 0
mkdir -p "$(dirname $record)"
{
  { find /var/lib /opt /run -mindepth 1 -maxdepth 1 -type d; find /etc -maxdepth 1 -type d -name cni; } | sed 's/^/folder /'
  systemctl list-unit-files --no-legend --no-pager --state=enabled | awk '{ print "enabled", $1 }'
  systemctl list-units --no-legend --no-pager --plain --state=active --type=service,socket | awk '{ print "active", $1 }'
  # The modules of a container are its host's.
  systemd-detect-virt -qc || awk '{ print "module", $1 }' /proc/modules
  # A change of ip_forward also changes forwarding on all interfaces, and redirects.
  pattern='^net\.ipv4\.conf\.([^.]*\.forwarding|all\.accept_redirects)$'
  dependent=$(sysctl -aN --pattern "$pattern" 2>/dev/null | grep -vxF net.ipv4.conf.all.forwarding)
  for name in @SYSCTLS@ $dependent; do
    value=$(sysctl -n "$name" 2>/dev/null) && echo "sysctl $name $value"
  done
} > $record.new
mv -fT $record.new $record
