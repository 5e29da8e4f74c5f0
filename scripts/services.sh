#!/usr/bin/env bash
# Starts and stops what the tests need besides Go, each on its own port and in its own directory under
# .cache/services, so that nothing of the machine is touched. Used by "make services".
#
#   scripts/services.sh start   install what is missing (needs root) and start it; does nothing twice
#   scripts/services.sh stop    stop what start started, by its process id
#   scripts/services.sh env     print shell lines that tell the tests what is running
#
# What cannot be had is said on stderr; the rest goes on.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$root/.cache/services
pgdata=$dir/postgres
pgport=${MCPHUB_POSTGRES_PORT:-15432}
uvdir=$dir/uv

note() { echo "services: $*" >&2; }
. "$root/scripts/search.sh"

# install PACKAGE...: from Debian, when this user may.
install() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		note "cannot install $*: needs root and apt-get"
		return 1
	fi
	# One at a time: several services are installed at once.
	(
		flock 9
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$dir/apt.log" 2>&1 && exit
		apt-get update >>"$dir/apt.log" 2>&1
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$dir/apt.log" 2>&1
	) 9>"$dir/apt.lock" && return
	note "cannot install $*: see $dir/apt.log"
	return 1
}

# pgbin prints the directory of the newest PostgreSQL.
pgbin() {
	local found
	found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	if [ -z "$found" ] && command -v initdb >/dev/null; then
		found=$(dirname "$(command -v initdb)")
	fi
	[ -n "$found" ] && echo "$found"
}

# aspg COMMAND...: as a user that PostgreSQL accepts; it refuses to run as root.
aspg() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u "$pguser" -- "$@"
	else
		"$@"
	fi
}

pgpid() {
	local pid
	pid=$(head -n 1 "$pgdata/data/postmaster.pid" 2>/dev/null) || return 1
	[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && echo "$pid"
}

start_postgres() {
	if pgpid >/dev/null; then
		return
	fi
	local bin
	bin=$(pgbin) || true
	if [ -z "$bin" ]; then
		install postgresql || return 1
		bin=$(pgbin) || { note "PostgreSQL was installed and is not found"; return 1; }
	fi
	pguser=$(id -un)
	if [ "$(id -u)" = 0 ]; then
		pguser=postgres
		id -u postgres >/dev/null 2>&1 || pguser=nobody
		reachable || return 1
	fi
	mkdir -p "$pgdata/socket"
	if [ ! -s "$pgdata/data/PG_VERSION" ]; then
		rm -rf "$pgdata/data"
		mkdir -p "$pgdata/data"
		chown -R "$pguser" "$pgdata" 2>/dev/null
		chmod 700 "$pgdata/data"
		# English order, where "a" and "B" are neighbours, so that the tests see whether we order by bytes.
		local init=("$bin/initdb" -D "$pgdata/data" -U mcphub --auth=trust --encoding=UTF8 --locale=C.UTF-8)
		if ! (cd / && aspg "${init[@]}" --locale-provider=icu --icu-locale=en-US || aspg "${init[@]}") >"$dir/initdb.log" 2>&1; then
			note "PostgreSQL: initdb failed, see $dir/initdb.log"
			return 1
		fi
	fi
	chown -R "$pguser" "$pgdata" 2>/dev/null
	if ! (cd / && aspg "$bin/pg_ctl" -D "$pgdata/data" -l "$pgdata/log" -w -t 60 \
		-o "-p $pgport -c listen_addresses=127.0.0.1 -c unix_socket_directories='$pgdata/socket' -c max_connections=300" start) >"$dir/pg_ctl.log" 2>&1; then
		note "PostgreSQL did not start, see $pgdata/log"
		return 1
	fi
	note "PostgreSQL runs on 127.0.0.1:$pgport"
}

# reachable makes sure that the unprivileged user can get to the data directory.
reachable() {
	mkdir -p "$pgdata"
	chown "$pguser" "$pgdata"
	if runuser -u "$pguser" -- test -w "$pgdata"; then
		return
	fi
	note "PostgreSQL: the user $pguser cannot reach $pgdata; its parent directories must be searchable (chmod o+x)"
	return 1
}

stop_postgres() {
	local pid
	pid=$(pgpid) || return 0
	kill -INT "$pid" # fast shutdown
	for _ in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	note "PostgreSQL (process $pid) did not stop in 10 seconds"
	return 1
}

# Tools that run servers of other languages: uvx for PyPI, npx for npm.
start_tools() {
	if ! command -v uvx >/dev/null && [ ! -x "$uvdir/bin/uvx" ]; then
		if python3 -m venv "$uvdir" >"$dir/uv.log" 2>&1 && "$uvdir/bin/pip" install --quiet uv >>"$dir/uv.log" 2>&1; then
			note "uv is in $uvdir/bin"
		else
			note "cannot install uv, see $dir/uv.log"
		fi
	fi
	if ! command -v npx >/dev/null; then
		install nodejs npm
	fi
}

# Engines for the tests of containers, which start their own daemons. RUNLEVEL=1 keeps Debian's from being started.
start_engines() {
	if [ "$(id -u)" != 0 ] || [ "$(uname -s)" != Linux ]; then
		return
	fi
	command -v dockerd >/dev/null || RUNLEVEL=1 install docker.io
	command -v podman >/dev/null || RUNLEVEL=1 install podman runc
	command -v newuidmap >/dev/null || install uidmap
	command -v skopeo >/dev/null || install skopeo
}

# ORAS moves what is no image; Debian does not have it.
orasdir=$dir/oras
orasversion=v1.3.6
start_oras() {
	[ -x "$orasdir/oras" ] || command -v oras >/dev/null && return
	mkdir -p "$orasdir"
	if ! GOFLAGS= CGO_ENABLED=0 GOBIN=$orasdir nice go install "oras.land/oras/cmd/oras@$orasversion" >"$orasdir/build.log" 2>&1; then
		note "ORAS cannot be had: go install failed, see $orasdir/build.log"
	fi
}

print_env() {
	if pgpid >/dev/null; then
		echo "export MCPHUB_TEST_POSTGRES='postgres://mcphub@127.0.0.1:$pgport/postgres?sslmode=disable'"
	else
		note "PostgreSQL does not run"
	fi
	if [ -x "$uvdir/bin/uvx" ]; then
		echo "export PATH='$uvdir/bin':\"\$PATH\""
	fi
	if [ -x "$orasdir/oras" ]; then
		echo "export PATH='$orasdir':\"\$PATH\""
	fi
	print_search_env
}

mkdir -p "$dir"
case ${1:-} in
start)
	failed=0
	start_opensearch & # the tests do without, when they must
	start_weaviate &
	start_postgres || failed=1
	start_tools || failed=1
	start_oras
	start_engines # their tests say why they are skipped
	wait
	exit $failed
	;;
stop)
	stop_opensearch
	stop_weaviate
	stop_postgres
	;;
env) print_env ;;
*)
	echo "usage: $0 start|stop|env" >&2
	exit 2
	;;
esac
