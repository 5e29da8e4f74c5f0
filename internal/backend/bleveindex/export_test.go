package bleveindex

// SetLarge makes the index a large one from so many documents on.
func (x *Index) SetLarge(documents uint64) { x.largeFrom = documents }
