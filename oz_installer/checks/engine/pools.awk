# Which subnet the engine will give to a new network, and which addresses such a subnet would take away.
# Input: «pool BASE SIZE», «net NAME SUBNET ...», «route» and a line of /proc/net/route, «watch KEY ADDRESS ...».
# Variables: network (of the project), subnet (of the answers), first (the engine always takes the first that is
# free). Output: «exists SUBNET», «next SUBNET», «safe SUBNET» (the first that takes nothing away), «risk KEY
# ADDRESS SUBNET», «covered KEY ADDRESS NETWORK SUBNET», «overlap SUBNET WHAT»; the last line is «create», and
# existing, auto, none, or a subnet.
function number(ip, part) {
  split(ip, part, ".")
  return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4]
}
function text(n) {
  return int(n / 16777216) "." int(n / 65536) % 256 "." int(n / 256) % 256 "." n % 256
}
function digit(hex, at) { return index("0123456789ABCDEF", toupper(substr(hex, at, 1))) - 1 }
function little(hex, at, n) {
  n = 0
  for (at = 7; at > 0; at -= 2) n = n * 256 + digit(hex, at) * 16 + digit(hex, at + 1)
  return n
}
function taken(low, high, i) {
  for (i = 1; i <= used; i++) if (from[i] <= high && to[i] >= low) return i
  return 0
}
function take(low, high, what) { used++; from[used] = low; to[used] = high; who[used] = what }
function watched(low, high, i) {
  for (i = 1; i <= watches; i++) if (at[i] >= low && at[i] <= high) return i
  return 0
}
function addresses(bits, n) {  # busybox has no powers
  n = 1
  while (bits++ < 32) n *= 2
  return n
}
function start(cidr, part) {
  split(cidr, part, "/")
  width = addresses(part[2])
  return number(part[1]) - number(part[1]) % width
}
$1 == "pool" { split($2, bits, "/"); pools++; base[pools] = start($2); room[pools] = width; size[pools] = $3 }
$1 == "net" {
  for (i = 3; i <= NF; i++) if ($i ~ /^[0-9.]+\/[0-9]+$/) {
    low = start($i)
    if ($2 == network) { exists = $i; own = low; continue }
    take(low, low + width - 1, "network " $2)
    nets++; net[nets] = $2; cidr[nets] = $i
  }
}
# Engines leave out what is on a link of the node, not what lies behind a gateway.
$1 == "route" && length($3) == 8 && length($9) == 8 && $9 != "00000000" && $4 == "00000000" {
  mask = little($9); low = little($3)
  routes++; device[routes] = $2; lowest[routes] = low; highest[routes] = low + 4294967295 - mask
}
$1 == "watch" && $3 ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ { watches++; key[watches] = $2; ip[watches] = $3; at[watches] = number($3) }
END {
  for (i = 1; i <= routes; i++) if (exists == "" || lowest[i] != own) take(lowest[i], highest[i], "route " device[i])
  for (i = 1; i <= nets; i++) {
    low = start(cidr[i])
    if (w = watched(low, low + width - 1)) print "covered", key[w], ip[w], net[i], cidr[i]
  }
  if (exists != "") {
    low = start(exists)
    take(low, low + width - 1, "own")
    print "exists", exists
    if (w = watched(low, low + width - 1)) print "covered", key[w], ip[w], network, exists
  }
  for (p = 1; p <= pools; p++) {
    step = addresses(size[p]); tried = 0
    for (low = base[p]; low < base[p] + room[p] && tried < 4096; low += step) {
      tried++
      if (taken(low, low + step - 1)) continue
      if (following == "") following = text(low) "/" size[p]
      if (safe == "" && !watched(low, low + step - 1)) safe = text(low) "/" size[p]
      if (safe != "") break
    }
  }
  if (following != "") print "next", following
  if (safe != "") print "safe", safe
  create = "auto"
  if (subnet != "") {
    low = start(subnet); high = low + width - 1; create = subnet
    for (i = 1; i <= watches; i++) if (at[i] >= low && at[i] <= high) {
      print "risk", key[i], ip[i], subnet; create = "none"
    }
    if (exists == "" && (i = taken(low, high))) { print "overlap", subnet, who[i]; create = "none" }
  } else if (exists == "") for (i = 1; i <= watches; i++) for (p = 1; p <= pools; p++) {
    step = addresses(size[p]); low = at[i] - at[i] % step
    if (at[i] < base[p] || at[i] >= base[p] + room[p] || taken(low, low + step - 1)) continue
    chunk = text(low) "/" size[p]
    if (first && chunk != following) continue
    print "risk", key[i], ip[i], chunk
    if (chunk == following) create = "none"; else if (create == "auto") create = following
    break
  }
  print "create", exists != "" ? "existing" : create
}
