package tfgen

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/templates"
	"github.com/scalerd/scalerd/tfgen/cloudinit"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// nodePlaceholder stands for a node's name in user data. Terraform replaces it, so
// that the nodes of a group share one file.
const nodePlaceholder = "__NODE__"

// windowsData begins what cloudbase-init on Windows takes besides cloud-config.
var windowsData = []string{"#ps1", "#!", "rem cmd"}

// userDataLimit is the most bytes of user data that a cloud takes. Base64 counts
// after encoding.
type userDataLimit struct {
	bytes  int
	base64 bool
}

var userDataLimits = map[spec.Cloud]userDataLimit{
	spec.CloudEC2:       {bytes: 16 << 10},
	spec.CloudOpenStack: {bytes: 64<<10 - 1, base64: true},
	spec.CloudAzure:     {bytes: 64<<10 - 1, base64: true},
}

// userData is what the nodes of a group get at their first boot.
type userData struct {
	File
	// compressed is set where only the compressed form is small enough.
	compressed bool
}

// groupUserData makes a group's user data, and the file that holds it.
func groupUserData(app *spec.Application, group *spec.Group) (userData, error) {
	content, err := joinedUserData(app, group)
	if err != nil {
		return userData{}, fmt.Errorf("group %s: cloud_init %w", group.Name, err)
	}
	content = []byte(strings.NewReplacer(
		"__APPLICATION__", app.Name, "__GROUP__", group.Name, "__METRICS_PORT__", strconv.Itoa(group.Metrics.Port),
	).Replace(string(content)))
	sum := sha256.Sum256(content)
	data := userData{File: File{Name: "cloud-init-" + hex.EncodeToString(sum[:4]) + ".yaml", Content: content}}
	if data.compressed, err = compressed(group, content); err != nil {
		return userData{}, fmt.Errorf("group %s: cloud_init %w", group.Name, err)
	}
	return data, nil
}

// joinedUserData joins a group's content to the base template.
func joinedUserData(app *spec.Application, group *spec.Group) ([]byte, error) {
	own := []byte(group.CloudInit.Content)
	if group.Azure != nil && group.Azure.OS == spec.AzureWindows {
		return windowsUserData(own)
	}
	if group.CloudInit.Mode == spec.CloudInitReplace {
		return cloudinit.Alone(own)
	}
	base, err := baseTemplate(app, group)
	if err != nil {
		return nil, err
	}
	if group.CloudInit.Mode == spec.CloudInitInsert {
		return cloudinit.Insert(base, own)
	}
	return cloudinit.Append(base, own)
}

// windowsUserData is a group's content without the base template, which is for
// Linux: a cloud-config, or one of the scripts that cloudbase-init runs.
func windowsUserData(own []byte) ([]byte, error) {
	if isScript(string(own)) {
		return own, nil
	}
	return cloudinit.Alone(own)
}

func isScript(content string) bool {
	return slices.ContainsFunc(windowsData, func(prefix string) bool { return strings.HasPrefix(content, prefix) })
}

func baseTemplate(app *spec.Application, group *spec.Group) ([]byte, error) {
	if group.CloudInit.Base == "" {
		return templates.CloudInit, nil
	}
	text, err := os.ReadFile(fromDescription(app, group.CloudInit.Base))
	if err != nil {
		return nil, fmt.Errorf("base template: %w", err)
	}
	return text, nil
}

// fromDescription is a path that counts from the description's folder.
func fromDescription(app *spec.Application, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(app.Dir, path)
}

// compressed reports whether user data has to be compressed to be accepted, with
// the node's name in it.
func compressed(group *spec.Group, content []byte) (bool, error) {
	limit, limited := userDataLimits[group.Cloud]
	longest := []byte(strings.ReplaceAll(string(content), nodePlaceholder, NodeName(group.Name, 9_999_999)))
	if !limited || limit.size(len(longest)) <= limit.bytes {
		return false, nil
	}
	if group.Azure != nil && group.Azure.OS == spec.AzureWindows {
		return false, fmt.Errorf("is %d bytes as %s counts them, more than its limit of %d; make it shorter, or let it download the rest",
			limit.size(len(longest)), group.Cloud, limit.bytes)
	}
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(longest); err != nil {
		return false, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return false, fmt.Errorf("compress: %w", err)
	}
	// Terraform's own compression may be a little worse than this one.
	size := limit.size(buf.Len() + buf.Len()/50 + 64)
	if size > limit.bytes {
		return false, fmt.Errorf("is %d bytes even when compressed, more than the limit of %s, %d; make it shorter, or let it download the rest",
			size, group.Cloud, limit.bytes)
	}
	return true, nil
}

// size is what the cloud counts of so many bytes.
func (l userDataLimit) size(bytes int) int {
	if l.base64 {
		return base64.StdEncoding.EncodedLen(bytes)
	}
	return bytes
}

// userDataExpr is the text of a node's user data in HCL.
func userDataExpr() string {
	return fmt.Sprintf(`replace(file("${path.module}/${each.value.user_data}"), %q, each.key)`, nodePlaceholder)
}
