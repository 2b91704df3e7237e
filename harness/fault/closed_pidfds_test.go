package fault

import "testing"

func TestClosedPidfdsAreTold(t *testing.T) {
	c := closedPidfds{}
	for _, line := range []struct {
		text   string
		thread string
	}{
		{`12  close(9<anon_inode:[pidfd]>) = 0 (DELAYED)`, "12"},
		{`12  close(9<pid:345>)        = 0 (DELAYED)`, "12"},
		{`12  close(9<pipe:[4711]>)    = 0 (DELAYED)`, ""},
		{`13  close(9<anon_inode:[pidfd]> <unfinished ...>`, ""},
		{`14  close(7<pipe:[1]> <unfinished ...>`, ""},
		{`14  <... close resumed>)      = 0 (DELAYED)`, ""},
		{`13  <... close resumed>)      = 0 (DELAYED)`, "13"},
		{`13  <... close resumed>)      = 0 (DELAYED)`, ""},
	} {
		if thread, hit := c.tell(line.text); thread != line.thread || hit != (line.thread != "") {
			t.Errorf("%s: thread %q, hit %v", line.text, thread, hit)
		}
	}
}
