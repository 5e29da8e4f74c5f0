-- Installs of each server by day, counted in days since 1970 (UTC), for charts and trends.
CREATE TABLE installs_by_day (
	server_id {text} NOT NULL REFERENCES servers (id),
	day BIGINT NOT NULL,
	installs BIGINT NOT NULL,
	PRIMARY KEY (server_id, day)
);
CREATE INDEX installs_by_day_day ON installs_by_day (day, installs DESC);
