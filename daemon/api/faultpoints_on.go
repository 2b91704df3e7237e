//go:build faultpoints

package api

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

// mountFaultPoints lets a test set, watch and reset the fault points:
//
//	GET    /debug/faultpoints                all
//	GET    /debug/faultpoints/:name          one
//	PUT    /debug/faultpoints/:name          arm, with a faultpoint.Setting
//	POST   /debug/faultpoints/:name/release  let everyone go who is stopped
//	DELETE /debug/faultpoints/:name          reset and forget the counts
func mountFaultPoints(engine *gin.Engine) {
	group := engine.Group("/debug/faultpoints")
	group.GET("", func(c *gin.Context) { c.JSON(http.StatusOK, faultpoint.All()) })
	group.GET("/:name", func(c *gin.Context) { answerPoint(c, nil) })
	group.PUT("/:name", setPoint)
	group.POST("/:name/release",
		func(c *gin.Context) { answerPoint(c, faultpoint.Release(point(c))) })
	group.DELETE("/:name", func(c *gin.Context) { answerPoint(c, faultpoint.Reset(point(c))) })
}

func point(c *gin.Context) faultpoint.Point { return faultpoint.Point(c.Param("name")) }

func setPoint(c *gin.Context) {
	var setting faultpoint.Setting
	if err := json.NewDecoder(c.Request.Body).Decode(&setting); err != nil {
		fail(c, http.StatusBadRequest, "INVALID_JSON", "decode fault point setting: "+err.Error())
		return
	}
	answerPoint(c, faultpoint.Set(point(c), setting))
}

func answerPoint(c *gin.Context, err error) {
	if err != nil {
		fail(c, http.StatusBadRequest, "INVALID_REQUEST", err.Error())
		return
	}
	state, err := faultpoint.Get(point(c))
	if err != nil {
		fail(c, http.StatusNotFound, "NOT_FOUND", err.Error())
		return
	}
	c.JSON(http.StatusOK, state)
}
