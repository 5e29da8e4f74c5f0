-- Types in braces differ between the databases: {text} is ordered by bytes, {bytes} holds bytes,
-- {serial} is a growing key. Times are microseconds since 1970; 0 is none. Lists and maps are JSON.

CREATE TABLE servers (
	id {text} NOT NULL PRIMARY KEY,
	name {text} NOT NULL,
	claim {text} NOT NULL,
	holds_claim BOOLEAN NOT NULL,
	scope {text} NOT NULL,
	origin {text} NOT NULL,
	latest_id {text} NOT NULL,
	latest_version {text} NOT NULL,
	latest_state {text} NOT NULL,
	latest_package_types {text} NOT NULL,
	latest_transports {text} NOT NULL,
	latest_runtime {text} NOT NULL,
	latest_tools BIGINT NOT NULL,
	latest_resources BIGINT NOT NULL,
	latest_prompts BIGINT NOT NULL,
	license {text} NOT NULL,
	categories {text} NOT NULL,
	keywords {text} NOT NULL,
	installs BIGINT NOT NULL,
	score BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	title {text} NOT NULL,
	homepage {text} NOT NULL,
	repository {text} NOT NULL,
	icon {text} NOT NULL,
	dist_tags {text} NOT NULL,
	description {text} NOT NULL
);
CREATE UNIQUE INDEX servers_name ON servers (name);
-- Two servers published here never share a claim. Mirrored ones may (other catalogues have no such rule);
-- then the first holds it.
CREATE UNIQUE INDEX servers_claim ON servers (claim) WHERE holds_claim;
CREATE INDEX servers_scope ON servers (scope, name) WHERE latest_id <> '';
CREATE INDEX servers_by_updated ON servers (updated_at DESC, name) WHERE latest_id <> '';
CREATE INDEX servers_by_installs ON servers (installs DESC, name) WHERE latest_id <> '';
CREATE INDEX servers_by_score ON servers (score DESC, name) WHERE latest_id <> '';

-- shown: 0 not visible, 1 visible and withdrawn ("deleted" in the official API), 2 visible.
CREATE TABLE versions (
	id {text} NOT NULL PRIMARY KEY,
	server_id {text} NOT NULL REFERENCES servers (id),
	name {text} NOT NULL,
	version {text} NOT NULL,
	state {text} NOT NULL,
	shown SMALLINT NOT NULL,
	latest BOOLEAN NOT NULL,
	mirrored BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL,
	published_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	status_changed_at BIGINT NOT NULL,
	published_by {text} NOT NULL,
	message {text} NOT NULL,
	replacement {text} NOT NULL,
	format {text} NOT NULL,
	manifest_digest {text} NOT NULL,
	bundle_digest {text} NOT NULL,
	bundle_integrity {text} NOT NULL,
	bundle_size BIGINT NOT NULL,
	bundle_files BIGINT NOT NULL,
	package_types {text} NOT NULL,
	transports {text} NOT NULL,
	runtime {text} NOT NULL,
	tools BIGINT NOT NULL,
	resources BIGINT NOT NULL,
	prompts BIGINT NOT NULL,
	meta_json {bytes} NOT NULL,
	server_json {bytes} NOT NULL
);
CREATE UNIQUE INDEX versions_number ON versions (server_id, version);
CREATE UNIQUE INDEX versions_latest ON versions (server_id) WHERE latest;
-- The official list. All it filters by is in the index, so that rows are read only to be shown.
CREATE INDEX versions_page ON versions (name, version, shown, updated_at) WHERE shown >= 1;
CREATE INDEX versions_page_latest ON versions (name, version, shown, updated_at) WHERE latest;
CREATE INDEX versions_page_number ON versions (version, name, shown, updated_at) WHERE shown >= 1;
CREATE INDEX versions_page_since ON versions (updated_at, shown, name, version) WHERE shown >= 1;

-- What only the page of one version needs.
CREATE TABLE version_texts (
	version_id {text} NOT NULL PRIMARY KEY REFERENCES versions (id) ON DELETE CASCADE,
	full_text {text} NOT NULL,
	manifest {bytes} NOT NULL,
	capabilities {bytes} NOT NULL,
	readme {bytes} NOT NULL
);

-- Capabilities of each server's latest version, for counting.
CREATE TABLE capabilities (
	type {text} NOT NULL,
	name {text} NOT NULL,
	server_id {text} NOT NULL REFERENCES servers (id),
	PRIMARY KEY (type, name, server_id)
);
CREATE INDEX capabilities_server ON capabilities (server_id);

CREATE TABLE accounts (
	id {text} NOT NULL PRIMARY KEY,
	name {text} NOT NULL,
	email {text} NOT NULL,
	password_hash {text} NOT NULL,
	role {text} NOT NULL,
	disabled BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_name ON accounts (name);
CREATE UNIQUE INDEX accounts_email ON accounts (email) WHERE email <> '';

CREATE TABLE namespaces (
	scope {text} NOT NULL PRIMARY KEY,
	account_id {text} NOT NULL,
	claimed_by {text} NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX namespaces_account ON namespaces (account_id, scope);

CREATE TABLE tokens (
	id {text} NOT NULL PRIMARY KEY,
	account_id {text} NOT NULL,
	kind {text} NOT NULL,
	name {text} NOT NULL,
	hash {text} NOT NULL,
	prefix {text} NOT NULL,
	scopes {text} NOT NULL,
	family {text} NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	last_used BIGINT NOT NULL,
	used BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE INDEX tokens_account ON tokens (account_id, created_at);
CREATE INDEX tokens_family ON tokens (family) WHERE family <> '';

CREATE TABLE settings (
	key {text} NOT NULL PRIMARY KEY,
	value {bytes} NOT NULL
);

CREATE TABLE events (
	seq {serial},
	at BIGINT NOT NULL,
	actor {text} NOT NULL,
	actor_name {text} NOT NULL,
	action {text} NOT NULL,
	subject {text} NOT NULL,
	name {text} NOT NULL,
	state_before {text} NOT NULL,
	state_after {text} NOT NULL,
	reason {text} NOT NULL,
	request_id {text} NOT NULL
);
CREATE INDEX events_subject ON events (subject, seq);

CREATE TABLE cursors (
	projector {text} NOT NULL PRIMARY KEY,
	seq BIGINT NOT NULL
);

CREATE TABLE jobs (
	id {text} NOT NULL PRIMARY KEY,
	kind {text} NOT NULL,
	subject {text} NOT NULL,
	payload {text} NOT NULL,
	attempts BIGINT NOT NULL,
	run_at BIGINT NOT NULL,
	lease_by {text} NOT NULL,
	lease_till BIGINT NOT NULL,
	parked BOOLEAN NOT NULL,
	last_error {text} NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (created_at, id) WHERE NOT parked;

CREATE TABLE replays (
	key {text} NOT NULL PRIMARY KEY,
	digest {text} NOT NULL,
	done BOOLEAN NOT NULL,
	status BIGINT NOT NULL,
	body {bytes} NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX replays_age ON replays (created_at);
