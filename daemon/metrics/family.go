package metrics

import (
	dto "github.com/prometheus/client_model/go"

	"pc5d/daemon/control"
)

const (
	counting = dto.MetricType_COUNTER // only grows until the daemon ends
	gauging  = dto.MetricType_GAUGE
)

// family is one metric: its samples are read from a status of the node, or of a link.
type family[T any] struct {
	name, help string
	kind       dto.MetricType
	labels     []string // of each sample; a link's name comes before them
	read       func(s *T, emit emit)
}

// emit takes one sample with the values of the labels.
type emit func(value float64, labels ...string)

type (
	nodeFamily = family[control.Status]
	linkFamily = family[control.LinkStatus]
)

// counter is a family of one sample.
func counter[T any](name, help string, read func(*T) uint64) family[T] {
	return family[T]{name: name, help: help, kind: counting, read: func(s *T, emit emit) { emit(float64(read(s))) }}
}

// gauge is a family of one sample.
func gauge[T any](name, help string, read func(*T) float64) family[T] {
	return family[T]{name: name, help: help, kind: gauging, read: func(s *T, emit emit) { emit(read(s)) }}
}

// write writes the samples of a family for all of what it can be read from. owner gives the label that
// comes before the others; nil: none.
func (f *family[T]) write(p *page, all []T, owner func(*T) word) error {
	var from *T
	labels := make([]word, 0, maxLabels)
	take := func(value float64, values ...string) {
		labels = labels[:0]
		if owner != nil {
			labels = append(labels, owner(from))
		}
		for i, v := range values {
			labels = append(labels, word{f.labels[i], v})
		}
		p.add(f.kind, value, labels)
	}
	for i := range all {
		from = &all[i]
		f.read(from, take)
	}
	return p.end(f.name, f.help, f.kind)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
