package watch

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when the inode last changed. Unlike the time of the content, nobody can set it.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return time.Time{}
}
