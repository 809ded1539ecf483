#!/usr/bin/env bash
# On a GPU machine without Node: unpacks what pack.mjs packed, builds the addon against python3's PyTorch, runs the benchmark with the
# given options. OPEN_RS_TORCH names another PyTorch.
set -euo pipefail
cd "$(dirname "$0")/../.."
node=$(command -v node || true)
if [ -z "$node" ]; then
  node=$(mktemp -d)/node
  gunzip -c .gpu-carry/node.gz >"$node"
  chmod +x "$node"
fi
[ -d node_modules ] || export NODE_API_HEADERS="$PWD/.gpu-carry/include"
"$node" scripts/setup.mjs
"$node" .gpu-carry/bench/run.mjs "$@"
