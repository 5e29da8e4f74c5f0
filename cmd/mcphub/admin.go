package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/backend/blobstore"
	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/mcphub/mcphub/internal/search"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newAdmin() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", Short: "Look after a hub: accounts, keys, namespaces, index, images, backups",
		Long: "Look after a hub, on the machine where its database can be reached. Works beside a running hub and without one."}
	user := &cobra.Command{Use: "user", Short: "Accounts", RunE: needsVerb}
	cmd.RunE = needsVerb
	user.AddCommand(newUserAdd(), newUserList(), newUserSwitch("disable", true), newUserSwitch("enable", false), newUserPassword())
	cmd.AddCommand(user, newAdminKey(), newAdminNamespace(), newAdminReindex(), newAdminImages(), newBackup(), newRestore())
	return cmd
}

// needsVerb answers a group of commands that was called without one of them.
func needsVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return hub.Errorf(hub.Invalid, "%s has no command %q", cmd.CommandPath(), args[0]).WithHint("%s --help lists them", cmd.CommandPath())
}

// desk is what the admin commands work with.
type desk struct {
	config   *config
	store    *sqlstore.Store
	blobs    *blobstore.Store
	auth     *auth.Service
	registry *registry.Service
	actor    hub.Actor
}

// atDesk opens the store of a hub that is there for an admin command, and closes it after.
func atDesk(cmd *cobra.Command, fn func(context.Context, *desk) error) error {
	c, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	if file := filepath.Join(c.Data, databaseFile); c.Database == "" && !isFile(file) {
		return hub.Errorf(hub.NotFound, "there is no hub in %s", c.Data).
			WithHint("name its directory with --data DIR or its database with --database URL; mcphub serve makes a new one")
	}
	return atNewDesk(cmd, fn)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// atNewDesk is atDesk for a hub that may not be there yet.
func atNewDesk(cmd *cobra.Command, fn func(context.Context, *desk) error) error {
	c, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	log, err := newLog(c)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	store, err := openStore(ctx, c, log, false)
	if err != nil {
		return err
	}
	defer store.Close()
	a, err := auth.New(ctx, store, now)
	if err != nil {
		return err
	}
	blobs, err := openBlobs(ctx, c)
	if err != nil {
		return err
	}
	s := registry.New(registry.Config{Store: store, Blobs: blobs, Log: log, Now: now, Worker: "command"})
	return fn(ctx, &desk{config: c, store: store, blobs: blobs, auth: a, registry: s, actor: hub.System("mcphub admin")})
}

func newUserAdd() *cobra.Command {
	var email string
	var admin bool
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make an account; the password is read from standard input", Args: cobra.ExactArgs(1),
		Example: `  mcphub admin user add acme --email dev@acme.example
  printf %s "$PASSWORD" | mcphub admin user add root-admin --email ops@acme.example --admin`,
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := readPassword(cmd)
			if err != nil {
				return err
			}
			role := hub.RoleUser
			if admin {
				role = hub.RoleAdmin
			}
			return atNewDesk(cmd, func(ctx context.Context, d *desk) error {
				a, err := d.auth.CreateAccount(ctx, d.actor, auth.NewAccount{Name: args[0], Email: email, Password: password, Role: role})
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s may publish to @%s\n", a.Name, a.Name)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "e-mail address")
	cmd.Flags().BoolVar(&admin, "admin", false, "make an administrator")
	_ = cmd.MarkFlagRequired("email") // the flag exists
	return cmd
}

// readPassword asks on a terminal, hidden and twice, and reads one line otherwise.
func readPassword(cmd *cobra.Command) (string, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
		one, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprint(cmd.ErrOrStderr(), "\nOnce more: ")
		if err != nil {
			return "", err
		}
		two, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		if err == nil && string(one) != string(two) {
			return "", hub.Errorf(hub.Invalid, "the two passwords differ")
		}
		return string(one), err
	}
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func newUserList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List accounts", Args: cobra.NoArgs, Example: "  mcphub admin user list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				all, err := d.store.Accounts(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "name\temail\trole\tstate\tnamespaces")
				for _, a := range all {
					spaces, err := d.store.NamespacesOf(ctx, a.ID)
					if err != nil {
						return err
					}
					state := "active"
					if a.Disabled {
						state = "disabled"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Name, a.Email, a.Role, state, strings.Join(spaces, ", "))
				}
				return w.Flush()
			})
		}}
}

func newUserSwitch(verb string, disabled bool) *cobra.Command {
	short := map[bool]string{true: "Disable an account: its sessions and keys end", false: "Let a disabled account sign in again"}[disabled]
	return &cobra.Command{Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1), Example: "  mcphub admin user " + verb + " acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				a, err := d.store.Account(ctx, args[0])
				if err != nil {
					return err
				}
				if err := d.auth.SetDisabled(ctx, d.actor, a, disabled); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is %sd\n", a.Name, verb)
				return nil
			})
		}}
}

func newUserPassword() *cobra.Command {
	return &cobra.Command{Use: "password NAME", Short: "Set a new password; it is read from standard input", Args: cobra.ExactArgs(1),
		Example: "  mcphub admin user password acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := readPassword(cmd)
			if err != nil {
				return err
			}
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				a, err := d.store.Account(ctx, args[0])
				if err != nil {
					return err
				}
				if err := d.auth.SetPassword(ctx, d.actor, a, password); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s has a new password\n", a.Name)
				return nil
			})
		}}
}

func newAdminKey() *cobra.Command {
	var name string
	var scopes []string
	var days int
	cmd := &cobra.Command{
		Use: "key ACCOUNT", Short: "Make an API key for an account; it is shown once", Args: cobra.ExactArgs(1),
		Example: "  mcphub admin key acme --scope publish --name ci --days 90",
		RunE: func(cmd *cobra.Command, args []string) error {
			var list []hub.Scope
			for _, scope := range scopes {
				if scope != string(hub.ScopeRead) && scope != string(hub.ScopePublish) && scope != string(hub.ScopeAdmin) {
					return hub.Errorf(hub.Invalid, "scope %q is not one of read, publish, admin", scope)
				}
				list = append(list, hub.Scope(scope))
			}
			if days < 0 {
				return hub.Errorf(hub.Invalid, "days %d is below 0", days)
			}
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				a, err := d.store.Account(ctx, args[0])
				if err != nil {
					return err
				}
				_, secret, err := d.auth.IssueKey(ctx, d.actor, a.ID, name, list, time.Duration(days)*24*time.Hour)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), secret)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "mcphub admin", "what the key is called")
	cmd.Flags().StringSliceVar(&scopes, "scope", []string{"read"}, "read, publish or admin")
	cmd.Flags().IntVar(&days, "days", 0, "days until it ends, 0 for never")
	return cmd
}

func newAdminNamespace() *cobra.Command {
	return &cobra.Command{
		Use: "namespace SCOPE ACCOUNT", Short: "Give a namespace to an account", Args: cobra.ExactArgs(2),
		Example: "  mcphub admin namespace io.github.acme acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				if err := d.registry.ClaimNamespace(ctx, d.actor, args[0], args[1]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s may publish to %s\n", args[1], args[0])
				return nil
			})
		},
	}
}

func newAdminReindex() *cobra.Command {
	return &cobra.Command{
		Use: "reindex", Short: "Fill the search index anew", Args: cobra.NoArgs, Example: "  mcphub admin reindex",
		Long: "Ask every hub on this database to fill its search index anew from the store. A running hub starts within a second; one that is not running does at its next start.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return atDesk(cmd, func(ctx context.Context, d *desk) error {
				if err := search.AskReindex(ctx, d.store); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "The search index is filled anew by the running hub, or at the next start.")
				return nil
			})
		},
	}
}
