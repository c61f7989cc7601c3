#!/usr/bin/env bash
# Install a role's lock into .venv of the current folder: envs/setup.sh ROLE PYTHON [arguments of uv pip install]
# Called by make. May be interrupted and repeated: what was begun and not finished is begun anew.
set -uo pipefail
role=${1:?role: cpu, cuda or rocm} python=${2:?a Python 3.11}
shift 2
cd "$(pwd -P)" || exit 2 # the path that make compares, also where the folder was reached by a link
lock=envs/$role.lock stamp=.venv/installed-$role begun=.venv/unfinished
trap 'echo "interrupted: nothing counts as installed; the same command goes on" >&2; exit 130' INT TERM

fail() { # what is wrong, what to do
    printf 'error: %s\n  what to do: %s\n' "$1" "$2" >&2
    exit 2
}

# run a command; if it fails, it has said why itself, and what follows says what to do
run() {
    "$@" && return
    local code=$? free
    [ $code -ge 128 ] && exit $code
    free=$(df --output=avail --block-size=M . | tail -1 | tr -dc 0-9)
    [ "$free" -gt 100 ] || fail "the disk is full: $free MB are free here" \
        "free some space (the environment takes 3 GB, and the installer's cache as much), then run the same command again"
    fail "set-up ended at: $*" "if a package named above could not be fetched, check the network and the index (pip's \
settings PIP_INDEX_URL, PIP_EXTRA_INDEX_URL and PIP_FIND_LINKS apply); then run the same command again, it goes on"
}

found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=none
[ "$found" = 3.11 ] || fail "$python is not Python 3.11 but ${found/none/no Python at all}" \
    "install Python 3.11 (Debian 12 has it; elsewhere: uv python install 3.11), then run: make PYTHON=/path/to/python3.11"

# the Python below an environment: an activated .venv may have to be made anew
python=$("$python" -c 'import sys; print(sys._base_executable or sys.executable)')
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv module" "on Debian: apt-get install python3-venv; then run the same command again"

# an environment that is half made, of another Python, or moved here from another path is not mended but made anew
own=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
place=$(sed -n 's/^VIRTUAL_ENV=//p' .venv/bin/activate 2>/dev/null | tr -d "\"'")
if [ -e .venv ] && { [ -e $begun ] || [ "$own" != 3.11 ] || [ "$place" != "$PWD/.venv" ]; }; then
    [ -e .venv/pyvenv.cfg ] || [ -e $begun ] || fail ".venv is no Python environment" "move it away"
    echo "making .venv anew: what is there is unfinished, of another Python, or was moved"
    run rm -rf .venv
fi
if [ ! -e .venv ]; then
    run mkdir .venv
    run touch $begun
    run "$python" -m venv .venv
fi
rm -f .venv/installed-*
run touch $begun
run .venv/bin/python -m pip install --quiet --disable-pip-version-check "$(grep -o '^uv==[^ ]*' envs/cpu.lock)"
echo "installing the $(grep -c '^[a-z0-9]' "$lock") packages of $lock into .venv: a minute or more"
run .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --compile-bytecode --requirement "$lock" "$@"
run rm $begun
[ "$role" != cpu ] || "$python" -c 'import ctypes; ctypes.CDLL("libnuma.so.1")' 2>/dev/null ||
    printf 'warning: %s\n  what to do: %s\n' "libnuma.so.1, without which vLLM draws no answers here, is not installed" \
        "on Debian: apt-get install libnuma1; tables, figures and the audit need it not" >&2
printf '%s\n' "$PWD" >$stamp || fail "$stamp cannot be written" "free some space"
