#!/bin/sh
# Builds the benched modules into wasm/: every source twice, for speed and for size, which are their two code layouts.
# Needs clang and wasm-ld, rustc with the target wasm32-unknown-unknown, and the project's AssemblyScript. What it makes is
# committed, so that the bench needs none of them.
set -eu
cd "$(dirname "$0")"
mkdir -p wasm
objects=$(mktemp -d)
trap 'rm -r "$objects"' EXIT
for source in kernels/*.c programs/*.c; do
  name=$(basename "$source" .c)
  simd=$(case $name in *-simd) echo -msimd128 ;; esac)
  for layout in speed size; do
    level=$([ $layout = speed ] && echo -O3 || echo -Os)
    # Linked by hand: clang would run whatever wasm-opt stands on the PATH.
    # shellcheck disable=SC2086
    clang --target=wasm32 $level $simd -mbulk-memory -msign-ext -mnontrapping-fptoint -std=c11 -ffreestanding \
      -Ikernels -Wall -Wno-parentheses -Wno-unused-function -c -o "$objects/$name.o" "$source"
    wasm-ld --no-entry --strip-all -z stack-size=65536 -o "wasm/$name.$layout.wasm" "$objects/$name.o"
  done
done
for source in programs/*.rs; do
  name=$(basename "$source" .rs)
  for layout in speed size; do
    level=$([ $layout = speed ] && echo 3 || echo s)
    rustc --edition 2021 --target wasm32-unknown-unknown --crate-type cdylib -C opt-level=$level -C lto -C panic=abort \
      -C codegen-units=1 -C strip=symbols -C link-args="-zstack-size=65536 --export=run" -o "wasm/$name.$layout.wasm" "$source"
  done
done
for source in programs/assembly/*.ts; do
  name=$(basename "$source" .ts)
  for layout in speed size; do
    level=$([ $layout = speed ] && echo -O3 || echo -Oz)
    ../../node_modules/.bin/asc "$source" $level --converge --runtime incremental --exportStart _start --use abort= \
      --enable bulk-memory -o "wasm/$name.$layout.wasm"
  done
done
