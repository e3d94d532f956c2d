package linkbench

import (
	"fmt"
	"html"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartWidth  = 760
	panelHeight = 250
	panelTop    = 48
	barsHeight  = 150
	barWidth    = 44
	chartLeft   = 24
)

// series are the two programs with their colours.
func series() [2]struct{ name, colour string } {
	return [...]struct{ name, colour string }{{"pc5d", "#1b6ca8"}, {"wireguard-go", "#b8b8b8"}}
}

// chart draws the throughput and the cost of each condition, as SVG.
func (r Result) chart() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", chartWidth, 2*panelHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", chartWidth, 2*panelHeight)
	for i, title := range []string{"TCP, one stream, Gbit/s: more is better", "processor time of both daemons, s/GB: less is better"} {
		r.panel(&b, i, title)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// panel draws the bars of the row'th figure of all conditions.
func (r Result) panel(b *strings.Builder, row int, title string) {
	top := row*panelHeight + panelTop
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", chartLeft, top-24, html.EscapeString(title))
	for i, s := range series() {
		x := chartWidth - 230 + i*90
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, top-34, s.colour, x+18, top-24, s.name)
	}
	most := 0.0
	for _, c := range r.Conditions {
		most = max(most, c.Rows[row].Ours, c.Rows[row].Theirs)
	}
	step := (chartWidth - 2*chartLeft) / max(1, len(r.Conditions))
	for i, c := range r.Conditions {
		middle := chartLeft + i*step + step/2
		for j, value := range []float64{c.Rows[row].Ours, c.Rows[row].Theirs} {
			bar(b, middle+(j-1)*(barWidth+6), top, value, value/most, series()[j].colour)
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", middle, top+barsHeight+36, html.EscapeString(c.Name))
	}
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="black"/>`+"\n", chartLeft, top+barsHeight+16, chartWidth-chartLeft, top+barsHeight+16)
}

// bar is a part of the panel's height, with its value above.
func bar(b *strings.Builder, x, top int, value, part float64, colour string) {
	height := part * barsHeight
	y := float64(top+16) + barsHeight - height
	fmt.Fprintf(b, `<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="%s"/>`, x, y, barWidth, height, colour)
	fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="middle">%.2f</text>`+"\n", x+barWidth/2, y-4, value)
}
