#!/usr/bin/env bash
# Start the pose service on Linux, WSL or macOS: makes its environment if needed, then serves until
# Ctrl-C. Settings are environment variables: HOST, PORT, POSE_* (see the README).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=scripts/environment.sh
. "$here/scripts/environment.sh"

has_cuda() { command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; }

requirements="requirements.txt"
case "${POSE_ENGINE:-auto}" in
  embedded) ;;
  4dhumans) requirements="requirements-4dhumans.txt" ;;
  *) if has_cuda; then requirements="requirements-4dhumans.txt"; fi ;;
esac
ensure_environment "$here/.venv" "$here/$requirements"
python="$here/.venv/bin/python"

# The package is found from any folder, and nothing in that folder is taken for one of its modules.
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" PYTHONSAFEPATH=1
# Uploaded clips and results are for this user only.
umask 077

"$python" -m pose_service fetch-weights ||
  echo "Serving all the same: /health says not_ready and what to do." >&2
exec "$python" -m pose_service serve
