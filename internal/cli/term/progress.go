package term

import (
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars is the one display that all running transfers share, a line each.
type bars struct {
	mu   sync.Mutex
	pool *mpb.Progress
	open int
}

// Progress is a bar for one transfer. The zero value shows nothing.
type Progress struct {
	display *bars
	bar     *mpb.Bar
}

// Progress starts a bar on Err for total bytes, below those that are there. Without a terminal, or with -q, there is none.
// It may be called by many at once; each takes its bar away with Done.
func (t *IO) Progress(label string, total int64) *Progress {
	if !t.ErrTTY || t.Verbosity < 0 {
		return &Progress{}
	}
	t.bars.mu.Lock()
	defer t.bars.mu.Unlock()
	if t.bars.pool == nil {
		t.bars.pool = mpb.New(mpb.WithOutput(t.Err), mpb.WithWidth(40), mpb.WithAutoRefresh())
	}
	t.bars.open++
	return &Progress{&t.bars, newBar(t.bars.pool, label, total)}
}

func newBar(pool *mpb.Progress, label string, total int64) *mpb.Bar {
	if total <= 0 { // nobody knows how much it is
		return pool.New(0, mpb.SpinnerStyle("|", "/", "-", "\\").PositionLeft(), mpb.BarWidth(1), mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(" ")), mpb.AppendDecorators(decor.Name(label)))
	}
	return pool.New(total, mpb.BarStyle().Lbound("").Filler("=").Tip("").Padding(" ").Rbound(""),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("  "+label+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")),
	)
}

// Set moves the bar to n bytes.
func (p *Progress) Set(n int64) {
	if p.bar != nil {
		p.bar.SetCurrent(n)
	}
}

// Done takes the bar away, and with the last one the display.
func (p *Progress) Done() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.display.mu.Lock()
	defer p.display.mu.Unlock()
	if p.display.open--; p.display.open == 0 {
		p.display.pool.Wait()
		p.display.pool = nil
	}
}
