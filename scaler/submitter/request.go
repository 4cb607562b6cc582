package submitter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

const (
	// maxBody bounds a request, and maxMemory what of a form is kept in memory.
	maxBody   = 8 << 20
	maxMemory = 1 << 20
)

// request is what a client sent.
type request struct {
	adt    []byte
	params map[string]any
	dryrun bool
}

// read reads a body of JSON or a form.
func read(r *http.Request) (request, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return request{}, &refusal{http.StatusUnsupportedMediaType, "Content-Type: " + err.Error()}
	}
	var in request
	switch kind {
	case "application/json":
		in, err = readJSON(r.Body)
	case "multipart/form-data", "application/x-www-form-urlencoded":
		in, err = readForm(r)
	default:
		return in, &refusal{http.StatusUnsupportedMediaType, "send JSON or a form"}
	}
	if err == nil && len(bytes.TrimSpace(in.adt)) == 0 {
		err = wrong("there is no ADT: send it as adt (a url is not fetched)")
	}
	return in, err
}

func wrong(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// readJSON reads what micado-client sends. It always has a url, which the client
// sets to the request's own; a template is only taken as adt.
func readJSON(body io.Reader) (request, error) {
	var sent struct {
		ADT    json.RawMessage `json:"adt"`
		Params map[string]any  `json:"params"`
		DryRun bool            `json:"dryrun"`
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return request{}, err
	}
	if err := json.Unmarshal(text, &sent); err != nil {
		return request{}, wrong("the body is not the JSON of a request: %v", err)
	}
	in := request{params: sent.Params, dryrun: sent.DryRun}
	var plain string
	switch {
	case string(sent.ADT) == "null":
	case json.Unmarshal(sent.ADT, &plain) == nil:
		in.adt = []byte(plain)
	default:
		// JSON is YAML; with a key a line, the places of mistakes can be found.
		var lines bytes.Buffer
		if err := json.Indent(&lines, sent.ADT, "", "  "); err == nil {
			in.adt = lines.Bytes()
		}
	}
	return in, nil
}

func readForm(r *http.Request) (request, error) {
	err := r.ParseMultipartForm(maxMemory)
	if errors.Is(err, http.ErrNotMultipart) {
		err = r.ParseForm()
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return request{}, err
	}
	if err != nil {
		return request{}, wrong("the form can't be read: %v", err)
	}
	in := request{adt: []byte(r.PostFormValue("adt")), dryrun: isDryRun(r.PostFormValue("dryrun"))}
	if r.MultipartForm != nil && len(r.MultipartForm.File["adt"]) > 0 {
		if in.adt, err = readPart(r.MultipartForm.File["adt"][0]); err != nil {
			return in, wrong("adt: %v", err)
		}
	}
	if text := r.PostFormValue("params"); text != "" {
		if err := json.Unmarshal([]byte(text), &in.params); err != nil {
			return in, wrong("params: want a JSON object: %v", err)
		}
	}
	return in, nil
}

func readPart(part *multipart.FileHeader) ([]byte, error) {
	file, err := part.Open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// isDryRun reads the text of the field as the original does.
func isDryRun(text string) bool {
	return text != "" && !strings.HasPrefix(strings.ToLower(text), "false")
}
