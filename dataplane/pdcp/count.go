package pdcp

// estimate finds the COUNT of an SN of so many bits near RX_DELIV: it is less than W, half the SN space,
// below RX_DELIV or above (TS 38.323, 5.2.2.1). False: it would be below 0 or past the end. HFN is 0 at
// first and never less; the standard leaves that open, and nothing was sent there.
//
//	            RX_DELIV - W          RX_DELIV          RX_DELIV + W
//	HFN - 1 ....[..... HFN or one less .....|..... HFN or one more .....[.... HFN + 1
func estimate(deliver uint64, sn uint32, bits uint) (uint32, bool) {
	half := int64(1) << (bits - 1)
	hfn, reference := int64(deliver>>bits), int64(deliver&(1<<bits-1))
	switch {
	case int64(sn) < reference-half:
		hfn++
	case int64(sn) >= reference+half:
		hfn--
	}
	count := hfn<<bits | int64(sn)
	if hfn < 0 || count > 1<<32-1 {
		return 0, false
	}
	return uint32(count), true
}
