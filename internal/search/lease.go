package search

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/hub"
)

// leaseTime is how long an engine that several hubs share stands still when the hub that kept it in step dies.
const leaseTime = 30 * time.Second

// lease lets one of the hubs that share an engine change it: two of them at once could write an older state over a
// newer one, and would fill it twice. It is a setting, "WORKER TILL", that is swapped; the clocks of hubs may differ by
// less than half of leaseTime.
type lease struct {
	settings hub.Settings
	key      string
	worker   string
	mine     []byte // what this process stored, nil when it does not hold the lease
	till     time.Time
}

// hold takes the lease or lengthens it; false when another hub has it.
func (l *lease) hold(ctx context.Context) (bool, error) {
	now := time.Now()
	if l.mine != nil && l.till.Sub(now) > leaseTime/2 {
		return true, nil
	}
	have, err := l.settings.Setting(ctx, l.key)
	if hub.KindOf(err) == hub.NotFound {
		have, err = l.settings.SetSettingOnce(ctx, l.key, nil)
	}
	if err != nil {
		return false, err
	}
	worker, until, _ := strings.Cut(string(have), " ")
	if n, err := strconv.ParseInt(until, 10, 64); err == nil && worker != l.worker && now.Before(time.UnixMilli(n)) {
		l.mine = nil
		return false, nil
	}
	till := now.Add(leaseTime)
	next := fmt.Appendf(nil, "%s %d", l.worker, till.UnixMilli())
	ok, err := l.settings.SwapSetting(ctx, l.key, have, next)
	if !ok {
		next = nil
	}
	l.mine, l.till = next, till
	return ok, err
}

// release gives the lease back, so that another hub need not wait for its end.
func (l *lease) release(ctx context.Context) error {
	if l.mine == nil {
		return nil
	}
	mine := l.mine
	l.mine = nil
	_, err := l.settings.SwapSetting(ctx, l.key, mine, nil)
	return err
}
