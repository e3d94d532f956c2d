package metrics

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"pc5d/daemon/control"
)

// maxScrapes is how many are read at once: each costs processor time that packets want, and whoever reaches
// a Listener may ask (chosen).
const maxScrapes = 2

// Source is whose status is shown: a Node.
type Source interface {
	Status(ctx context.Context) (control.Status, error)
}

// Build is what was built.
type Build struct {
	Version string
	Null    bool // without cryptography: for measurements alone
}

// Handler answers a scrape, whatever its path is.
type Handler struct {
	source  Source
	build   Build
	process prometheus.Gatherer // process_* and go_*
	scrapes chan struct{}       // one for each that is being read
}

// NewHandler makes a Handler of a source.
func NewHandler(source Source, build Build) *Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Handler{source: source, build: build, process: r, scrapes: make(chan struct{}, maxScrapes)}
}

// ServeHTTP implements http.Handler. All is read before the first octet is written, so that no slow
// reader holds up the next one.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case h.scrapes <- struct{}{}:
	default:
		http.Error(w, "too many scrapes at once", http.StatusServiceUnavailable)
		return
	}
	text, err := h.text(r.Context())
	<-h.scrapes
	if err != nil {
		http.Error(w, "local: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	w.Write(text) // a caller that has gone away is nobody's error
}

// text reads everything and writes it down.
func (h *Handler) text(ctx context.Context) ([]byte, error) {
	s, err := h.source.Status(ctx)
	if err != nil {
		return nil, err
	}
	p := newPage()
	if err := p.status(h.build, s); err != nil {
		return nil, err
	}
	families, err := h.process.Gather()
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&p.text, f); err != nil {
			return nil, err
		}
	}
	return p.text.Bytes(), nil
}
