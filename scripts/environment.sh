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

# One that can make virtual environments, too: Debian and Ubuntu package that apart.
find_venv_python() {
  local python version
  python="$(find_python)" || exit
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    fail "$python cannot make virtual environments. Debian, Ubuntu, WSL: sudo apt-get install python$version-venv."
  fi
  echo "$python"
}

make_venv() {
  local folder="$1" python
  python="$(find_venv_python)"
  rm -rf "$folder"
  "$python" -m venv "$folder" || fail "$folder cannot be made: see above."
}

stamp_of() {
  echo "$(cat "$(dirname "$1")"/requirements*.txt | cksum) $(basename "$1")"
}

# torch_index FOLDER: where this environment's torch comes from; nothing: from pip's own index.
torch_index() {
  cat "$1/.torch-index" 2>/dev/null || true
}

# take_torch_from FOLDER INDEX: for the next ensure_environment, which then looks at every package.
# An environment with another build of torch is given up: its libraries, gigabytes, fit no other.
take_torch_from() {
  local folder="$1" index="$2"
  rm -f "$folder/.stamp"
  if [ "$(torch_index "$folder")" = "$index" ]; then
    return
  fi
  if compgen -G "$folder/lib/python*/site-packages/torch" >/dev/null; then rm -rf "$folder"; fi
  mkdir -p "$folder"
  echo "$index" >"$folder/.torch-index"
}

# install_packages PYTHON REQUIREMENTS TORCH_INDEX
install_packages() {
  local requirements="$2" index="$3" alone="${2%.txt}-alone.txt" pip torch
  pip=("$1" -m pip install --disable-pip-version-check)
  torch="$(grep -E '^torch(vision)?==' "$requirements" || true)"
  if [ -n "$index" ] && [ -n "$torch" ]; then
    # first what torch needs too, or other versions of that would come from torch's index
    "${pip[@]}" -r "$(dirname "$requirements")/requirements.txt" || return
    # both in one go: torchvision loads beside the torch of its own build only
    "${pip[@]}" --index-url "$index" -r /dev/stdin <<<"$torch" || return
  fi
  "${pip[@]}" -r "$requirements" || return
  if [ -f "$alone" ]; then "${pip[@]}" --no-deps -r "$alone"; fi
}

# ensure_environment FOLDER REQUIREMENTS: what is there and up to date costs no time. An installation
# that was interrupted is gone on with; a broken environment is made anew.
ensure_environment() {
  local folder="$1" requirements="$2" stamp index
  stamp="$(stamp_of "$requirements")"
  if is_python "$folder/bin/python" && [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ]; then
    return
  fi
  echo "Preparing $folder: a few minutes the first time."
  index="$(torch_index "$folder")"
  if ! is_python "$folder/bin/python" || ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    make_venv "$folder"
    if [ -n "$index" ]; then echo "$index" >"$folder/.torch-index"; fi
  fi
  install_packages "$folder/bin/python" "$requirements" "$index" ||
    fail "the packages could not be installed: see above. Run this again, it goes on from here."
  echo "$stamp" >"$folder/.stamp"
}
