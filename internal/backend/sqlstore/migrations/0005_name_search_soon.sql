-- Names are in the index of their parts before many are missing from it.
{name_search_soon}
