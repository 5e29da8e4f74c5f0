-- Parts of names are looked for in an index of trigrams where the database has one and lets us use it.
{name_search}
