package term

import (
	"context"
	"os"

	"charm.land/huh/v2"
)

// Pick lets a person choose among options, all of which are chosen at first. Where the keyboard is no terminal
// all are taken. It ends with context.Canceled when the person leaves.
func (t *IO) Pick(ctx context.Context, question string, options []string) ([]bool, error) {
	taken := make([]bool, len(options))
	if f, ok := t.In.(*os.File); !ok || !isTTY(f) {
		for i := range taken {
			taken[i] = true
		}
		return taken, nil
	}
	var list []huh.Option[int]
	for i, s := range options {
		list = append(list, huh.NewOption(Clean(s), i).Selected(true))
	}
	var got []int
	form := huh.NewForm(huh.NewGroup(huh.NewMultiSelect[int]().Title(question).
		Description("space leaves one out or takes it, enter goes on").Options(list...).Height(min(len(list), 15) + 2).Value(&got))).WithInput(t.In).WithOutput(t.Err)
	if err := form.RunWithContext(ctx); err != nil {
		if err == huh.ErrUserAborted {
			return nil, context.Canceled
		}
		return nil, err
	}
	for _, i := range got {
		taken[i] = true
	}
	return taken, nil
}
