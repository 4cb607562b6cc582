#!/bin/sh
# Installs, starts, upgrades, removes and purges the package in a Debian of its own:
#   check.sh OLD.deb NEW.deb        (as root, with debootstrap and terraform)
# The Debian is made in a temporary folder, or kept in $CHECK_ROOT for the next run.
set -eu
old=$(realpath "$1") new=$(realpath "$2")
base=${CHECK_ROOT:-$(mktemp -d)}
root=$base/root
pid=
end() {
	if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi
	umount "$root/proc" 2>/dev/null || true
	if [ -z "${CHECK_ROOT:-}" ]; then rm -rf "$base"; fi
}
trap end EXIT
say() { echo "== $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
in_root() { chroot "$root" "$@"; }

if [ ! -x "$root/usr/bin/dpkg" ]; then
	say "a minimal Debian"
	debootstrap --variant=minbase --include=adduser stable "$root" >"$base/debootstrap.log" 2>&1 || { tail "$base/debootstrap.log" >&2; exit 1; }
fi
mount -t proc proc "$root/proc"
install -m 0755 "$(command -v terraform)" "$root/usr/local/bin/terraform"
cp "$old" "$root/old.deb"
cp "$new" "$root/new.deb"

# The service as its unit starts it: the account, the command line, the notification.
start() {
	user=$(sed -n 's/^User=//p' "$root/usr/lib/systemd/system/scalerd.service")
	line=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/scalerd.service")
	chroot --userspec="$user:$user" "$root" env HOME=/var/lib/scalerd PATH=/usr/local/bin:/usr/bin:/bin $line --listen 127.0.0.1:0 >"$base/log" 2>&1 &
	pid=$!
	for _ in $(seq 300); do
		if in_root scalerctl status >"$base/status" 2>&1; then return; fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.2
	done
	cat "$base/log" >&2
	fail "the service does not answer"
}
stop() {
	kill "$pid"
	wait "$pid" || fail "the service ended with an error: $(tail -1 "$base/log")"
	pid=
}

say "install $(basename "$old")"
in_root dpkg -i /old.deb
if command -v systemd-analyze >/dev/null; then
	systemd-analyze security --no-pager --offline=yes --threshold=30 "$root/usr/lib/systemd/system/scalerd.service" >"$base/security" || { cat "$base/security"; fail "the unit is exposed more than 3.0"; }
	tail -1 "$base/security"
fi
[ "$(in_root stat -c '%U %a' /var/lib/scalerd)" = "scalerd 700" ] || fail "owner and mode of /var/lib/scalerd"
[ "$(in_root stat -c '%U:%G %a' /etc/scalerd/scalerd.yaml)" = "root:scalerd 640" ] || fail "owner and mode of the configuration"
in_root scalerd check-config --config /etc/scalerd/scalerd.yaml
for page in man1/scalerctl.1.gz man1/scalerctl-apply.1.gz man8/scalerd.8.gz; do gzip -t "$root/usr/share/man/$page"; done
for name in scalerd scalerctl; do
	bash -n "$root/usr/share/bash-completion/completions/$name"
	[ -s "$root/usr/share/zsh/vendor-completions/_$name" ] && [ -s "$root/usr/share/fish/vendor_completions.d/$name.fish" ] || fail "a completion of $name is missing"
	grep -q '"bomFormat": "CycloneDX"' "$root/usr/share/doc/scalerd/$name.cdx.json" || fail "the bill of materials of $name is missing"
done
say "start"
start
cat "$base/status"
stop
echo "log_level: warn" >>"$root/etc/scalerd/scalerd.yaml"
touch "$root/var/lib/scalerd/kept"

say "upgrade to $(basename "$new")"
in_root dpkg -i /new.deb
grep -q '^log_level: warn' "$root/etc/scalerd/scalerd.yaml" || fail "the upgrade replaced the configuration"
start
stop

say "remove"
in_root dpkg -r scalerd
[ ! -e "$root/usr/bin/scalerd" ] || fail "the binary is left"
[ -e "$root/etc/scalerd/scalerd.yaml" ] || fail "remove took the configuration"
[ -e "$root/var/lib/scalerd/scalerd.db" ] || fail "remove took the data"

say "purge"
in_root dpkg -P scalerd
[ ! -e "$root/etc/scalerd" ] || fail "purge left /etc/scalerd"
[ -e "$root/var/lib/scalerd/kept" ] || fail "purge took the state of machines"
rm -rf "$root/var/lib/scalerd"
say "all well"
