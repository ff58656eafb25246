#!/bin/sh
# Succeeds while an API server of this cluster answers at the virtual address.
exec curl -fsS -o /dev/null --max-time 2 --cacert @CA@ https://@HOST@:@PORT@/readyz
