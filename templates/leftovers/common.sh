set -u
# Keeps only the iptables rules that an awk filter prints.
without_rules() {
  for tables in iptables ip6tables; do
    command -v $tables-save >/dev/null 2>&1 || continue
    rules=$($tables-save 2>/dev/null) || continue
    kept=$(printf '%s\n' "$rules" | awk "$1")
    [ "$rules" = "$kept" ] || printf '%s\n' "$kept" | $tables-restore
  done
}
without_tables() {
  command -v nft >/dev/null 2>&1 || return 0
  for table in "$@"; do nft delete table $table 2>/dev/null; done
}
