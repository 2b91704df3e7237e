package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// ExecuteRequest is the body of POST /process/execute. Fields that it does not
// have are ignored.
type ExecuteRequest struct {
	Command string `json:"command"`
	Cwd     string `json:"cwd"`
	// Timeout is in seconds and may have a fraction. Without it, or with 0,
	// there is no limit.
	Timeout float64           `json:"timeout"`
	Envs    map[string]string `json:"envs"`
	// Stdin is what the command reads. Without it, or with an empty one, there is nothing to
	// read. Any text will do, as long as the body is not too long with it.
	Stdin string `json:"stdin"`
}

// maxTimeout is a year: far more than anyone means, and far less than a
// time.Duration holds.
const maxTimeout = 365 * 24 * time.Hour

// rejection is a request that was refused, and how.
type rejection struct {
	status int
	Problem
}

func reject(status int, code, format string, args ...any) *rejection {
	return &rejection{
		status:  status,
		Problem: Problem{Code: code, Message: fmt.Sprintf(format, args...)},
	}
}

func (s *Server) decode(c *gin.Context) (process.Request, *rejection) {
	body, problem := s.readBody(c)
	if problem != nil {
		return process.Request{}, problem
	}
	req, problem := parse(body)
	if problem != nil {
		return process.Request{}, problem
	}
	return process.Request{
		Command: req.Command,
		Dir:     req.Cwd,
		Timeout: time.Duration(math.Ceil(req.Timeout * float64(time.Second))),
		Env:     req.Envs,
		Stdin:   req.Stdin,
	}, nil
}

// readBody reads no more than MaxBody, and none of a body that announces more.
// The server's ReadTimeout ends one that does not come.
func (s *Server) readBody(c *gin.Context) ([]byte, *rejection) {
	tooLarge := reject(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE",
		"the body has more than %d bytes", s.options.MaxBody)
	if c.Request.ContentLength > s.options.MaxBody {
		c.Header("Connection", "close")
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, s.options.MaxBody))
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return nil, tooLarge
	}
	if err != nil {
		return nil, reject(http.StatusBadRequest, "INVALID_JSON", "read body: %v", err)
	}
	return body, nil
}

// parse is strict where encoding/json is lenient: invalid UTF-8 would be
// changed silently, and the command with it. What JSON's own escapes can say
// and UTF-8 cannot, half a surrogate pair, is U+FFFD as there.
func parse(body []byte) (req ExecuteRequest, problem *rejection) {
	if !utf8.Valid(body) {
		return req, reject(http.StatusBadRequest, "INVALID_JSON", "the body is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	err := decoder.Decode(&req)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return req, reject(http.StatusBadRequest, "INVALID_REQUEST",
			"the body must be a JSON object, not %s", wrongType.Value)
	case errors.As(err, &wrongType):
		return req, reject(http.StatusBadRequest, "INVALID_REQUEST", "%s must not be %s",
			wrongType.Field, wrongType.Value)
	case errors.Is(err, io.EOF):
		return req, reject(http.StatusBadRequest, "INVALID_JSON", "the body is empty")
	case err != nil:
		return req, reject(http.StatusBadRequest, "INVALID_JSON", "the body is not valid JSON: %v",
			err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return req, reject(http.StatusBadRequest, "INVALID_REQUEST",
			"the body goes on after the JSON object")
	}
	return req, check(req)
}

func check(req ExecuteRequest) *rejection {
	for _, find := range []func(ExecuteRequest) string{checkCommand, checkTimeout, checkEnvs} {
		if message := find(req); message != "" {
			return reject(http.StatusBadRequest, "INVALID_REQUEST", "%s", message)
		}
	}
	return nil
}

func checkCommand(req ExecuteRequest) string {
	switch {
	case strings.TrimSpace(req.Command) == "":
		return "command must not be empty"
	case strings.ContainsRune(req.Command, 0):
		return "command must not have a NUL byte"
	case strings.ContainsRune(req.Cwd, 0):
		return "cwd must not have a NUL byte"
	}
	return ""
}

func checkTimeout(req ExecuteRequest) string {
	if math.IsNaN(req.Timeout) || req.Timeout < 0 || req.Timeout > maxTimeout.Seconds() {
		return fmt.Sprintf("timeout must be within 0..%.0f seconds, not %v", maxTimeout.Seconds(),
			req.Timeout)
	}
	return ""
}

func checkEnvs(req ExecuteRequest) string {
	for name, value := range req.Envs {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fmt.Sprintf("envs: the name %q must not be empty, nor have '=' or a NUL byte",
				name)
		}
		if strings.ContainsRune(value, 0) {
			return fmt.Sprintf("envs: the value of %s must not have a NUL byte", name)
		}
	}
	return ""
}
