// Package micado speaks the REST interface of MiCADO's Optimizer, so that a MiCADO
// master's Policy Keeper can point at scalerd:
//
//	POST /init      YAML {constants: {..., input_metrics, target_metrics}}: "OK"
//	POST /sample    YAML {sample: {timestamp, vm_number, input_metrics, target_metrics}}: "OK"
//	GET  /advice    {valid, phase, vm_number, reliability, error_msg}; 400 while not valid
//	GET  /report    the report, a page
//	POST /report    multipart file[]: knowledge as nn_training_data.csv
//	GET  /data/nn_training_data.csv   the knowledge
//
// Time is the samples' timestamps. What the original does by mistake is left out:
// samples are taken by name and not by position; one with unknown or missing names is
// answered with 400 and their list, and nothing of it is stored; an empty body is a
// 400 and not a 200; training does not block (?train=wait makes POST /sample wait for
// it, for simulators); a rejected sample changes no later advice; and no phase sweeps
// the number of nodes from min to max.
package micado

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Name is the name of the optimizer that POST /init configures.
const Name = "micado"

const (
	maxBody      = 1 << 20
	maxKnowledge = 64 << 20
)

// Report writes the page of an optimizer.
type Report func(w io.Writer, a *scaler.Advisor) error

// Handler serves the interface on the service's optimizers.
func Handler(service *scaler.Service, report Report) http.Handler {
	h := handler{service, report}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /init", h.serve(h.init))
	mux.HandleFunc("POST /sample", h.serve(h.sample))
	mux.HandleFunc("GET /advice", h.advice)
	mux.HandleFunc("GET /report", h.serve(h.page))
	mux.HandleFunc("POST /report", h.serve(h.upload))
	mux.HandleFunc("GET /data/nn_training_data.csv", h.serve(h.knowledge))
	return mux
}

type handler struct {
	service *scaler.Service
	report  Report
}

// answer is a request's result: a body and its type, "OK" where it is empty.
type answer struct {
	kind string
	body []byte
}

func (h handler) serve(handle func(http.ResponseWriter, *http.Request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := handle(w, r)
		if err != nil {
			refuse(w, err)
			return
		}
		if a.kind == "" {
			a = answer{"application/json", []byte("\"OK\"\n")}
		}
		w.Header().Set("Content-Type", a.kind)
		_, _ = w.Write(a.body) // a client that is gone is no failure
	}
}

// refusal is the body of an error, in the original's form with what it lacks.
type refusal struct {
	StatusCode int      `json:"status_code"`
	Reason     string   `json:"reason"`
	Message    string   `json:"message"`
	Mistakes   []string `json:"mistakes,omitempty"`
	Missing    []string `json:"missing,omitempty"`
	Unknown    []string `json:"unknown,omitempty"`
}

func refuse(w http.ResponseWriter, err error) {
	r := refusal{StatusCode: http.StatusBadRequest, Reason: "Bad Request", Message: err.Error()}
	var names *optimizer.NamesError
	var mistakes strictyaml.Mistakes
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &names):
		r.Reason, r.Missing, r.Unknown = "Wrong metrics", names.Missing, names.Unknown
	case errors.As(err, &mistakes):
		r.Reason = "Wrong POST data"
		for _, m := range mistakes {
			r.Mistakes = append(r.Mistakes, m.String())
		}
	case errors.As(err, &tooLarge):
		r.StatusCode, r.Reason = http.StatusRequestEntityTooLarge, "Too much POST data"
	case errors.Is(err, errEmpty):
		r.Reason = "Empty POST data"
	case errors.Is(err, scaler.ErrNotFound):
		r.Reason, r.Message = "No optimizer", noOptimizer
	case !errors.Is(err, scaler.ErrRefused) && !isUsers(err):
		r.StatusCode, r.Reason = http.StatusInternalServerError, "Internal error"
	}
	writeJSON(w, r.StatusCode, r)
}

const noOptimizer = "there is no optimizer yet: POST /init first"

var errEmpty = errors.New("the body is empty")

// isUsers reports whether the sender can do something about an error.
func isUsers(err error) bool {
	var setting *optimizer.Mistake
	var wrong *wrongBody
	return errors.As(err, &setting) || errors.As(err, &wrong) || errors.Is(err, scaler.ErrKnowledge) ||
		errors.Is(err, optimizer.ErrDuplicate) || errors.Is(err, optimizer.ErrClockBack) || errors.Is(err, optimizer.ErrNodes)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone is no failure
}

func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = errEmpty
	}
	return text, err
}

func (h handler) advisor(r *http.Request) (*scaler.Advisor, error) {
	all, err := h.service.Optimizers(r.Context())
	if err != nil {
		return nil, err
	}
	return all.Get(r.Context(), Name)
}

func (h handler) init(w http.ResponseWriter, r *http.Request) (answer, error) {
	text, err := body(w, r)
	if err != nil {
		return answer{}, err
	}
	config, err := parseInit(text)
	if err != nil {
		return answer{}, err
	}
	all, err := h.service.Optimizers(r.Context())
	if err != nil {
		return answer{}, err
	}
	_, err = all.Configure(r.Context(), Name, config)
	return answer{}, err
}

func (h handler) sample(w http.ResponseWriter, r *http.Request) (answer, error) {
	a, err := h.advisor(r)
	if err != nil {
		return answer{}, err
	}
	text, err := body(w, r)
	if err != nil {
		return answer{}, err
	}
	s, err := parseSample(text)
	if err != nil {
		return answer{}, err
	}
	return answer{}, a.Learn(r.Context(), []scaler.Sample{{Sample: s}}, r.URL.Query().Get("train") == "wait")
}

// advised is the answer of GET /advice.
type advised struct {
	Valid       bool    `json:"valid"`
	Phase       string  `json:"phase"`
	Nodes       int     `json:"vm_number"`
	Reliability float64 `json:"reliability"`
	Error       string  `json:"error_msg"`
}

func (h handler) advice(w http.ResponseWriter, r *http.Request) {
	advice := optimizer.Advice{Phase: optimizer.Training, Nodes: 1, Error: noOptimizer}
	a, err := h.advisor(r)
	if err == nil {
		advice, err = a.Advise(time.Time{})
	}
	if err != nil && !errors.Is(err, scaler.ErrNotFound) {
		refuse(w, err)
		return
	}
	status := http.StatusOK
	if !advice.Valid {
		status = http.StatusBadRequest
	}
	if advice.Valid && advice.Error == "" {
		advice.Error = "no error"
	}
	writeJSON(w, status, advised{advice.Valid, string(advice.Phase), advice.Nodes, advice.Reliability, advice.Error})
}

func (h handler) page(_ http.ResponseWriter, r *http.Request) (answer, error) {
	a, err := h.advisor(r)
	if err != nil {
		return answer{}, err
	}
	var page bytes.Buffer
	err = h.report(&page, a)
	return answer{"text/html; charset=utf-8", page.Bytes()}, err
}

func (h handler) knowledge(_ http.ResponseWriter, r *http.Request) (answer, error) {
	a, err := h.advisor(r)
	if err != nil {
		return answer{}, err
	}
	var file bytes.Buffer
	err = a.Export(&file, "csv")
	return answer{"text/csv; charset=utf-8", file.Bytes()}, err
}

// upload takes knowledge files; other files are refused, and never stored.
func (h handler) upload(w http.ResponseWriter, r *http.Request) (answer, error) {
	a, err := h.advisor(r)
	if err != nil {
		return answer{}, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxKnowledge)
	if err := r.ParseMultipartForm(8 << 20); err != nil {
		return answer{}, formError(err)
	}
	defer r.MultipartForm.RemoveAll()
	files := append(r.MultipartForm.File["file[]"], r.MultipartForm.File["file"]...)
	if len(files) == 0 {
		return answer{}, &wrongBody{"there is no file: send one as file[]"}
	}
	total := optimizer.Imported{Reasons: []string{}}
	for _, file := range files {
		done, err := importFile(r, a, file)
		if err != nil {
			return answer{}, fmt.Errorf("%s: %w", filepath.Base(file.Filename), err)
		}
		total.Added += done.Added
		total.Skipped += done.Skipped
		total.Reasons = append(total.Reasons, done.Reasons...)
	}
	text, err := json.Marshal(total)
	return answer{"application/json", append(text, '\n')}, err
}

func formError(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return err
	}
	return &wrongBody{"the form can't be read: " + err.Error()}
}

func importFile(r *http.Request, a *scaler.Advisor, file *multipart.FileHeader) (optimizer.Imported, error) {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(file.Filename)), ".")
	if format != "csv" && format != "json" {
		return optimizer.Imported{}, &wrongBody{"is no knowledge: send a .csv or .json file"}
	}
	f, err := file.Open()
	if err != nil {
		return optimizer.Imported{}, fmt.Errorf("open upload: %w", err)
	}
	defer f.Close()
	return a.Import(r.Context(), f, format)
}
