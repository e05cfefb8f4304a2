#!/usr/bin/env bash
# The fault table of the clip jobs: whole processes and real servers, killed and cut off; five minutes.
# Redis and PostgreSQL are started by the tests: apt-get install redis-server postgresql
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/environment.sh
. scripts/environment.sh

ensure_environment .venv-dev requirements-dev.txt
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
.venv-dev/bin/python -m pytest tests/faults -m "faults and not slow" "$@"
