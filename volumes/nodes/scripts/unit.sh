# Stands before every unit's own script. The file is named after the unit.
name=${0##*/} name=${name%.sh}
progress=/run/hearth/$name.progress
# SIGTERM becomes an ordinary exit, so that a stopped unit still says how it ended. `1<>` never blocks on the FIFO.
trap 'r=$?; printf "\n@exit %s %s\n" "$r" "$EPOCHREALTIME"; [ -p /run/hearth/wake ] && printf "\n" 1<>/run/hearth/wake' EXIT
trap 'exit 143' TERM
printf '@begin %s %s\n' "$$" "$EPOCHREALTIME"

# What the unit is doing right now: phase, bytes done before, bytes of this stretch, how many readers share it, more words.
phase() {
  : >"$progress"
  printf '%s\n' "$*" >"/run/hearth/$name.phase"
  printf '@%s @%s\n' "$*" "$EPOCHREALTIME"
}

# Everything that runs is shown exactly as it runs.
run() { printf '+ %s\n' "$*"; "$@"; }

# The same, with its chatter kept out of the log: only the last lines of it stay.
run_reporting() {
  local code
  printf '+ %s\n' "$*"
  "$@" >"$progress" 2>&1
  code=$?
  last_words "$progress"
  return $code
}

# What dd and blkdiscard say at their end. Counters that overwrite each other on a terminal are on one line here.
last_words() {
  local lines
  mapfile -t lines <"$1"
  ((${#lines[@]} > 4)) && lines=("${lines[@]: -4}")
  printf '%s\n' "${lines[@]##*$'\r'}"
}

fail() {
  printf '@failed %s\n' "$*"
  exit 3
}
