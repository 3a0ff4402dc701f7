#!/usr/bin/env bash
# Installs a build into an empty prefix and uses what is there: the program finds its plugins, and a
# plugin that was built from the installed plugin-api alone serves its kind.
# usage: tests/install.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
prefix=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  rm -rf "$prefix"
}
trap finish EXIT

cmake --install "$build" --prefix "$prefix" >/dev/null
listing=$("$prefix/bin/hearth" plugin list)
for kind in spark pyspark sql sparkr jupyter; do
  grep -q "loaded.*kinds $kind" <<<"$listing" || { echo "no plugin for $kind: $listing"; exit 1; }
done

# Out of tree, in plain C, from the installed files only.
cp -r "$prefix/share/doc/hearth/plugin-api/example/echo-c" "$prefix/mine"
cmake -S "$prefix/mine" -B "$prefix/mine/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$prefix/mine/build" >/dev/null
made=$(find "$prefix/mine/build" -name '*.so' | head -n 1)
cp "$made" "$prefix/lib/hearth/plugins/"

mkfifo "$prefix/said"
"$prefix/bin/hearth" serve --port 0 --data "$prefix/data" >"$prefix/said" 2>"$prefix/log" &
server=$!
read -r _ _ url <"$prefix/said"
id=$(curl -sf -X POST "$url/sessions?wait=10s" -d '{"kind":"echoc"}' | sed 's/{"id":\([0-9]*\).*/\1/')
answer=$(curl -sf -X POST "$url/sessions/$id/statements?wait=10s" -d '{"code":"out of tree"}')
grep -q '"text/plain":"out of tree"' <<<"$answer" || { echo "no answer from the plugin: $answer"; cat "$prefix/log"; exit 1; }
kill "$server"
wait "$server" || { echo "exit status $?"; exit 1; }
server=
echo "1 passed, 0 failed"
