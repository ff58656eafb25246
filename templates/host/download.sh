# Defines the function `fetch`, which downloads a file with the proxy of this machine.

# sudo and a shell without PAM drop the proxy's variables: they are then read from /etc/environment. wget reads lower
# case only.
for name in http_proxy https_proxy no_proxy; do
  upper=$(printf %s "$name" | tr '[:lower:]' '[:upper:]')
  eval "value=\${$name:-\${$upper:-}}"
  for key in "$name" "$upper"; do
    [ -n "$value" ] || value=$(sed -n "s/^\(export  *\)\{0,1\}$key=//p" /etc/environment 2>/dev/null | tail -n 1 | tr -d "\"'")
  done
  [ -z "$value" ] || export "$name=$value"
done

# Prints the header Location of a response that wget has printed.
redirect_of() { sed -n 's/^ *location: *//Ip' | head -n 1 | tr -d '\r'; }

# wget cannot limit redirects to https, so they are followed here.
download_with_wget() {
  location=$1
  for _ in 1 2 3 4 5 6; do
    case $location in
      @SCHEMES@) ;;
      *)
        echo "it redirects to $location, which is not allowed"
        return 1
        ;;
    esac
    if printed=$(wget -nv -S --tries=1 --timeout=30 --max-redirect=0 -O "$2" "$location" 2>&1); then return; fi
    location=$(printf '%s\n' "$printed" | redirect_of)
    if [ -z "$location" ]; then
      printf '%s\n' "$printed" | tail -n 1
      return 1
    fi
  done
  echo "it redirects too often"
  return 1
}

# Downloads the URL $1 to the file $2. Prints the reason of a failure.
download() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --proto '=@PROTOCOLS@' --connect-timeout 10 --speed-limit 1024 --speed-time 30 -o "$2" "$1" 2>&1
  elif command -v wget >/dev/null 2>&1; then
    download_with_wget "$1" "$2"
  else
    echo "neither curl nor wget is installed"
    return 1
  fi
}

# Downloads the URL $1 to the file $2, in up to three attempts.
fetch() {
  for attempt in 1 2 3; do
    [ "$attempt" = 1 ] || sleep 1
    if reason=$(download "$1" "$2"); then return; fi
  done
  printf '%s: %s\n' "$1" "$reason" >&2
  return 1
}
