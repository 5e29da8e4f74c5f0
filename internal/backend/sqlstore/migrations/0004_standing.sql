-- What ranks servers among others that match as well, read for sixty of them at every search.
CREATE INDEX servers_standing ON servers (id, score, installs);
