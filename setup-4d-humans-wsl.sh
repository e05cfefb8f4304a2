#!/usr/bin/env bash
# Set up the engine 4dhumans on WSL or Ubuntu: checks, environment, checkpoints. See --help.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/environment.sh
. "$here/scripts/environment.sh"
# shellcheck source=scripts/setup/system.sh
. "$here/scripts/setup/system.sh"
# shellcheck source=scripts/setup/driver.sh
. "$here/scripts/setup/driver.sh"
# shellcheck source=scripts/setup/files.sh
. "$here/scripts/setup/files.sh"

usage() {
  cat <<'TEXT'
usage: bash setup-4d-humans-wsl.sh [options]

Sets up the engine 4dhumans on WSL 2 or Ubuntu with an NVIDIA card. It can be run again at any
time: it goes on from where it was, and what is done costs no time. It never uses sudo.

  --no-gpu               without a card: torch for the processor, about a minute per picture
  --weights-from FOLDER  take the checkpoints from this folder or archive, not from the net
  --torch-index URL      take torch from this package index; none: from the one pip is set to
  --smpl FILE            the SMPL body that you got from https://smpl.is.tue.mpg.de
  --help                 this text

Environment: PYTHON (the Python to use), POSE_VENV (an environment of your own, which is used and
not changed), POSE_DATA_DIR (where the checkpoints go), and the settings in README.md.

Exit codes: 0 ready; 1 it cannot go on, and says why; 2 wrong option; 3 all is done but for the
SMPL body, which you must fetch yourself.
TEXT
}

wrong_option() {
  printf 'error: %s\n\n' "$1" >&2
  usage >&2
  exit 2
}

step_number=0
step() {
  step_number=$((step_number + 1))
  printf '\n[%s/9] %s\n' "$step_number" "$1"
}

warnings=()
warn() {
  printf 'warning: %s\n' "$1" >&2
  warnings+=("$1")
}

gpu=cuda weights_from='' smpl='' index='' index_named=''
while [ $# -gt 0 ]; do
  case "$1" in
    --help) usage && exit ;;
    --no-gpu) gpu='' && shift && continue ;;
    --weights-from | --torch-index | --smpl) [ -n "${2:-}" ] || wrong_option "$1 needs a value" ;;
    *) wrong_option "there is no option $1" ;;
  esac
  case "$1" in
    --weights-from) weights_from="$2" ;;
    --torch-index) index="$2" index_named=yes ;;
    --smpl) smpl="$2" ;;
  esac
  shift 2
done
if [ "$index" = none ]; then index=''; fi
[ -e "${weights_from:-/}" ] || wrong_option "--weights-from: $weights_from does not exist"
[ -f "${smpl:-$0}" ] || wrong_option "--smpl: there is no file $smpl"

requirements="$here/requirements-4dhumans.txt"
own_venv="${POSE_VENV:-}"
case "$own_venv" in '' | /*) ;; *) own_venv="$PWD/$own_venv" ;; esac
# it is this script's: the service would report it as a setting that it does not know
export -n POSE_VENV
venv="${own_venv:-$here/.venv}"
python="$venv/bin/python"
data="${POSE_DATA_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pose-service}"
export POSE_ENGINE=4dhumans
if [ -z "$gpu" ]; then export POSE_DEVICE=cpu; fi
# The package is found from any folder, and nothing in that folder is taken for one of its modules.
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" PYTHONSAFEPATH=1

step "System"
check_system

step "NVIDIA card and driver"
# where WSL has nvidia-smi, should the PATH lack it
PATH="$PATH:/usr/lib/wsl/lib"
if [ -z "$gpu" ]; then
  echo "left out: --no-gpu"
  [ -n "$index_named" ] || index="$CPU_INDEX"
else
  read_card
  [ -n "$index_named" ] || choose_torch
fi

step "Python"
if is_python "$python"; then
  echo "$venv"
elif [ -n "$own_venv" ]; then
  fail "POSE_VENV=$own_venv is no environment of Python 3.11, 3.12 or 3.13."
else
  find_venv_python
fi

step "Disk and memory"
check_disk "$venv" "$(packages_to_come)" "$data" "$(checkpoints_to_come)"
check_memory

step "Packages"
# where a card is wanted, falling back to the processor unnoticed would be no help
torch_works() { POSE_DEVICE="${POSE_DEVICE:-cuda}" "$python" "$here/scripts/setup/check_torch.py"; }
if [ -z "$own_venv" ]; then
  # a build that works stays, whatever would be chosen today
  if [ -n "$index_named" ] || ! torch_works >/dev/null 2>&1; then
    echo "torch comes from ${index:-the index that pip is set to}"
    take_torch_from "$venv" "$index"
  fi
  ensure_environment "$venv" "$requirements"
fi
torch_works ||
  fail "torch does not work here: see above. A newer driver helps, or another build (--torch-index URL); without the card: --no-gpu"

step "Checkpoints"
find_files checkpoints 2>/dev/null || fetch "$weights_from" ||
  fail "the checkpoints are not all here: see above. Run this again, it goes on from there."

step "SMPL body"
body="${smpl:-$weights_from}"
if [ -n "$body" ] && ! find_files body >/dev/null 2>&1; then fetch "$body" || true; fi
if ! find_files body; then
  echo "All else is done. Then run this again; --smpl FILE puts the file there." >&2
  exit 3
fi

step "Everything together"
"$python" -m pose_service doctor ||
  fail "it cannot serve yet: what to do stands above. Then run this again."

step "Ready"
for warning in ${warnings[@]+"${warnings[@]}"}; do echo "as warned above: $warning"; done
say_how_to_start
