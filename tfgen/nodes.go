package tfgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// NodesFile is the name of the one file of a shard that scaling rewrites.
const NodesFile = "nodes.auto.tfvars.json"

// SharedFile is the name of the file that hands the outputs of a group's base to
// its shards: the output "shared" of the base, an object, is the variable "shared"
// of each shard, where the base declares one.
const SharedFile = "shared.auto.tfvars.json"

// Settings is what one node was created with: the value of its key in the
// variable "nodes". Values are strings, numbers, booleans, or lists and maps of
// these.
type Settings map[string]any

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
