package report

import (
	"fmt"

	"github.com/reapcheck/reapcheck/harness/results"
)

// leftOutSentence is for the headline; empty where nothing was left out.
func leftOutSentence(i results.Info) string {
	switch n := len(i.LeftOut); n {
	case 0:
		return ""
	case 1:
		return " 1 scenario was left out."
	default:
		return fmt.Sprintf(" %d scenarios were left out.", n)
	}
}
