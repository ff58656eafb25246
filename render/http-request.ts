/**
 * Defines the shell function `request ADDRESS PATH`: prints the status line of the answer to a GET, as HTTP/1.0.
 * `ADDRESS` is that of socat: `TCP:127.0.0.1:2381`, `OPENSSL:127.0.0.1:6443,verify=0`.
 *
 * `ignoreeof` keeps the connection open after the request. Otherwise socat closes its half. A server written in Go
 * takes that for a client that has gone, and cancels the request: etcd and the API server then answer 503 or 504.
 */
export const HTTP_REQUEST = `request() {
  printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$2" | timeout 4 socat -,ignoreeof "$1" 2>&1 | head -n 1
}`;
