-- Parts of names are in their index as soon as they are written.
{name_search_at_once}
