// Package export is mcpm export: what is installed, in the formats of others. It writes what the lockfile says and asks
// no network, and the same lockfile gives the same bytes.
package export

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/typed"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/spf13/cobra"
)

// The formats.
const (
	formatServer    = "server.json"
	formatCompose   = "compose"
	formatMCPB      = "mcpb"
	formatSBOM      = "sbom"
	formatCycloneDX = "cyclonedx"
	formatSPDX      = "spdx"
	formatOCI       = "oci"
)

var formats = []string{formatServer, formatCompose, formatMCPB, formatSBOM, formatCycloneDX, formatSPDX, formatOCI}

type exportOptions struct {
	*app.App
	format string
	file   string
	base   string
	global bool
	names  []hub.Name
}

// NewExport makes the command export.
func NewExport(a *app.App) *cobra.Command {
	o := &exportOptions{App: a}
	c := &cobra.Command{
		Use:   "export [NAME...] --format FORMAT",
		Short: "Write what is installed in another format",
		Long: "Export writes what is locked, without asking a hub:\n\n" +
			"  sbom, cyclonedx  a bill of materials as CycloneDX 1.6: servers, and every pinned package of npm and PyPI, and archives\n" +
			"  spdx             the same as SPDX 2.3\n" +
			"  server.json      one server, as the official registry describes it\n" +
			"  compose          the servers that are container images, for docker compose\n" +
			"  mcpb             one server of a bundle or npm with its files, for a host application that takes MCP bundles\n" +
			"  oci              one server as a container image, a tar archive that podman load and skopeo take; what is no static program\n" +
			"                   for Linux is put on the --base that starts it\n\n" +
			"Without a name all servers are written; with names those, and for a bill all that they need. The same lockfile\n" +
			"gives the same bytes. SPDX demands a time: it is SOURCE_DATE_EPOCH, or 1970.",
		Example: "  mcpm export --format sbom -o sbom.json\n  mcpm export @acme/postgres --format spdx\n  mcpm export @acme/postgres --format server.json\n  mcpm export @acme/weather --format oci -o weather.tar",
		Args:    app.Args(0, -1, "names of servers"),
		RunE: func(c *cobra.Command, args []string) error {
			refs, err := typed.AllInstalled(o.App, args, o.global)
			for _, r := range refs {
				if r.Given {
					return app.Usage("export writes the locked version; %s names another", r.Name).WithHint("mcpm export %s --format %s", r.Name, app.First(o.format, formatSBOM))
				}
				o.names = append(o.names, r.Name)
			}
			if err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	c.Flags().StringVarP(&o.format, "format", "f", "", "the `FORMAT` to write: "+strings.Join(formats, ", "))
	c.Flags().StringVarP(&o.file, "output", "o", "", "write to `FILE` instead of stdout; - is stdout")
	c.Flags().StringVar(&o.base, "base", "", "the `IMAGE` by digest that an image is made on")
	c.Flags().BoolVarP(&o.global, "global", "g", false, "what is installed for all projects")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *exportOptions) run(ctx context.Context) error {
	if !slices.Contains(formats, o.format) {
		if o.format == "" {
			return app.Usage("mcpm export needs a format").WithHint("--format %s", strings.Join(formats, ", "))
		}
		return app.Usage("there is no format %q", o.format).WithHint("--format is one of %s", strings.Join(formats, ", "))
	}
	file, err := o.output()
	if err != nil {
		return err
	}
	if o.base != "" && o.format != formatOCI {
		return app.Usage("--base is for --format oci")
	}
	if o.format == formatOCI {
		return o.oci(ctx, file)
	}
	p, err := o.Project(o.global)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	switch o.format {
	case formatServer:
		err = o.server(&text)
	case formatCompose:
		err = o.compose(&text, p)
	case formatMCPB:
		err = o.mcpb(&text)
	default:
		err = o.bill(&text, p)
	}
	if err != nil {
		return err
	}
	if file == "" {
		_, err = o.IO.Out.Write(text.Bytes())
		return err
	}
	if err := install.WriteFile(file, text.Bytes(), 0o644); err != nil {
		return err
	}
	o.IO.Notef("Wrote %s, %s.\n", file, app.Size(int64(text.Len())))
	return nil
}

// output returns the file to write, "" for stdout. NotFound when its directory is not there: a mistyped path is more
// often a mistake than a wish.
func (o *exportOptions) output() (string, error) {
	if o.file == "" || o.file == "-" {
		return "", nil
	}
	file := o.file
	if !filepath.IsAbs(file) {
		file = filepath.Join(o.Dir, file)
	}
	if isDir(file) {
		return "", app.Usage("%s is a directory", file).WithHint("name a file in it")
	}
	if dir := filepath.Dir(file); !isDir(dir) {
		return "", hub.Errorf(hub.NotFound, "there is no directory %s to write %s in", dir, filepath.Base(file)).WithHint("mkdir -p %s", dir)
	}
	return file, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (o *exportOptions) bill(out io.Writer, p install.Project) error {
	b, missing, err := newBill(o.App, p, o.names)
	if err != nil {
		return err
	}
	if len(b.parts) == 0 {
		return hub.Errorf(hub.NotFound, "nothing is locked in %s", p.Dir).WithHint("mcpm install locks what mcp.json asks for; -g is for all projects")
	}
	if len(missing) > 0 {
		o.IO.Warnf("the licence of %s is left out: it was not fetched on this machine; mcpm install fetches it", app.AndList(missing))
	}
	if o.format != formatSPDX {
		return writeCycloneDX(out, b)
	}
	created := time.Unix(0, 0)
	if s := o.Getenv("SOURCE_DATE_EPOCH"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return app.Usage("SOURCE_DATE_EPOCH %q is no number of seconds", s).WithHint("unset it, or set it to seconds since 1970")
		}
		created = time.Unix(n, 0)
	}
	return writeSPDX(out, b, created)
}

// find opens a locked server. Invalid for a working copy that stands for one: of that nothing is locked.
func (o *exportOptions) find(name hub.Name) (*app.Installed, error) {
	in, err := o.Find(name, o.global)
	if err == nil && in.Locked == nil {
		return nil, hub.Errorf(hub.Invalid, "%s is a working copy in %s, of which nothing is locked", name, in.Bundle).WithHint("mcpm unlink %s", name)
	}
	if err == nil {
		in.Manifest = in.Published // what is written is for other machines
	}
	return in, err
}

// server writes the server.json of one server, from the manifest that was locked.
func (o *exportOptions) server(out io.Writer) error {
	if len(o.names) != 1 {
		return app.Usage("server.json describes one server; %d are named", len(o.names)).WithHint("mcpm export NAME --format server.json")
	}
	in, err := o.find(o.names[0])
	if err != nil {
		return err
	}
	sj, long := in.Manifest.ServerJSON()
	if long != "" {
		o.IO.Warnf("the description was cut to what server.json allows")
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sj)
}
