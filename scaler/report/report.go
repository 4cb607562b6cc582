package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/templates"
)

// Write writes the report of an optimizer as html, png, svg or json, and returns the
// media type.
func Write(w io.Writer, a *scaler.Advisor, format string) (mediaType string, err error) {
	d := Make(a.Facts())
	switch format {
	case "html":
		return "text/html; charset=utf-8", HTML(w, d)
	case "png":
		return "image/png", Plot(w, d, format)
	case "svg":
		return "image/svg+xml", Plot(w, d, format)
	case "json":
		return "application/json", json.NewEncoder(w).Encode(d)
	}
	return "", fmt.Errorf("report as %q: use html, png, svg or json", format)
}

// Page writes the report of an optimizer as a page.
func Page(w io.Writer, a *scaler.Advisor) error {
	_, err := Write(w, a, "html")
	return err
}

// HTML writes one page that holds all it needs.
func HTML(w io.Writer, d Data) error {
	page, err := asset("report/report.html")
	if err != nil {
		return err
	}
	made, err := template.New("report").Parse(page)
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	data, err := json.Marshal(d) // escapes <, > and &
	if err != nil {
		return fmt.Errorf("report data: %w", err)
	}
	fill := struct {
		Name            string
		Styles          template.CSS
		Data            template.JS
		Library, Script template.JS
	}{Name: d.Name, Data: template.JS(data)}
	var style, own, library, script string
	for path, into := range map[string]*string{
		"uplot/uPlot.min.css": &style, "report/report.css": &own, "uplot/uPlot.iife.min.js": &library, "report/report.js": &script,
	} {
		if *into, err = asset(path); err != nil {
			return err
		}
	}
	fill.Styles, fill.Library, fill.Script = template.CSS(style+own), template.JS(library), template.JS(script)
	if err := made.Execute(w, fill); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	return nil
}

func asset(path string) (string, error) {
	text, err := templates.Assets.ReadFile("assets/" + path)
	if err != nil {
		return "", fmt.Errorf("report page: %w", err)
	}
	return string(text), nil
}
