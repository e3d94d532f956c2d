package main

import "fmt"

// id names a requirement: R from the procedures, P a property, T a threat, C a claim.
type id struct {
	letter byte
	number int
}

// String gives the one spelling of the document: threats have two digits.
func (i id) String() string {
	if i.letter == 'T' {
		return fmt.Sprintf("T%02d", i.number)
	}
	return fmt.Sprintf("%c%d", i.letter, i.number)
}

// tokens finds the ids in a name. A token does not continue a word in capitals (PC5 is no C5),
// has one or two digits (T5084 is a timer) and does not go on in small letters; a leading zero
// means nothing.
func tokens(name string) []id {
	var found []id
	for at := range len(name) {
		if i, ok := tokenAt(name, at); ok {
			found = append(found, i)
		}
	}
	return found
}

func tokenAt(name string, at int) (id, bool) {
	switch name[at] {
	case 'R', 'P', 'T', 'C':
	default:
		return id{}, false
	}
	if at > 0 && within(name[at-1], 'A', 'Z') {
		return id{}, false
	}
	i, end := id{letter: name[at]}, at+1
	for ; end < len(name) && within(name[end], '0', '9'); end++ {
		if end > at+2 {
			return id{}, false
		}
		i.number = 10*i.number + int(name[end]-'0')
	}
	if i.number == 0 || end < len(name) && within(name[end], 'a', 'z') {
		return id{}, false
	}
	return i, true
}

func within(c, low, high byte) bool { return low <= c && c <= high }
