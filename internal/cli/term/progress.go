package term

import (
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress is a bar for one transfer. The zero value shows nothing.
type Progress struct {
	pool *mpb.Progress
	bar  *mpb.Bar
}

// Progress starts a bar on Err for total bytes. Without a terminal, or with -q, there is none.
func (t *IO) Progress(label string, total int64) *Progress {
	if !t.ErrTTY || t.Verbosity < 0 {
		return &Progress{}
	}
	pool := mpb.New(mpb.WithOutput(t.Err), mpb.WithWidth(40), mpb.WithAutoRefresh())
	if total <= 0 { // nobody knows how much it is
		return &Progress{pool, pool.New(0, mpb.SpinnerStyle("|", "/", "-", "\\").PositionLeft(), mpb.BarWidth(1), mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(" ")), mpb.AppendDecorators(decor.Name(label)))}
	}
	bar := pool.New(total, mpb.BarStyle().Lbound("").Filler("=").Tip("").Padding(" ").Rbound(""),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("  "+label+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")),
	)
	return &Progress{pool, bar}
}

// Set moves the bar to n bytes.
func (p *Progress) Set(n int64) {
	if p.bar != nil {
		p.bar.SetCurrent(n)
	}
}

// Done takes the bar away.
func (p *Progress) Done() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.pool.Wait()
	}
}
