#!/bin/sh
# Succeeds while this control plane may have the virtual address: its API server is ready, and it is not taken out of the balancers.
! grep -qs drain /run/kubewright-api-balancer-answer || exit 1
exec curl -fsSk -o /dev/null --max-time 1 https://127.0.0.1:@PORT@/readyz
