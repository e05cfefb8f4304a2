#!/usr/bin/env bash
# All checks: format, lint, types, tests. Makes the environment if needed. Arguments go to pytest:
#   bash scripts/test.sh tests/unit -k weights        bash scripts/test.sh -m slow
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/environment.sh
. scripts/environment.sh

ensure_environment .venv-dev requirements-dev.txt
python=.venv-dev/bin/python
# The nets in the tests are tiny: on a busy machine threads that wait for each other cost minutes.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"

"$python" -m pose_service fetch-weights embedded ||
  echo "No networks here: tests that run them are skipped." >&2
"$python" -m ruff format --check .
"$python" -m ruff check .
"$python" -m mypy
# Two at a time, a file of tests each: about half the time on two cores. TEST_PROCESSES=0: one by one.
"$python" -m pytest --numprocesses "${TEST_PROCESSES:-2}" --dist loadfile "$@"
