package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// whichHub are the settings that say which hub a command is about: those that help shows where not all apply.
var whichHub = []string{"config", "data", "database", "blobs", "search", "vectors", "log-level"}

// showSettings makes the help of each command show the settings that apply to it: all where a hub is started, those that
// say which hub is meant where one is worked on, none elsewhere. All are taken everywhere.
func showSettings(root *cobra.Command) {
	settings := root.PersistentFlags()
	usage := root.UsageFunc()
	root.SetUsageFunc(func(c *cobra.Command) error {
		wanted, note := settingsOf(c)
		settings.VisitAll(func(f *pflag.Flag) { f.Hidden = !wanted(f.Name) })
		err := usage(c)
		if err == nil && note != "" {
			_, err = fmt.Fprintf(c.OutOrStderr(), "\n%s\n", note)
		}
		return err
	})
}

func settingsOf(c *cobra.Command) (wanted func(string) bool, note string) {
	top := c
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	switch top.Name() {
	case "serve", "config":
		return func(string) bool { return true }, ""
	case "import", "admin":
		return func(name string) bool { return slices.Contains(whichHub, name) }, "mcphub serve --help lists all settings."
	case "sync":
		return func(name string) bool {
			return slices.Contains(whichHub, name) || name == "allow-private-networks"
		}, "mcphub serve --help lists all settings."
	case c.Root().Name():
		return func(string) bool { return false }, "mcphub serve --help lists the settings, mcphub config prints those in force."
	}
	return func(string) bool { return false }, ""
}
