# Shared by the scripts of this folder; sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
spark_default=4.3.0 # the newest 4.x that runs on Java 17
spark_old=3.5.9

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }

# Where Spark is: what the user has, else what setup has put into the checkout.
embedded_spark() { printf '%s/.spark/%s/pyspark' "$root" "$1"; }
spark_home() {
  if [ -n "${SPARK_HOME:-}" ]; then
    printf '%s' "$SPARK_HOME"
  else
    embedded_spark "$spark_default"
  fi
}
