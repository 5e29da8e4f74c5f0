# The search engines of scripts/services.sh, which sources this file: a cluster of three OpenSearch nodes and
# Weaviate. What cannot be had is said on stderr, and the tests that need it skip.
#
# Weaviate binds its gRPC and its cluster port to every address and cannot be told otherwise; so a key of this
# directory is asked for on all of its ports.

osdir=$dir/opensearch
osport=${MCPHUB_OPENSEARCH_PORT:-19200} # and the two after it; nodes speak to each other a hundred higher
osversion=$(sed -n 's:.*<opensearch.version>\(.*\)</opensearch.version>.*:\1:p' "$root/scripts/opensearch/pom.xml")
wvdir=$dir/weaviate
wvport=${MCPHUB_WEAVIATE_PORT:-18088}
wvversion=v1.35.2

# alive FILE WORD prints the process in a file, when it still runs and has the word in its command line: another
# may have got its number since.
alive() {
	local pid
	pid=$(cat "$1" 2>/dev/null) || return 1
	[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && ps -o args= -p "$pid" | grep -qF -- "$2" && echo "$pid"
}

# end FILE WORD NAME ends that process.
end() {
	local pid
	pid=$(alive "$1" "$2") || return 0
	kill "$pid"
	for _ in $(seq 150); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$pid"
	note "$3 (process $pid) did not stop in 15 seconds and was killed"
}

install_opensearch() {
	[ -s "$osdir/$osversion/classes/SearchNode.class" ] && return
	command -v javac >/dev/null || install default-jdk-headless || return 1
	command -v mvn >/dev/null || install maven || return 1
	rm -rf "$osdir/$osversion"
	mkdir -p "$osdir/$osversion"
	if ! nice mvn -B -q -f "$root/scripts/opensearch/pom.xml" dependency:copy-dependencies \
		-DoutputDirectory="$osdir/$osversion/lib" >"$osdir/maven.log" 2>&1; then
		note "OpenSearch cannot be had: Maven failed, see $osdir/maven.log"
		return 1
	fi
	if ! javac -cp "$osdir/$osversion/lib/*" -d "$osdir/$osversion/classes" "$root/scripts/opensearch/SearchNode.java" >"$osdir/javac.log" 2>&1; then
		note "OpenSearch cannot be had: javac failed, see $osdir/javac.log"
		return 1
	fi
}

# start_node N starts one node of the cluster.
start_node() {
	local home=$osdir/node$1
	alive "$home/pid" "$home" >/dev/null && return
	mkdir -p "$home/config"
	cat >"$home/config/opensearch.yml" <<-END
		cluster.name: mcphub-tests
		node.name: node$1
		network.host: 127.0.0.1
		http.port: $((osport + $1))
		transport.port: $((osport + 100 + $1))
		discovery.seed_hosts: ["127.0.0.1:$((osport + 100))", "127.0.0.1:$((osport + 101))", "127.0.0.1:$((osport + 102))"]
		cluster.initial_cluster_manager_nodes: [node0, node1, node2]
		cluster.routing.allocation.disk.threshold_enabled: false
		node.processors: 2
	END
	run_apart "$home/log" "$home/pid" java -Xms384m -Xmx384m -XX:+UseSerialGC -Dlog4j2.disable.jmx=true \
		"-Dlog4j2.configurationFile=$root/scripts/opensearch/log4j2.properties" \
		-cp "$osdir/$osversion/classes:$osdir/$osversion/lib/*" SearchNode "$home"
}

# run_apart LOG PIDFILE COMMAND... starts a process that outlives this script and its terminal.
run_apart() {
	local log=$1 pidfile=$2
	shift 2
	if command -v setsid >/dev/null; then
		set -- setsid "$@"
	fi
	(trap '' HUP INT; exec "$@") >"$log" 2>&1 </dev/null &
	echo $! >"$pidfile"
	disown $!
}

opensearch_answers() {
	curl -fs -m 5 "http://127.0.0.1:$osport/_cluster/health?wait_for_nodes=3&timeout=2s" 2>/dev/null | grep -q '"number_of_nodes":3'
}

start_opensearch() {
	opensearch_answers && return
	mkdir -p "$osdir"
	install_opensearch || return 1
	start_node 0
	start_node 1
	start_node 2
	for _ in $(seq 120); do
		if opensearch_answers; then
			note "OpenSearch runs on 127.0.0.1:$osport, $((osport + 1)) and $((osport + 2))"
			return
		fi
		alive "$osdir/node0/pid" "$osdir/node0" >/dev/null || break
		sleep 1
	done
	note "OpenSearch did not start, see $osdir/node0/log"
	stop_opensearch
	return 1
}

stop_opensearch() {
	local n
	for n in 2 1 0; do
		end "$osdir/node$n/pid" "$osdir/node$n" "OpenSearch" &
	done
	wait
}

weaviate_answers() {
	curl -fs -m 5 -o /dev/null "http://127.0.0.1:$wvport/v1/.well-known/ready" 2>/dev/null
}

install_weaviate() {
	[ -x "$wvdir/$wvversion/weaviate-server" ] && return
	mkdir -p "$wvdir/$wvversion"
	note "building Weaviate $wvversion, which takes some minutes"
	if ! GOFLAGS= CGO_ENABLED=0 GOBIN=$wvdir/$wvversion nice go install "github.com/weaviate/weaviate/cmd/weaviate-server@$wvversion" >"$wvdir/build.log" 2>&1; then
		note "Weaviate cannot be had: go install failed, see $wvdir/build.log"
		return 1
	fi
}

start_weaviate() {
	weaviate_answers && return
	mkdir -p "$wvdir"
	install_weaviate || return 1
	[ -s "$wvdir/key" ] || (umask 077 && head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$wvdir/key")
	local key
	key=$(cat "$wvdir/key")
	run_apart "$wvdir/log" "$wvdir/pid" env \
		PERSISTENCE_DATA_PATH="$wvdir/data" DEFAULT_VECTORIZER_MODULE=none API_BASED_MODULES_DISABLED=true \
		AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED=false AUTHENTICATION_APIKEY_ENABLED=true \
		AUTHENTICATION_APIKEY_ALLOWED_KEYS="$key" AUTHENTICATION_APIKEY_USERS=tests \
		AUTHORIZATION_ADMINLIST_ENABLED=true AUTHORIZATION_ADMINLIST_USERS=tests \
		CLUSTER_HOSTNAME=node1 CLUSTER_ADVERTISE_ADDR=127.0.0.1 CLUSTER_BIND_ADDR=127.0.0.1 \
		CLUSTER_GOSSIP_BIND_PORT=$((wvport + 1)) CLUSTER_DATA_BIND_PORT=$((wvport + 2)) \
		CLUSTER_BASIC_AUTH_USERNAME=tests CLUSTER_BASIC_AUTH_PASSWORD="$key" \
		RAFT_BOOTSTRAP_EXPECT=1 RAFT_PORT=$((wvport + 3)) RAFT_INTERNAL_RPC_PORT=$((wvport + 4)) RAFT_JOIN=node1:$((wvport + 3)) \
		GRPC_PORT=$((wvport + 5)) GO_PROFILING_DISABLE=true DISABLE_TELEMETRY=true AUTOSCHEMA_ENABLED=false LOG_LEVEL=warning \
		"$wvdir/$wvversion/weaviate-server" --host 127.0.0.1 --port "$wvport" --scheme http
	for _ in $(seq 60); do
		if weaviate_answers; then
			note "Weaviate runs on 127.0.0.1:$wvport"
			return
		fi
		alive "$wvdir/pid" "$wvdir" >/dev/null || break
		sleep 0.5
	done
	note "Weaviate did not start, see $wvdir/log"
	stop_weaviate
	return 1
}

stop_weaviate() { end "$wvdir/pid" "$wvdir" Weaviate; }

# print_search_env prints where the engines are; the tests start further nodes from what is installed.
print_search_env() {
	if opensearch_answers; then
		echo "export MCPHUB_TEST_OPENSEARCH='http://127.0.0.1:$osport,http://127.0.0.1:$((osport + 1)),http://127.0.0.1:$((osport + 2))'"
		echo "export MCPHUB_TEST_OPENSEARCH_HOME='$osdir/$osversion'"
	else
		note "OpenSearch does not run"
	fi
	if weaviate_answers; then
		echo "export MCPHUB_TEST_WEAVIATE='http://tests:$(cat "$wvdir/key")@127.0.0.1:$wvport'"
	else
		note "Weaviate does not run"
	fi
}
