package pdcp

// SetCount moves both directions to a COUNT, for vectors that do not start at 0.
func (e *Entity) SetCount(count uint32) {
	e.txNext = count
	e.window = window{next: uint64(count)}
}
