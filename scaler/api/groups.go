package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/operation"
)

// GroupPath is the part of a path that names a group.
type GroupPath struct {
	ApplicationPath
	Group string `path:"group"`
}

// groups are the handlers for groups and nodes.
type groups struct {
	service    *scaler.Service
	operations *operation.Registry
}

func registerGroups(api huma.API, h groups) {
	const app = "/v1/applications/{application}"
	const one = app + "/groups/{group}"
	tag := tagged("groups")
	register(api, endpoint(access.Viewer, http.MethodGet, app+"/groups", "list-groups", "The groups of an application and what they do now.", tag), h.list)
	register(api, endpoint(access.Viewer, http.MethodGet, one, "get-group", "What a group does now.", tag), h.get)
	register(api, endpoint(access.Viewer, http.MethodGet, app+"/nodes", "list-nodes", "The nodes of an application, by group and name.", tag), h.nodes)
	register(api, endpoint(access.Viewer, http.MethodGet, one+"/nodes", "list-group-nodes", "The nodes of a group, by name.", tag), h.groupNodes)
	serve(api, endpoint(access.Operator, http.MethodPost, app+"/drop", "drop-node", "Destroy one chosen node.", tag, accepted), h.drop)
	serve(api, endpoint(access.Operator, http.MethodPost, one+"/scale", "scale-group", "Set the size of a group once; its policies go on from there.", tag, accepted), h.scale)
	register(api, endpoint(access.Operator, http.MethodPost, one+"/pause", "pause-group", "Stop decisions of a group; its nodes stay.", tag), h.pause)
	register(api, endpoint(access.Operator, http.MethodPost, one+"/resume", "resume-group", "Decide again.", tag), h.resume)
	register(api, endpoint(access.Viewer, http.MethodPost, one+"/what-if", "what-if", "What the last tick would have decided on other values; nothing is done.", tag, reads), h.whatIf)
	register(api, endpoint(access.Viewer, http.MethodGet, one+"/history", "get-history", "The size and the metrics of a group over time.", tag), h.history)
	register(api, endpoint(access.Operator, http.MethodPost, one+"/scale/plan", "plan-scale", "What scaling a group would do now, as Terraform plans it.", tag, reads), h.planScale)
	register(api, endpoint(access.Operator, http.MethodPost, app+"/drop/plan", "plan-drop", "What dropping a node would do now, as Terraform plans it.", tag, reads), h.planDrop)
	register(api, endpoint(access.Viewer, http.MethodGet, one+"/samples", "list-samples", "What the optimizer of a group has learned from, the newest first.", tag), h.samples)
}

type groupsInput struct {
	ApplicationPath
	PageInput
}

func (h groups) list(ctx context.Context, in *groupsInput) (Page[scaler.GroupStatus], error) {
	status, err := h.service.Application(ctx, in.Application)
	if err != nil {
		return Page[scaler.GroupStatus]{}, err
	}
	// In the description's order: the key of a page is the position.
	position := map[string]int{}
	for i, g := range status.Groups {
		position[g.Name] = i
	}
	return paged(status.Groups, in.PageInput, func(g scaler.GroupStatus) string { return fmt.Sprintf("%08d", position[g.Name]) })
}

func (h groups) get(ctx context.Context, in *GroupPath) (scaler.GroupStatus, error) {
	status, err := h.service.Application(ctx, in.Application)
	if err != nil {
		return scaler.GroupStatus{}, err
	}
	for _, g := range status.Groups {
		if g.Name == in.Group {
			return g, nil
		}
	}
	return scaler.GroupStatus{}, fmt.Errorf("group %s of application %s: %w", in.Group, in.Application, scaler.ErrNotFound)
}

// nodeKey is in the order of an application's nodes: see scaler.CompareNodes.
func nodeKey(n scaler.NodeStatus) string {
	return fmt.Sprintf("%s\x00%03d%s", n.Group, len(n.Name), n.Name)
}

func (h groups) nodes(ctx context.Context, in *groupsInput) (Page[scaler.NodeStatus], error) {
	nodes, err := h.service.Nodes(ctx, in.Application)
	if err != nil {
		return Page[scaler.NodeStatus]{}, err
	}
	return paged(nodes, in.PageInput, nodeKey)
}

type groupPageInput struct {
	GroupPath
	PageInput
}

func (h groups) groupNodes(ctx context.Context, in *groupPageInput) (Page[scaler.NodeStatus], error) {
	if _, err := h.get(ctx, &in.GroupPath); err != nil {
		return Page[scaler.NodeStatus]{}, err
	}
	all, err := h.service.Nodes(ctx, in.Application)
	if err != nil {
		return Page[scaler.NodeStatus]{}, err
	}
	var nodes []scaler.NodeStatus
	for _, n := range all {
		if n.Group == in.Group {
			nodes = append(nodes, n)
		}
	}
	return paged(nodes, in.PageInput, nodeKey)
}

type dropInput struct {
	ApplicationPath
	Node    string `query:"node" required:"true" minLength:"1" doc:"Name, identifier or address; an Azure identifier has slashes, so it is no part of the path."`
	Replace bool   `query:"replace" doc:"Create another node in its place."`
}

func (h groups) drop(ctx context.Context, in *dropInput) (*started, error) {
	return begun(h.operations.Drop(ctx, access.Principal(ctx).Name, in.Application, in.Node, in.Replace))
}

type scaleInput struct {
	GroupPath
	Nodes int `query:"nodes" required:"true" minimum:"0"`
}

func (h groups) scale(ctx context.Context, in *scaleInput) (*started, error) {
	return begun(h.operations.Scale(ctx, access.Principal(ctx).Name, in.Application, in.Group, in.Nodes))
}

func (h groups) planScale(ctx context.Context, in *scaleInput) (scaler.GroupPlan, error) {
	return h.service.PlanScale(ctx, in.Application, in.Group, in.Nodes)
}

func (h groups) planDrop(ctx context.Context, in *dropInput) (scaler.GroupPlan, error) {
	return h.service.PlanDrop(ctx, in.Application, in.Node, in.Replace)
}

func (h groups) pause(ctx context.Context, in *GroupPath) (scaler.ApplicationStatus, error) {
	return pause(ctx, h.service, in.Application, in.Group, true)
}

func (h groups) resume(ctx context.Context, in *GroupPath) (scaler.ApplicationStatus, error) {
	return pause(ctx, h.service, in.Application, in.Group, false)
}

type whatIfInput struct {
	GroupPath
	Body scaler.Supposed
}

func (h groups) whatIf(ctx context.Context, in *whatIfInput) (scaler.Decision, error) {
	return h.service.WhatIf(ctx, in.Application, in.Group, in.Body)
}

// LearnedSample is a sample that an optimizer keeps.
type LearnedSample struct {
	At    time.Time `json:"at"`
	Nodes int       `json:"nodes" doc:"Nodes that are ready."`
	Total int       `json:"total" doc:"Nodes that exist."`
	// Values are null where a metric had none.
	Values map[string]*float64 `json:"values"`
}

func (h groups) samples(ctx context.Context, in *groupPageInput) (Page[LearnedSample], error) {
	before, err := in.before(math.MaxInt64)
	if err != nil {
		return Page[LearnedSample]{}, err
	}
	stored, err := h.service.Samples(ctx, in.Application, in.Group)
	if err != nil {
		return Page[LearnedSample]{}, err
	}
	var newest []LearnedSample
	for i := len(stored) - 1; i >= 0 && len(newest) <= in.Limit; i-- {
		s := stored[i]
		if s.At.UnixNano() >= before {
			continue
		}
		one := LearnedSample{At: s.At, Nodes: s.Nodes, Total: s.Total, Values: map[string]*float64{}}
		for name, v := range s.Values {
			one.Values[name] = nil
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				one.Values[name] = &v
			}
		}
		newest = append(newest, one)
	}
	return numbered(newest, in.PageInput, func(s LearnedSample) int64 { return s.At.UnixNano() }), nil
}
