#!/bin/sh
# Installs the Debian packages Hearth's commands need: packages.sh run|demo|test ...
# Does nothing, quickly, when all are there. No service is started by an installation that happens here:
# Hearth runs its own Redis and PostgreSQL on its own ports.
set -eu

run="python3 python3-venv redis-server openssh-client ca-certificates"
demo="qemu-system-x86 qemu-utils mmdebstrap e2fsprogs debian-archive-keyring"
test="postgresql chromium fonts-dejavu-core fonts-liberation"

wanted=""
for group in "$@"; do
    case $group in
        run) wanted="$wanted $run" ;;
        demo) wanted="$wanted $demo" ;;
        test) wanted="$wanted $test" ;;
        *) echo "packages.sh: no such group: $group (run, demo, test)" >&2; exit 2 ;;
    esac
done

# shellcheck disable=SC2086  # a list of words
present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p') || true
missing=""
for package in $wanted; do
    case "
$present
" in
        *"
$package
"*) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Packages are missing:$missing" >&2
        echo "Run this as root, or install sudo, or: apt-get install$missing" >&2
        exit 1
    }
    as_root="sudo"
fi

# A service that this installation brings must not start and take a port. Services that were there before stay as they are.
quiet=""
if [ -d /run/systemd/system ]; then
    for package in $missing; do
        case $package in
            redis-server) quiet="$quiet redis-server.service" ;;
            postgresql) quiet="$quiet postgresql.service" ;;
        esac
    done
fi
let_services_be() {
    for unit in $quiet; do
        $as_root systemctl --runtime --quiet unmask "$unit" || true
        $as_root systemctl --quiet disable "$unit" || true
    done
}
for unit in $quiet; do
    $as_root systemctl --runtime --quiet mask "$unit" || true
done
trap let_services_be EXIT

echo "Installing Debian packages:$missing" >&2
# shellcheck disable=SC2086
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes --quiet --no-install-recommends -o Dpkg::Use-Pty=0 $missing
}
log=$(mktemp)
if ! { $as_root apt-get update --quiet && install; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get failed (the whole log: $log). Check the package sources and the network, then run the command again." >&2
    exit 1
fi
rm -f "$log"
