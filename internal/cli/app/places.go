package app

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/mcphub/mcphub/internal/secret"
)

// TellPlaces tells where secrets went: once for each place and reason. That one is not in the keychain is said even with
// -q; what that means is said at length when the first one goes there.
func (a *App) TellPlaces(done Stored) {
	by := map[string][]string{} // by the reason, "" for the keychain
	for _, k := range slices.Sorted(maps.Keys(done.Kept)) {
		why := ""
		switch kept := done.Kept[k]; {
		case kept.Why != nil:
			why = kept.Why.Error()
		case kept.Place == secret.InFile:
			why = "MCPM_SECRETS=file"
		}
		by[why] = append(by[why], k)
	}
	for _, why := range slices.Sorted(maps.Keys(by)) {
		names := AndList(by[why])
		it, its, is := "It is", "Its", "is"
		if len(by[why]) > 1 {
			it, its, is = "They are", "Their", "are"
		}
		if why == "" {
			a.IO.Notef("%s %s in the system keychain.\n", names, is)
			continue
		}
		if done.Told && a.IO.Verbosity < 1 {
			a.IO.Warnf("%s %s in the encrypted file, not in the system keychain: %s", names, is, why)
			continue
		}
		a.IO.Warnf("%s %s not in the system keychain: %s", names, is, why)
		if done.File.Key != "" {
			a.IO.Notef("%s in %s, encrypted with MCPM_SECRETS_KEY, which mcpm run needs too.\n", it, done.File.Path())
			continue
		}
		a.IO.Notef("%s in %s, encrypted. %s key is beside it, in %s: who can read both files can read the secret. mcpm help secrets tells how to keep the key elsewhere.\n",
			it, done.File.Path(), its, filepath.Base(done.File.KeyPath()))
	}
}
