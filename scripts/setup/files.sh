# shellcheck shell=bash
# Sourced by setup-4d-humans-wsl.sh: room that is needed, checkpoints, body, and how to start.

# What is written to disk, rounded up.
CUDA_PACKAGES_MB=7000 CPU_PACKAGES_MB=1500
# HMR 2.0 comes in an archive that is removed after unpacking.
CHECKPOINTS_MB=5500 ARCHIVE_MB=2700

packages_to_come() {
  if [ -n "$own_venv" ] || [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$(stamp_of "$requirements")" ]; then
    echo 0
  elif [ -z "$gpu" ]; then
    echo "$CPU_PACKAGES_MB"
  else
    echo "$CUDA_PACKAGES_MB"
  fi
}

checkpoints_to_come() {
  local here_mb wanted_mb="$CHECKPOINTS_MB"
  here_mb="$(megabytes_in "$data/4dhumans")"
  # the last files of a set that is whole are small, and the sum is rounded
  if [ "$here_mb" -ge $((CHECKPOINTS_MB - 200)) ]; then
    echo 0
    return
  fi
  if [ -z "$weights_from" ]; then wanted_mb=$((wanted_mb + ARCHIVE_MB)); fi
  echo $((wanted_mb > here_mb ? wanted_mb - here_mb : 0))
}

# find_files checkpoints|body: where they lie, or what to do.
find_files() { "$python" "$here/scripts/setup/find_files.py" "$1"; }

# fetch [FROM]
fetch() { "$python" -m pose_service fetch-weights 4dhumans ${1:+--from "$1"}; }

say_how_to_start() {
  local name start
  start="$(
    printf 'cd %q && ' "$here"
    for name in POSE_ENGINE POSE_DEVICE POSE_DATA_DIR POSE_SMPL_FILE; do
      if [ -n "${!name:-}" ]; then printf '%s=%q ' "$name" "${!name}"; fi
    done
    if [ -n "$own_venv" ]; then printf '%q -m pose_service serve' "$python"; else printf 'bash start-pose-service.sh'; fi
  )"
  printf 'Start it with\n  %s\nAddresses for the Node side, the first one that answers:\n' "$start"
  "$python" - <<'PYTHON'
from pose_service.core.config import read_settings
from pose_service.runtime.listening import urls

for url in urls(read_settings()):
    print(f"  POSE_SERVICE_URL={url}")
PYTHON
  if in_wsl; then
    echo "Where Windows reaches none: http://127.0.0.1 in place of localhost; the second address (it changes when WSL restarts); networkingMode=mirrored under [wsl2] in %UserProfile%\\.wslconfig, then wsl --shutdown. More: docs/install.md, Windows callers"
  fi
}
