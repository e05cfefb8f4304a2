# shellcheck shell=bash
# Sourced by setup-4d-humans-wsl.sh: the system, its memory and its disk.

LITTLE_MEMORY_MB=7500

in_wsl() {
  case "$(uname -r)" in *[Mm]icrosoft*) ;; *) return 1 ;; esac
}

check_system() {
  [ "$(uname -s)" = Linux ] ||
    fail "this sets up Linux and WSL 2, not $(uname -s). The engine that needs no card runs here: bash start-pose-service.sh"
  case "$(uname -m)" in
    x86_64 | aarch64 | arm64) ;;
    *) fail "torch is built for x86-64 and arm64, not for $(uname -m)." ;;
  esac
  case "$(uname -r)" in
    *-Microsoft)
      fail "this is WSL 1, which cannot use the card. In Windows' PowerShell: wsl --set-version ${WSL_DISTRO_NAME:-Ubuntu} 2 (minutes; nothing is lost), then run this again." ;;
  esac
  if in_wsl; then echo "WSL 2, $(uname -m)"; else echo "Linux, $(uname -m)"; fi
}

check_memory() {
  local memory_mb raise="Close other programs while the nets load."
  memory_mb=$(($(getconf _PHYS_PAGES) * $(getconf PAGE_SIZE) / 1000000))
  echo "memory: $memory_mb MB"
  if [ "$memory_mb" -ge "$LITTLE_MEMORY_MB" ]; then
    return
  fi
  if in_wsl; then
    raise="WSL takes half of the machine's by default: write the lines [wsl2] and memory=12GB into %UserProfile%\\.wslconfig, then in PowerShell: wsl --shutdown"
  fi
  warn "less than 8 GB of memory: loading may be killed. $raise"
}

# check_disk VENV VENV_MB DATA DATA_MB: where there is room for what is still to come.
check_disk() {
  local venv data
  venv="$(nearest_folder "$1")" data="$(nearest_folder "$3")"
  if [ "$(stat -c %d "$venv")" = "$(stat -c %d "$data")" ]; then
    check_room "$data" $(($2 + $4)) "the packages and the checkpoints"
  else
    check_room "$venv" "$2" "the packages"
    check_room "$data" "$4" "the checkpoints (POSE_DATA_DIR says where else)"
  fi
}

# check_room FOLDER MB WHAT
check_room() {
  local free_mb
  free_mb="$(df --block-size=MB --output=avail "$1" | tail -n 1 | tr -dc 0-9)"
  echo "disk: $free_mb MB free at $1, up to $2 MB still to come"
  if [ "$free_mb" -lt "$2" ]; then
    warn "$1 has $free_mb MB free; $3 need up to $2 MB. Free some space first, or it may fail on the way."
  fi
}

# The folder, or the first one above it that exists.
nearest_folder() {
  local folder="$1"
  until [ -d "$folder" ]; do folder="$(dirname "$folder")"; done
  echo "$folder"
}

# megabytes_in FOLDER: 0 where there is none.
megabytes_in() {
  if [ -d "$1" ]; then du -sL --block-size=MB "$1" | cut -dM -f 1; else echo 0; fi
}
