#!/usr/bin/env bash
# The path of somebody who writes a plugin with nothing but an installed Hearth, in an empty folder: new,
# build, check, drop in, run, change it, crash it and read what the host says of that.
# usage: tests/newcomer.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
work=$(mktemp -d)
server=
end_server() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  server=
}
trap 'end_server; rm -rf "$work"' EXIT
passed=0
ok() { passed=$((passed + 1)); printf 'ok %s\n' "$1"; }
fail() {
  printf 'FAILED %s\n' "$1"
  shift
  printf '%s\n' "$@"
  [ ! -e "$work/log" ] || tail -n 40 "$work/log"
  exit 1
}
has() { # NAME TEXT PATTERN
  grep -q -- "$3" <<<"$2" || fail "$1" "no '$3' in: $2"
  ok "$1"
}
start_server() {
  rm -f "$work/said" && mkfifo "$work/said"
  hearth serve --port 0 --data "$work/data" >"$work/said" 2>>"$work/log" &
  server=$!
  read -r _ _ url <"$work/said"
}
post() { curl -s -X POST "$url$1" -d "$2"; }
run() { post "/v1/sessions/$1/statements?wait=30s" "$2"; }
new_session() { post "/v1/sessions?wait=30s" "{\"kind\":\"$1\"}" | sed -n 's/^{"id":\([0-9]*\).*/\1/p'; }
make_plugin() { # FOLDER: what its README.md says
  { cmake -S "$1" -B "$1/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/hearth" && cmake --build "$1/build"; } \
    >"$work/make" 2>&1 || fail "build $1" "$(cat "$work/make")"
}
until_version() { # KIND VERSION
  local deadline=$((SECONDS + 30))
  until hearth_says "$1" | grep -q "\"version\":\"$2\""; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$1 $2 is served" "$(curl -s "$url/v1/plugins")"
    sleep 0.1
  done
}
hearth_says() { curl -s "$url/v1/plugins" | sed 's/{"instance"/\n&/g' | grep "\"instance\":\"$1\".*\"state\":\"loaded\""; }

cmake --install "$build" --prefix "$work/hearth" >/dev/null
PATH=$work/hearth/bin:$PATH
cd "$work"
start_server

for language in cpp c; do
  name=mine-$language
  hearth plugin new "$name" --language "$language" >/dev/null
  make_plugin "$name"
  ctest --test-dir "$name/build" --output-on-failure >"$work/checked" 2>&1 || fail "$name passes plugin-check" "$(cat "$work/checked")"
  has "$name is checked by ctest" "$(cat "$work/checked")" "plugin-check .*Passed"
  hearth plugin add "$name/build/plugins/$name" >/dev/null
  until_version "$name" 0.1.0
  id=$(new_session "$name")
  ok "$name is served by the running host"
done

id=$(new_session mine-cpp)
has "a statement answers" "$(run "$id" '{"code":"print(1)\n6 * 7"}')" '"text/plain": "42"'
has "it prints" "$(run "$id" '{"code":"print(\"seen\")"}')" '"stdout":"seen\\n"'
has "its error has a name" "$(run "$id" '{"code":"1 / 0"}')" '"ename": "ZeroDivisionError"'

# A new version is for new sessions; the old session has its own to the end.
sed -i 's/"version": "0.1.0"/"version": "0.2.0"/; s/"kinds"/"aliases": {"mine2": "mine-cpp"}, "kinds"/' mine-cpp/src/mine-cpp.cpp
sed -i 's|void execute(std::uint64_t statement, std::string_view code, std::string_view) override {|&\n    if (code == "crash") *static_cast<volatile int*>(nullptr) = 1;|' mine-cpp/src/mine-cpp.cpp
make_plugin mine-cpp
hearth plugin add mine-cpp/build/plugins/mine-cpp >/dev/null
until_version mine-cpp 0.2.0
has "the old session goes on" "$(run "$id" '{"code":"40 + 2"}')" '"text/plain": "42"'
new=$(new_session mine2)
has "new sessions have the new version" "$(run "$new" '{"code":"2 + 1"}')" '"text/plain": "3"'

# A crash in it is a crash of the host, which says whose it was, and again when it is back.
run "$new" '{"code":"crash"}' >/dev/null || true
wait "$server" && fail "the host ends by the plugin's crash" "exit status 0"
server=
has "the host names the plugin that it died of" "$(cat "$work/log")" 'mine-cpp'
start_server
has "the next run remembers" "$(curl -s "$url/v1/plugins")" 'SIGSEGV'
has "hearth plugin list says it" "$(hearth plugin list --data "$work/data")" 'SIGSEGV'
has "the session says what happened" "$(curl -s "$url/v1/sessions/$new")" 'SIGSEGV'
other=$(new_session mine-c)
has "other plugins are served" "$(run "$other" '{"code":"six"}')" '"text/plain":"six"'
end_server
echo "$passed passed, 0 failed"
