package beside

import (
	"context"
	"errors"

	"github.com/mcphub/mcphub/internal/hub"
)

func indexRebuild(run func(string, func(f *indexFix))) {
	run("Rebuild switches to what it filled, and finds the old until then", func(f *indexFix) {
		f.put(doc("old", "acme/old", "word"))
		err := f.Rebuild(f.ctx, func(put func(context.Context, []hub.Document) error) error {
			if err := put(f.ctx, []hub.Document{doc("new", "acme/new", "word")}); err != nil {
				return err
			}
			f.want(hub.SearchQuery{Text: "word"}, "old")
			return put(f.ctx, []hub.Document{doc("new2", "acme/new2", "word")})
		})
		if err != nil {
			f.Fatal(err)
		}
		f.want(hub.SearchQuery{Text: "word"}, "new new2")
		f.put(doc("more", "acme/more", "word"))
		f.count(3)
		f.want(hub.SearchQuery{Text: "old"}, "")
	})
	run("Rebuild leaves the old when fill fails", func(f *indexFix) {
		f.put(doc("old", "acme/old", "word"))
		broken := errors.New("broken")
		err := f.Rebuild(f.ctx, func(put func(context.Context, []hub.Document) error) error {
			return errors.Join(put(f.ctx, []hub.Document{doc("new", "acme/new", "word")}), broken)
		})
		if !errors.Is(err, broken) {
			f.Error(err)
		}
		f.want(hub.SearchQuery{Text: "word"}, "old")
		f.put(doc("more", "acme/more", "word"))
		f.want(hub.SearchQuery{Text: "word"}, "more old")
	})
}
