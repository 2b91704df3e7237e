package api

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
)

// document describes the endpoints, OpenAPI 3.1. It is written by hand; a test
// holds it against what the handlers answer.
//
//go:embed openapi.json
var document []byte

func giveDocument(c *gin.Context) {
	c.Data(http.StatusOK, "application/json; charset=utf-8", document)
}
