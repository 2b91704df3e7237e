package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"syscall"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// ExecuteResponse is the answer to a command that has ended.
type ExecuteResponse struct {
	// ExitCode is 0..255, or -1 where the strategy does not know.
	ExitCode int `json:"exitCode"`
	// Result is the command's output. A byte that is not part of valid UTF-8
	// is shown as U+FFFD.
	Result string `json:"result"`
	// ResultBase64 is the output byte by byte; only when Result had to be changed.
	ResultBase64 string `json:"resultBase64,omitempty"`
	// Truncated says that the output was longer than the daemon keeps.
	Truncated bool `json:"truncated,omitempty"`
}

func (s *Server) execute(c *gin.Context) {
	req, problem := s.decode(c)
	if problem != nil {
		fail(c, problem.status, problem.Code, problem.Message)
		return
	}
	ctx, stop := s.whileWanted(c.Request)
	result, err := s.executor.Execute(ctx, req)
	stop()
	if err != nil {
		s.failExecute(c, result, err)
		return
	}
	c.PureJSON(http.StatusOK, response(result))
}

// whileWanted returns the context of a request's command. Call stop before the
// answer is written.
func (s *Server) whileWanted(r *http.Request) (ctx context.Context, stop func()) {
	if !s.options.KillOnDisconnect {
		return context.WithoutCancel(r.Context()), func() {}
	}
	return s.options.Gone.during(r)
}

func response(result process.Result) ExecuteResponse {
	r := ExecuteResponse{
		ExitCode:  result.ExitCode,
		Result:    string(result.Output),
		Truncated: result.Truncated,
	}
	if !utf8.Valid(result.Output) {
		r.ResultBase64 = base64.StdEncoding.EncodeToString(result.Output)
	}
	return r
}

// clientGone is nginx's status for a client that hung up: nobody reads it, and
// the log shows it.
const clientGone = 499

func (s *Server) failExecute(c *gin.Context, result process.Result, err error) {
	told := response(result)
	p := Problem{Message: err.Error()}
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, process.ErrTimeout):
		status, p.Code, p.Result = http.StatusRequestTimeout, "TIMEOUT", &told.Result
	case errors.Is(err, process.ErrShuttingDown):
		status, p.Code, p.Result = http.StatusServiceUnavailable, "SHUTTING_DOWN", &told.Result
	case errors.Is(err, context.Canceled):
		status, p.Code = clientGone, "CLIENT_GONE"
	case errors.Is(err, process.ErrStatusLost):
		p.Code, p.Result = "EXIT_STATUS_LOST", &told.Result
	case errors.Is(err, process.ErrDir):
		status, p.Code = http.StatusBadRequest, "INVALID_CWD"
	case errors.Is(err, syscall.E2BIG):
		status, p.Code, p.Message = http.StatusBadRequest, "INVALID_REQUEST", "command and envs are longer than the system can start"
	case exhausted(err):
		status, p.Code = http.StatusServiceUnavailable, "RESOURCES_EXHAUSTED"
	default:
		p.Code = "START_FAILED"
	}
	if p.Result != nil {
		p.ResultBase64, p.Truncated = told.ResultBase64, told.Truncated
	}
	if p.Code == "START_FAILED" || p.Code == "EXIT_STATUS_LOST" {
		s.log.Error("execute failed", "code", p.Code, "error", err)
	}
	c.Abort()
	c.PureJSON(status, p)
}

// exhausted says whether a start failed for want of something that may be
// there again in a moment.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE,
		syscall.ENFILE} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
