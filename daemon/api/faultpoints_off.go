//go:build !faultpoints

package api

import "github.com/gin-gonic/gin"

func mountFaultPoints(*gin.Engine) {}
