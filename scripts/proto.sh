#!/usr/bin/env bash
# Generates the wire codecs. protons emits TypeScript with namespaces and enums, which Node cannot strip, so what is
# committed beside each .proto is the compiled .js with its .d.ts. Usage: npm run proto
set -euo pipefail
cd "$(dirname "$0")/.."
for proto in $(find provider sdk -name '*.proto'); do
  name=$(basename "$proto" .proto)
  work=$(mktemp -d -p .)
  trap 'rm -rf "$work"' EXIT
  cp "$proto" "$work/"
  protons "$work/$name.proto"
  # protons cannot say JS_NUMBER for sint64/uint64 reads in a checked way: safeNumber() of its reader throws above 2^53.
  tsc "$work/$name.ts" --ignoreConfig --target es2024 --module nodenext --moduleResolution nodenext --declaration --skipLibCheck --outDir "$work/out"
  cp "$work/out/$name.js" "$work/out/$name.d.ts" "$(dirname "$proto")/"
  rm -rf "$work"
  trap - EXIT
  echo "$proto -> $name.js, $name.d.ts"
done
