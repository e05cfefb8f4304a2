# shellcheck shell=bash
# Sourced by setup-4d-humans-wsl.sh: the NVIDIA card, its driver, and the build of torch that fits.

# Builds of torch 2.13, best first. CUDA: the least major version that the driver must support; a
# build for any 13.x or 12.x runs on any driver of that major version or a later one. Cards: by
# compute capability x 10. Sources: RELEASE.md of pytorch/pytorch ("CUDA Support Matrix");
# docs.nvidia.com/deploy/cuda-compatibility ("Minor Version Compatibility").
TORCH_BUILDS=(
  # CUDA  driver  cards    index
  "  13    580    75 999   pypi"
  "  12    525    50 90    https://download.pytorch.org/whl/cu126"
)
CPU_INDEX=https://download.pytorch.org/whl/cpu
BEST_DRIVER=580
LITTLE_VIDEO_MEMORY_MIB=5800

# With a driver that hangs nvidia-smi would never return.
nvidia_smi() { timeout 30 nvidia-smi "$@"; }

how_to_update_driver() {
  if in_wsl; then
    echo "Install NVIDIA's Windows driver $BEST_DRIVER or newer (https://www.nvidia.com/drivers) in Windows, not in WSL; then in PowerShell: wsl --shutdown"
  else
    echo "Ubuntu: sudo ubuntu-drivers install, or sudo apt-get install nvidia-driver-$BEST_DRIVER; then restart the machine."
  fi
}

# Sets driver, cuda (the newest that it supports), card, capability; says what there is.
read_card() {
  local said memory_mib
  command -v nvidia-smi >/dev/null ||
    fail "there is no nvidia-smi, so no NVIDIA driver. $(how_to_update_driver) Without a card: --no-gpu"
  said="$(nvidia_smi 2>&1)" ||
    fail "no NVIDIA card can be used; nvidia-smi says: ${said:-nothing}. $(how_to_update_driver) Without a card: --no-gpu"
  driver="$(first_number '(Driver|KMD) Version' "$said")"
  cuda="$(first_number 'CUDA( UMD)? Version' "$said")"
  [ -n "$cuda" ] ||
    fail "nvidia-smi does not say which CUDA version the driver supports, so that torch would not find it. $(how_to_update_driver)"
  said="$(nvidia_smi --query-gpu=name,memory.total,compute_cap --format=csv,noheader,nounits)" ||
    fail "driver $driver is too old. $(how_to_update_driver)"
  IFS=, read -r card memory_mib capability <<<"$said"
  memory_mib="${memory_mib// /}" capability="${capability// /}"
  echo "driver ${driver:-unknown}, CUDA up to $cuda; $card, $memory_mib MiB, compute capability $capability"
  check_video_memory "$memory_mib"
}

# first_number LABEL TEXT: the version after LABEL, which drivers from 610 on write otherwise than
# older ones.
first_number() {
  local pattern="$1: *([0-9]+\.[0-9.]+)"
  if [[ "$2" =~ $pattern ]]; then echo "${BASH_REMATCH[-1]}"; fi
}

check_video_memory() {
  case "$1" in
    '' | *[!0-9]*) return ;; # "[N/A]": shared with the system's
  esac
  if [ "$1" -lt "$LITTLE_VIDEO_MEMORY_MIB" ]; then
    warn "$1 MiB of video memory are less than 6 GB. Start with POSE_BATCH=1 and close what else uses the card; if it runs out, POSE_DEVICE=cpu. More: docs/wsl-cuda.md"
  fi
}

# torch_index_for CUDA CAPABILITY: the index of the first build that fits; empty: pip's own.
torch_index_for() {
  local row least_cuda oldest newest index
  for row in "${TORCH_BUILDS[@]}"; do
    read -r least_cuda _ oldest newest index <<<"$row"
    if [ "${1%%.*}" -ge "$least_cuda" ] && [ "${2/./}" -ge "$oldest" ] && [ "${2/./}" -le "$newest" ]; then
      echo "${index/#pypi/}"
      return
    fi
  done
  return 1
}

# Sets index.
choose_torch() {
  index="$(torch_index_for "$cuda" "$capability")" && return
  if [ "${cuda%%.*}" -ge 13 ]; then
    fail "$card (compute capability $capability) is too old for every build of torch; 5.0 is the least. Go on without it: --no-gpu"
  fi
  fail "no build of torch fits driver $driver (CUDA $cuda) and $card (compute capability $capability). $(how_to_update_driver)"
}
