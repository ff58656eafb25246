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
# Deletes tables of iptables-nft that have no rules, no chains of their own, and no policy other than accept. iptables creates
# its tables on first use, and never deletes them.
without_empty_tables() {
  command -v nft >/dev/null 2>&1 || return 0
  for table in raw mangle nat filter security; do
    for family in ip ip6; do
      content=$(nft list table $family $table 2>/dev/null) || continue
      printf '%s\n' "$content" |
        grep -qvE '^(#.*|table .*|[[:space:]]*chain (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) \{|[[:space:]]*type .* policy accept;|[[:space:]]*\}|[[:space:]]*)$' ||
        nft delete table $family $table
    done
  done
}
without_tables() {
  command -v nft >/dev/null 2>&1 || return 0
  for table in "$@"; do nft delete table $table 2>/dev/null; done
}
