#!/usr/bin/env bash
# Smoke test of a running service:  bash scripts/test-flask-wrapper.sh [URL] [PICTURE]
# Without a picture a drawn person is sent, who must be found.
set -uo pipefail
url="${1:-http://localhost:${PORT:-5000}}"
url="${url%/}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

drawn_person_png_base64() {
  cat <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAPAAAAC0BAMAAABYsrzbAAAAGFBMVEXH0trFztbEztfEztbEztXDztaGjHo/TnKmkgeLAAAF
SElEQVR42u2bTW8bRRjH/7Nx2hCl9tgU8RI32bhEnApOkZAQiBqVCwqv5ROAEB+IYy8gwYkDLZV6i9QkRT0gVbSFXihKJ1XL
pY09cZBI22SfHnbtXexd1zO7M6vArpRknd3xb5/3Zx4n7HXkczgowAW4ABfgAlyAC3BwlPSXMg6SOYCreysotTrWwWyl9BX+
WHlPl8w0Wx82c2gJQOfsaWnXuWauLAFA9cs1zTeYeElP4F++mAIATE9M79qUuHyaB2dvrFmV+NDLUz3ZNUXWk5hd4f1z16pz
sfD06JpF8Ewr9aNrLtPU78EtEjsbFJq7YlPi2+Hp46ZFMENezgXAcf0vSMtg9iywUMtB4v5hW+L9Lad5u51HHAvAEwDxnFRN
udnYpsS+er1r9vvqsh/IngCYba+GC9QAbFq1cVcAAmjrO1eKLYy3AQCea1XVNNc727Tc0HdFIHbTrlf3RRbMdsrsrvo1StoG
p+33DlCz55RvtACQX4dPAkD7RmvD/P54/+byeQAotQDsrQLA5PL5z4RpsLdYrfgOtRE0XgCrdL591bSq5xlHtV+HF4KaWDXv
XJs8psUFW3YNg52bPBJPTv/F8XXD4NlP+6c1YCHc4KsmEtWJwN9LoXpffCY0LavVpEmJnetRw0ZdanHdqFfPNhLjUs4ZVLXz
27uJYEVdK6p6O/nS4gWDqk7W9EBcZ6zqEZpW1rWSqml71NXFn4ypun58ZL1hplTtXH5/JLgxLQ2pmgEAxVRe/yOC5y4YsvHs
54nb0m/83sQMmF3kAHA/eZP8oWsEfOwkANB3cdzHyrpWAFMTAMg5F3Nt0tf1B64BsBNo+uMRA4mKCYnrZwCAvo/dD5eXhaKu
xwcT3/oVIBbn1vdb984BW1e74+vaGV/TFeFJ3Poo4XoFJCAqBiRmbUDQxYTG3XtLqE0HFOsx8djxkgTu+c4uDNgYAG69A2/E
IEhh6DV2kaCHU8DCD4eBExNTgxe3urt0YucfUNvZzVziCoA/y/GGZBy4+6NaWlCqTEiaeAiAPrG/MaefAeCacfBwue/0vMuR
hsAyluvbgcc/VFowuQjmlvzprpApuP+2mwmlydA2NZTTuRRPlqadK8aBWNgKmgHTqHTJBID5zMFyhF89cONMkhG4C8Dj8XKT
a9C5sj7GBTN9B8hOYp6QQ8sqQaUGlgDg1WXyAzlZgykyiKhkkTPHBrshmKecQmTm1bQuDHq1GFGQA01sS0Ph5M0nNAKBqpkM
78lsBkJz4cS4Sr2+g3EAIBq+J7v29tFfnd7osrv2JgDQ11ePvgAAjx4O35NhI1AbGq5Nngl+Xk++J4udRGfAph7dWR3IldQx
Gk7l1r/Ts1ZI6izq7Z7m0wR/igSy51oHu71w9rQzZjaNwClbYD7Q8uxzO2DZ3yHWrdqY/R721zJic2s2XoNtr/bXEENOcRwO
eXhe4VQSdsCsnzh3AuKmFTA14xsiRS2pLzlyOKwRlNJD7dcILbAb2VXk2lcDr1kHB+o+wq2AeT93UN2ijdnd4UplZyIQxK7y
30GkBjtZFCd956KUVSKbcHKkbXCw3LMSTl7ke/cSVCYuqcD0tgSAB6cifGHRxiJ4CgDAZZmTczXz8urcwolyAEtNkbOR2MtL
1fg/gNM+cUn9f0uP+Wa9E3kR/f+nccENdT9+JbJQPq/5LhpL/KMRzR2NwqsLcAE+8OA8GgFZ2LgA/wfALCcw4+P9LnMwj2vh
mXkwi99EcFvOJdOmLk1wJ9W+SQtMA9yBFwYllkOfmXakhsLV59UxH9VSx5qNi1xdgAtwAS7AFo8n8jtc72fh08AAAAAASUVO
RK5CYII=
PNG
}

json_with_image() { printf '{"image_base64":"%s","frame_number":7}' "$(tr -d '\n')"; }

failures=0
# check NAME STATUS TEXT CURL-ARGUMENTS...: the answer has this status and TEXT in its body.
check() {
  local name="$1" wanted="$2" text="$3" status
  shift 3
  status="$(curl --silent --noproxy '*' --max-time 120 --output "$work/body" --write-out '%{http_code}' "$@")"
  if [ "$status" = "$wanted" ] && grep -qF -- "$text" "$work/body"; then
    echo "OK    $name"
    return
  fi
  failures=$((failures + 1))
  echo "FAIL  $name: expected $wanted with $text, got $status: $(head -c 300 "$work/body" 2>/dev/null)"
}

found='"keypoint_count":24'
if [ -n "${2:-}" ]; then
  found='"frame_number":7'
  base64 <"$2" >"$work/picture.base64" || exit 2
else
  drawn_person_png_base64 >"$work/picture.base64"
fi
json_with_image <"$work/picture.base64" >"$work/picture.json"
base64 -d <"$work/picture.base64" >"$work/picture"
# raw pixels, as an early guide sent them: not a picture file
head -c 3000 /dev/zero | base64 | json_with_image >"$work/raw.json"

as_json=(-H 'Content-Type: application/json')
check "health" 200 '"status":' "$url/health"
check "a picture as JSON" 200 "$found" "${as_json[@]}" --data-binary "@$work/picture.json" "$url/pose/hybrid"
check "a picture as multipart" 200 "$found" -F "frame=@$work/picture" -F frameNumber=7 "$url/pose/hybrid"
check "the service is ready" 200 '"ready":true' "$url/health"
check "raw pixels are refused" 400 '"error":' "${as_json[@]}" --data-binary "@$work/raw.json" "$url/pose/hybrid"
check "no picture is refused" 400 '"error":' "${as_json[@]}" --data '{}' "$url/pose/hybrid"
check "a clip that is not there is refused" 400 '"error":' "${as_json[@]}" --data '{"video_path":"/no/such.mp4"}' "$url/pose/video"
check "an unknown job is not found" 404 '"error":' "$url/pose/video/status/no-such-job"
check "an unknown address is not found" 404 '"error":' "$url/no/such/address"

if [ "$failures" -gt 0 ]; then
  echo "$failures checks failed at $url"
  exit 1
fi
echo "All checks passed at $url"
