package tfgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// NodesFile is the name of the one file of a shard that scaling rewrites.
const NodesFile = "nodes.auto.tfvars.json"

// SharedFile is the name of the file that hands the outputs of a group's base to
// its shards: the output "shared" of the base, an object, is the variable "shared"
// of each shard, where the base declares one.
const SharedFile = "shared.auto.tfvars.json"

// UserDataFiles matches the names of the user data files of a shard. A node's
// settings hold the name of the one that it started with.
const UserDataFiles = "cloud-init-*.yaml"

// Settings is what one node was created with: the value of its key in the
// variable "nodes". Values are strings, numbers, booleans, or lists and maps of
// these.
type Settings map[string]any

// decided is the setting that says which decision created a node. It is part of
// the machine's tags, so that a machine of an interrupted creation can be told.
const decided = "decision"

// offering is the setting that names the offering which a node is of.
const offering = "offering"

// Offering is the name of the offering that the node is of, and empty where its
// group had none.
func (s Settings) Offering() string {
	name, _ := s[offering].(string)
	return name
}

// Decided is the settings with the decision that creates the node; 0 is none. A
// local node has no tags, and so no such setting.
func (s Settings) Decided(decision int64) Settings {
	if _, tagged := s["user_data"]; !tagged || decision == 0 {
		return s
	}
	with := maps.Clone(s)
	with[decided] = strconv.FormatInt(decision, 10)
	return with
}

// installed is the setting that says which scalerd created a node: two that work in
// one account, on applications of one name, never touch each other's machines.
const installed = "installation"

// Installed is the settings with the installation that creates the node; "" is
// none. As with Decided, a local node has no such setting.
func (s Settings) Installed(installation string) Settings {
	if _, tagged := s["user_data"]; !tagged || installation == "" {
		return s
	}
	with := maps.Clone(s)
	with[installed] = installation
	return with
}

// Differences lists the settings in which next differs, by key: "ami: a -> b". It
// is empty where they are the same.
func (s Settings) Differences(next Settings) string {
	keys := map[string]bool{}
	for key := range s {
		keys[key] = true
	}
	for key := range next {
		keys[key] = true
	}
	delete(keys, decided)  // says when a node was made, not how
	delete(keys, offering) // names other settings, and may be renamed
	delete(keys, installed)
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if before, after := asJSON(s[key]), asJSON(next[key]); before != after {
			parts = append(parts, fmt.Sprintf("%s: %s -> %s", key, before, after))
		}
	}
	return strings.Join(parts, ", ")
}

// asJSON writes a setting as the node set has it, so that a value that was read
// from there equals the one that was written; an absent one is null.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	return string(text)
}

// Nodes is the node set of a shard by node name: the variable "nodes".
type Nodes map[string]Settings

// Encode writes the node set as a Terraform variable file, with sorted keys.
func (n Nodes) Encode() ([]byte, error) {
	if n == nil {
		n = Nodes{}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]Nodes{"nodes": n}); err != nil {
		return nil, fmt.Errorf("encode node set: %w", err)
	}
	return buf.Bytes(), nil
}

// DecodeNodes reads what Encode wrote.
func DecodeNodes(text []byte) (Nodes, error) {
	var file struct {
		Nodes Nodes `json:"nodes"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // a number is written back as it was read
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("decode node set: %w", err)
	}
	if file.Nodes == nil {
		return nil, fmt.Errorf(`decode node set: no "nodes" map`)
	}
	return file.Nodes, nil
}

// NodeName is the name of a group's node of the given number, counted from 1:
// web-0001. Numbers are never used again, so a name stands for one machine only.
func NodeName(group string, number int) string {
	return fmt.Sprintf("%s-%04d", group, number)
}

var nodeNumber = regexp.MustCompile(`-(\d{4,})$`)

// NodeNumber is the number in a node's name, and 0 for any other string.
func NodeNumber(node string) int {
	m := nodeNumber.FindStringSubmatch(node)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// ShardName is the directory name of a group's shard of the given number,
// counted from 0.
func ShardName(number int) string {
	return fmt.Sprintf("shard-%03d", number)
}

// BaseName is the directory name of the root module with what the shards share.
const BaseName = "base"
