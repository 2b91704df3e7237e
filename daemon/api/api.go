// Package api is the daemon's HTTP interface: it decodes, checks and answers,
// and leaves the running of commands to package process.
//
// New is the front door. Errors are always a JSON object with a code, for
// programs, and a message, for people.
package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// Options of a Server.
type Options struct {
	// Version and Strategy are what /version tells.
	Version, Strategy string
	// Token, unless empty, must be sent as a bearer token with every request
	// but /healthz.
	Token string
	// MaxBody is how many bytes a request body may have.
	MaxBody int64
	// KillOnDisconnect ends a command when its client hangs up.
	KillOnDisconnect bool
	// Gone says when it did. Without one net/http does, which takes a client that
	// closes its sending side for one that has gone.
	Gone *Gone
}

// Server answers requests by means of an Executor.
type Server struct {
	executor *process.Executor
	options  Options
	log      *slog.Logger
}

// New returns the handler of all endpoints. Browsers' requests from foreign
// sites are refused: the daemon runs commands for whoever reaches it.
func New(executor *process.Executor, options Options, log *slog.Logger) http.Handler {
	s := &Server{executor: executor, options: options, log: log}
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(denyCrossOrigin))
	return protection.Handler(s.engine())
}

func (s *Server) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.Use(s.logRequest, gin.CustomRecoveryWithWriter(nil, s.recovered), s.authorize)
	engine.NoRoute(func(c *gin.Context) {
		fail(c, http.StatusNotFound, "NOT_FOUND", "no such endpoint: "+c.Request.URL.Path)
	})
	engine.NoMethod(func(c *gin.Context) {
		fail(c, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED",
			c.Request.Method+" is not allowed here")
	})
	engine.POST("/process/execute", s.execute)
	engine.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	engine.GET("/version", s.version)
	engine.GET("/debug/processes", s.processes)
	engine.GET("/openapi.json", giveDocument)
	mountFaultPoints(engine)
	return engine
}

// Problem is the body of every error.
type Problem struct {
	// Code is a constant in capitals.
	Code string `json:"code"`
	// Message says in words what is wrong.
	Message string `json:"message"`
	// Result is what the command wrote before it was killed, if it was.
	Result *string `json:"result,omitempty"`
	// ResultBase64 and Truncated are those of ExecuteResponse.
	ResultBase64 string `json:"resultBase64,omitempty"`
	Truncated    bool   `json:"truncated,omitempty"`
}

func fail(c *gin.Context, status int, code, message string) {
	c.AbortWithStatusJSON(status, Problem{Code: code, Message: message})
}

func denyCrossOrigin(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusForbidden)
	w.Write([]byte(`{"code":"CROSS_ORIGIN","message":"requests from other sites are refused"}`))
}

func (s *Server) recovered(c *gin.Context, cause any) {
	s.log.Error("recovered from panic", "cause", cause, "path", c.Request.URL.Path)
	fail(c, http.StatusInternalServerError, "INTERNAL", "internal error, see the daemon's log")
}

func (s *Server) logRequest(c *gin.Context) {
	begin := time.Now()
	c.Next()
	s.log.LogAttrs(c, slog.LevelInfo, "api request",
		slog.String("method", c.Request.Method),
		slog.String("uri", c.Request.URL.Path),
		slog.Int("status", c.Writer.Status()),
		slog.Duration("latency", time.Since(begin)))
}

// authorize compares digests, so that the time taken tells nothing of the
// token, its length included.
func (s *Server) authorize(c *gin.Context) {
	if s.options.Token == "" || c.FullPath() == "/healthz" {
		return
	}
	want := sha256.Sum256([]byte("Bearer " + s.options.Token))
	got := sha256.Sum256([]byte(c.GetHeader("Authorization")))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		c.Header("WWW-Authenticate", "Bearer")
		fail(c, http.StatusUnauthorized, "UNAUTHORIZED",
			"send the header Authorization: Bearer <token>")
	}
}

func (s *Server) version(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{
		"version":  s.options.Version,
		"strategy": s.options.Strategy,
		"go":       runtime.Version(),
	})
}

// Processes is the answer of /debug/processes.
type Processes struct {
	InFlight        int `json:"inFlight"`
	ReapedManaged   int `json:"reapedManaged"`
	ReapedUnmanaged int `json:"reapedUnmanaged"`
	EchildSeen      int `json:"echildSeen"`
	EchildRecovered int `json:"echildRecovered"`
	Cached          int `json:"cached"`
	Registered      int `json:"registered"`
	Zombies         int `json:"zombies"`
	Goroutines      int `json:"goroutines"`
}

func (s *Server) processes(c *gin.Context) {
	counts := s.executor.Strategy().Counts()
	c.JSON(http.StatusOK, Processes{
		InFlight:        s.executor.InFlight(),
		ReapedManaged:   counts.ReapedManaged,
		ReapedUnmanaged: counts.ReapedUnmanaged,
		EchildSeen:      counts.EchildSeen,
		EchildRecovered: counts.EchildRecovered,
		Cached:          counts.Cached,
		Registered:      counts.Registered,
		Zombies:         process.Zombies(),
		Goroutines:      runtime.NumGoroutine(),
	})
}
