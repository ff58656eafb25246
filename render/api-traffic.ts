import { quote } from "../common/quote";
import { BALANCER_ANSWER, BALANCER_CONFIG, BALANCER_SOCKET } from "./api-balancer";

/** Exit codes of the script that takes a control plane out of the balancers. 0 is a cluster that needs none of it. */
export const TAKEN_OUT = 10;
export const NO_OTHER_READY = 11;

/** Seconds by which the balancer of a busy machine may ask late. */
const LATE_SECONDS = 1;

/**
 * Renders the script that takes a control plane out of the API balancers of all nodes. It succeeds without a change
 * where the cluster has one control plane or no balancers. The control plane's own balancer shows when the answer has
 * arrived; all others ask within the same interval, or a moment later on a busy machine.
 * @param node name of the control plane
 */
export function takeOutScript(node: string): string {
  return `[ -S ${BALANCER_SOCKET} ] && [ -e ${BALANCER_ANSWER} ] || exit 0
servers() { echo 'show stat' | socat -t 5 - UNIX-CONNECT:${BALANCER_SOCKET} |
  awk -F, '$1 == "apiservers" && $2 != "BACKEND" {print $2, $18}'; }
own=${quote(node)}
is_other_up() { servers | awk -v own="$own" '$1 != own && $2 == "UP" && NF == 2 {up = 1} END {exit !up}'; }
is_out() { servers | awk -v own="$own" '$1 == own && $2 == "DRAIN" {out = 1} END {exit !out}'; }
within() { tries=$1; until "$2"; do tries=$((tries - 1)); [ "$tries" -gt 0 ] || return 1; sleep 0.5; done; }
[ "$(servers | wc -l)" -gt 1 ] || exit 0
within 20 is_other_up || exit ${NO_OTHER_READY}
sh ${BALANCER_ANSWER} drain || exit 1
within 20 is_out || exit 1
sleep "$(($(sed -n 's/.*agent-inter \\([0-9]*\\)s.*/\\1/p' ${BALANCER_CONFIG} | head -n 1) + ${LATE_SECONDS}))"
exit ${TAKEN_OUT}`;
}

/** Ends what `templates/api-balancer/answer.sh` has started, and deletes its files. */
export const STOP_ANSWERING = `systemctl stop kubewright-api-balancer-answer.service 2>/dev/null
rm -f /run/kubewright-api-balancer-answer /var/lib/kubewright/api-balancer-answer`;
