package spec

import (
	"maps"
	"slices"
)

// Group returns the group of that name, and nil where there is none.
func (a *Application) Group(name string) *Group {
	for i := range a.Groups {
		if a.Groups[i].Name == name {
			return &a.Groups[i]
		}
	}
	return nil
}

// GroupQueries returns the queries that the group's policies can use, by name: the
// application's and the group's, which win. The map is the caller's.
func (a *Application) GroupQueries(g *Group) map[string]Query {
	return merged(a.Queries, g.Queries)
}

// GroupConstants returns the constants that the group's rules can use, by name:
// the application's and the group's, which win. The map is the caller's, its
// values are the application's.
func (a *Application) GroupConstants(g *Group) map[string]any {
	return merged(a.Constants, g.Constants)
}

// GroupAlerts returns the alerts that the group's rules can use, in the order of
// the description: the application's and the group's, which win.
func (a *Application) GroupAlerts(g *Group) []Alert {
	var alerts []Alert
	for _, alert := range a.Alerts {
		if !slices.ContainsFunc(g.Alerts, func(own Alert) bool { return own.Name == alert.Name }) {
			alerts = append(alerts, alert)
		}
	}
	return append(alerts, g.Alerts...)
}

func merged[T any](app, group map[string]T) map[string]T {
	all := make(map[string]T, len(app)+len(group))
	maps.Copy(all, app)
	maps.Copy(all, group)
	return all
}
