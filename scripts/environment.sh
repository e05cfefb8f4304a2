# shellcheck shell=bash
# Sourced by the scripts that need Python: finds one, makes a virtual environment, keeps it up to date.

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# A Python that runs (not a dead shim) and is of a version that the packages exist for.
is_python() {
  [ -n "$1" ] && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    if is_python "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "Python 3.11, 3.12 or 3.13 is needed, none was found. Debian, Ubuntu, WSL: sudo apt-get install python3.12 python3.12-venv. macOS: brew install python@3.12."
}

make_venv() {
  local folder="$1" python version
  python="$(find_python)"
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    fail "$python cannot make virtual environments. Debian, Ubuntu, WSL: sudo apt-get install python$version-venv."
  fi
  rm -rf "$folder"
  "$python" -m venv "$folder" || fail "$folder cannot be made: see above."
}

stamp_of() {
  echo "$(cat "$(dirname "$1")"/requirements*.txt | cksum) $(basename "$1")"
}

# ensure_environment FOLDER REQUIREMENTS: what is there and up to date costs no time. An installation
# that was interrupted is gone on with; a broken environment is made anew.
ensure_environment() {
  local folder="$1" requirements="$2" stamp
  stamp="$(stamp_of "$requirements")"
  if is_python "$folder/bin/python" && [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ]; then
    return
  fi
  echo "Preparing $folder: a few minutes the first time."
  if ! is_python "$folder/bin/python" || ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    make_venv "$folder"
  fi
  "$folder/bin/python" -m pip install --disable-pip-version-check -r "$requirements" ||
    fail "the packages could not be installed: see above. Run this again, it goes on from here."
  echo "$stamp" >"$folder/.stamp"
}
