package metrics

import (
	"bytes"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// page is the text of one scrape. A registry of the library makes some ten objects for each sample and holds
// all of them until the last one is written: with a thousand links 20 MB, in memory that is locked. A page
// has one family after the other written, and uses the samples of one again for the next.
type page struct {
	text    bytes.Buffer
	samples []*sample
	used    []*dto.Metric // of samples, by the family that is being filled
	words   map[word]*dto.LabelPair
}

// sample is one metric of the library and what it points to.
type sample struct {
	metric  dto.Metric
	counter dto.Counter
	gauge   dto.Gauge
	value   float64
	labels  [maxLabels]*dto.LabelPair
}

// maxLabels is how many labels a sample has at most: a link's name, and those of a family.
const maxLabels = 5

// word is a label and its value: most come again and again.
type word struct{ label, value string }

func newPage() *page { return &page{words: map[word]*dto.LabelPair{}} }

// end writes the family that has been filled by add, where there is anything in it.
func (p *page) end(name, help string, kind dto.MetricType) error {
	f := dto.MetricFamily{Name: &name, Help: &help, Type: &kind, Metric: p.used}
	p.used = p.used[:0]
	if len(f.Metric) == 0 {
		return nil
	}
	_, err := expfmt.MetricFamilyToText(&p.text, &f)
	return err
}

// add fills the next sample of a family.
func (p *page) add(kind dto.MetricType, value float64, labels []word) {
	n := len(p.used)
	if n == len(p.samples) {
		p.samples = append(p.samples, new(sample))
	}
	s := p.samples[n]
	s.value, s.metric.Counter, s.metric.Gauge = value, nil, nil
	if kind == dto.MetricType_COUNTER {
		s.counter.Value, s.metric.Counter = &s.value, &s.counter
	} else {
		s.gauge.Value, s.metric.Gauge = &s.value, &s.gauge
	}
	s.metric.Label = s.labels[:0]
	for _, w := range labels {
		s.metric.Label = append(s.metric.Label, p.pair(w))
	}
	p.used = append(p.used, &s.metric)
}

// pair is a word in the library's form.
func (p *page) pair(w word) *dto.LabelPair {
	known, ok := p.words[w]
	if !ok {
		known = &dto.LabelPair{Name: &w.label, Value: &w.value}
		p.words[w] = known
	}
	return known
}
