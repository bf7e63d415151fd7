# Report all units of this node, at once when one of the expected ones is no longer running, else after a while.
# Arguments: seconds to wait, names of the units that the caller believes are running.
wait_s=$1
shift
[ -d /run/hearth ] || mkdir -m 700 /run/hearth
cd /run/hearth || exit 1
[ -p wake ] || mkfifo -m 600 wake
shopt -s nullglob

# Also "ended" when there is no telling: the report below finds out.
ended() {
  local unit pid
  for unit; do
    [ -s "$unit.out" ] || return 0
    read -r _ pid _ <"$unit.out"
    [ -d "/proc/$pid" ] || return 0
  done
  return 1
}

# Whoever ends writes a line here. Opened for both ways it never blocks and never reports an end of file.
exec 9<>wake
if [ $# -gt 0 ] && [ "$wait_s" != 0 ] && ! ended "$@"; then
  # A unit that ended just before the FIFO was open shows after a blink.
  read -r -t 0.03 -u 9 _ || ended "$@" || read -r -t "$wait_s" -u 9 _
fi

read -r boot </proc/sys/kernel/random/boot_id
printf 'boot %s\nnow %s\n' "$boot" "$EPOCHREALTIME"
over=() unsure=()
for out in hearth-*.out; do
  unit=${out%.out} pid='' phase='' life=gone
  read -r _ pid _ <"$out"
  [ -r "$unit.phase" ] && read -r phase <"$unit.phase"
  mapfile -t lines <"$out"
  if [[ ${lines[-1]-} == @exit* ]]; then
    over+=("$out") life=over
  elif [ -n "$pid" ] && [ -d "/proc/$pid" ]; then
    life=alive
  else
    over+=("$out") unsure+=("$unit.service")
  fi
  printf 'unit %s %s %s\n' "$unit" "$life" "$phase"
done
# Killed from outside, or only just begun.
[ ${#unsure[@]} -gt 0 ] && systemctl show -p Id,ActiveState,SubState,Result "${unsure[@]}"
printf 'tails\n'
counters=(hearth-*.progress)
[ ${#counters[@]} -gt 0 ] && tail -v -c 300 -- "${counters[@]}"
printf '\n' # dd's counter ends without a new line, and the next header must begin one
[ ${#over[@]} -gt 0 ] && tail -v -c 65536 -- "${over[@]}"
exit 0
