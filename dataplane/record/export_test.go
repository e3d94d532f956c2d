package record

// Lower makes the sealer stop early.
func (s *Sealer) Lower(limit Count) { s.counter = NewCounter(limit) }
