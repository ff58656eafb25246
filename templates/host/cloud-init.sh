# Waits until cloud-init has finished. Exits with cloud-init's code (0 done, 1 failed, 2 done with errors), and prints the end of its
# log if it failed. Changes nothing.
command -v cloud-init >/dev/null 2>&1 || exit 0
echo waiting
code=0
status=$(cloud-init status --wait --long 2>&1) || code=$?
# Old versions report errors in their output only.
case $status in *"status: error"*) [ "$code" = 2 ] || code=1 ;; esac
[ "$code" = 0 ] && exit 0
printf '%s\n' "$status" | sed '/^\.*$/d'
tail -n 20 /var/log/cloud-init-output.log 2>/dev/null
exit "$code"
