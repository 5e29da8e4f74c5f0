package author

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/cli/app"
	"github.com/mcphub/mcphub/internal/cli/images"
	"github.com/mcphub/mcphub/internal/cli/members"

	"github.com/mcphub/mcphub/internal/bundle"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/install"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
	"github.com/mcphub/mcphub/internal/wire"
	"github.com/spf13/cobra"
)

type publishOptions struct {
	*app.App
	dryRun       bool
	allowSecrets bool
	timeout      time.Duration
	base         string
	fromImage    string
	assemble     bool
	members      members.Picked
	published    []any // what was, for JSON
}

func NewPublish(a *app.App) *cobra.Command {
	o := &publishOptions{App: a}
	c := &cobra.Command{
		Use:   "publish",
		Short: "Publish the server that mcp.json describes",
		Long: "Publish checks mcp.json by the hub's own rules, packs the files the server is started from (what .gitignore\n" +
			"and .mcpmignore name stays out), refuses files that look like secrets, uploads, and follows the hub's\n" +
			"checks to their end. Running it again after a broken connection is safe: a version is published once.\n" +
			"In a workspace -w and --filter publish members, each after those it needs; where mcp.json says \"workspace:^\"\n" +
			"of another member, the hub gets the range that this stands for.\n\n" +
			"With \"runtime\": \"docker\" the server becomes a container image that the hub keeps: a static program for Linux as it is, and\n" +
			"NAME-linux-arm64 beside it for that platform; what node or python start on the --base that has them; a Dockerfile by the\n" +
			"engine of this machine. --from-image publishes an image that is in a registry already, by its digest.",
		Example: "  mcpm publish --dry-run\n  mcpm publish\n  mcpm publish -C packages/weather --json\n  mcpm publish --base docker.io/library/node@sha256:0123...\n  mcpm publish --from-image ghcr.io/acme/weather:1.4.0\n  mcpm publish --filter './servers/*'",
		Args:    app.Args(0, 0, "no argument; use -C DIR for another directory"),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.members.Flags(c)
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be published, send nothing")
	c.Flags().BoolVar(&o.allowSecrets, "allow-secrets", false, "publish files although they look like secrets")
	c.Flags().StringVar(&o.base, "base", "", "the `IMAGE` by digest that the server's image is made on, with \"runtime\": \"docker\"")
	c.Flags().BoolVar(&o.assemble, "assemble", false, "make the image without a container engine, even where there is a Dockerfile")
	c.Flags().StringVar(&o.fromImage, "from-image", "", "publish the `IMAGE` that is in a registry already")
	c.MarkFlagsMutuallyExclusive("from-image", "base")
	c.MarkFlagsMutuallyExclusive("from-image", "assemble")
	c.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long to follow the hub's checks")
	return c
}

// parcel is what is going to be published.
type parcel struct {
	project   install.Project
	name      hub.Name
	manifest  *manifest.Manifest
	canonical []byte
	replaced  []byte // mcp.json as it is published, where that is not as it is here
	files     []bundle.File
	archive   *os.File // the bundle, nil when there is none
	bundle    hub.Bundle
	warnings  []hub.Issue
	there     bool // the hub has this version already

	image      *images.Image // to be pushed, nil when there is none
	repository string        // where to
	reference  string        // the image that is started, by digest, "" when none was put in place of a command
	unbuild    func()        // removes what was built
}

func (p *parcel) close() {
	if p.unbuild != nil {
		p.unbuild()
	}
	if p.archive != nil {
		p.archive.Close()
		os.Remove(p.archive.Name())
	}
}

// run publishes the server here, or the members of the workspace that were named. The first that fails ends it.
func (o *publishOptions) run(ctx context.Context) error {
	if !o.members.Any() {
		err := o.one(ctx)
		if o.JSON && len(o.published) > 0 {
			app.PrintJSON(o.IO, o.published[0])
		}
		return err
	}
	dirs, err := o.members.Choose(o.App)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		o.Dir = dir
		o.Reload()
		if err = o.one(ctx); err != nil {
			break
		}
	}
	if o.JSON {
		app.PrintJSON(o.IO, map[string]any{"published": append([]any{}, o.published...)})
	}
	return err
}

func (o *publishOptions) one(ctx context.Context) error {
	p, err := o.read()
	if err != nil {
		return err
	}
	defer p.close()
	if o.members.Any() && !o.JSON {
		o.IO.Notef("%s\n", o.IO.Bold(p.name.String()+" "+p.manifest.Version))
	}
	if err := o.image(ctx, p); err != nil {
		return err
	}
	if err := o.pack(p); err != nil {
		return err
	}
	c, err := o.ClientFor(p.name)
	if err != nil && !o.dryRun {
		return err
	}
	o.step("mcp.json", "valid%s", countWarnings(p.warnings))
	if p.archive != nil {
		o.step("bundle", "%s, %s, %s", app.Plural(len(p.files), "file"), size(p.bundle.Size), p.bundle.Integrity[:20]+"...")
	}
	if p.image != nil {
		o.step("image", "%s, %s, %s", app.Plural(len(p.files), "file"), strings.Join(p.image.Platforms, " and "), p.image.Digest[:19]+"...")
	} else if p.reference != "" {
		o.step("image", "%s", p.reference)
	}
	if c != nil {
		o.since(ctx, c, p)
	}
	if o.dryRun {
		return o.preview(p)
	}
	if err := o.pushImage(ctx, p); err != nil {
		return err
	}
	pub, err := o.upload(ctx, c, p)
	if err != nil {
		return err
	}
	return o.follow(ctx, c, p, pub)
}

// step prints one labelled line of progress.
func (o *publishOptions) step(label, format string, args ...any) {
	if !o.JSON {
		o.IO.Notef("  %s%s\n", o.IO.Dim(fmt.Sprintf("%-14s", label)), o.IO.Wrap(app.Clean(fmt.Sprintf(format, args...)), 16))
	}
}

// read reads and checks the manifest.
func (o *publishOptions) read() (*parcel, error) {
	p := &parcel{project: install.FindProject(o.Dir)}
	text, err := install.ReadFile(p.project.Manifest(), 4<<20)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return nil, hub.Errorf(hub.NotFound, "there is no mcp.json in %s or above it", o.Dir).WithHint("mcpm init writes one")
	}
	written := text
	if text, err = members.Unlocal(o.App, text); err != nil {
		return nil, err
	}
	if !bytes.Equal(text, written) {
		p.replaced = text
	}
	m, issues, err := manifest.Parse(text)
	if err != nil {
		return nil, err
	}
	if o.fromImage != "" && len(m.Servers) == 0 { // the image alone says how it is started
		m.Servers = map[string]manifest.ServerSpec{"default": {Command: "docker", Args: []string{"run", "-i", "--rm", o.fromImage}}}
	}
	issues = append(issues, m.Validate(manifest.ForPublish)...)
	manifest.Locate(text, issues)
	if err := findErrors(issues); err != nil {
		return nil, err
	}
	for _, i := range issues {
		if i.Severity == hub.SeverityWarning {
			p.warnings = append(p.warnings, i)
			line := ""
			if i.Line > 0 {
				line = fmt.Sprintf(" line %d", i.Line)
			}
			o.IO.Warnf("mcp.json%s: %s", line, app.Clean(strings.TrimPrefix(i.Path+": "+i.Message, ": ")))
		}
	}
	if p.name, err = hub.ParseName(m.Name); err != nil {
		return nil, err
	}
	p.manifest, p.canonical = m, m.Canonical()
	return p, nil
}

// pack makes the bundle when the server is started from files of the project.
func (o *publishOptions) pack(p *parcel) error {
	root := p.project.Dir
	if !p.manifest.NeedsBundle() {
		o.leftBehind(p)
		return nil
	}
	files, err := o.choose(p)
	if err != nil {
		return err
	}
	p.files = files
	for i := range p.files {
		if p.files[i].Path == install.ManifestFile && p.replaced != nil {
			p.files[i].Content, p.files[i].Size = p.replaced, int64(len(p.replaced))
		}
	}
	if err := o.hasCommands(p); err != nil {
		return err
	}
	if p.archive, err = os.CreateTemp("", "mcpm-bundle-*.tgz"); err != nil {
		return err
	}
	_ = os.Remove(p.archive.Name()) // where an open file can be: nothing is left behind then, however mcpm ends
	p.bundle, err = bundle.Write(p.archive, root, p.files, bundle.Options{})
	return err
}

func countWarnings(w []hub.Issue) string {
	if len(w) == 0 {
		return ""
	}
	return ", " + app.Plural(len(w), "warning")
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.0f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

// preview is the answer of --dry-run.
func (o *publishOptions) preview(p *parcel) error {
	if o.JSON {
		files := []string{}
		for _, f := range p.files {
			files = append(files, f.Path)
		}
		answer := map[string]any{
			"name": p.name.String(), "version": p.manifest.Version, "dryRun": true, "files": files,
			"size": p.bundle.Size, "integrity": p.bundle.Integrity, "manifestDigest": trust.SHA256(p.canonical),
		}
		if p.reference != "" {
			answer["image"] = p.reference
		}
		o.published = append(o.published, answer)
		return nil
	}
	for _, f := range p.files {
		o.IO.Printf("%9s  %s\n", size(f.Size), app.Clean(f.Path))
	}
	o.IO.Notef("Nothing was published (--dry-run).\n")
	return nil
}

// upload sends the parcel. Its key follows from its content, so that the same publish sent twice, even by
// another run of mcpm, is one.
func (o *publishOptions) upload(ctx context.Context, c *wire.Client, p *parcel) (*wire.Publication, error) {
	sum := sha256.Sum256([]byte(p.name + "\n" + hub.Name(p.manifest.Version) + "\n" + hub.Name(trust.SHA256(p.canonical)) + "\n" + hub.Name(p.bundle.Digest)))
	u := wire.Upload{Name: string(p.name), Manifest: p.canonical, Key: hex.EncodeToString(sum[:16])}
	if p.archive != nil {
		u.Size = p.bundle.Size
		u.SHA256, _ = hex.DecodeString(strings.TrimPrefix(p.bundle.Digest, "sha256:"))
		u.Bundle = func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(p.archive, 0, p.bundle.Size)), nil
		}
		bar := o.IO.Progress("uploading", p.bundle.Size)
		defer bar.Done()
		u.Progress = bar.Set
	}
	pub, err := c.Publish(ctx, u)
	if hub.KindOf(err) == hub.Unauthenticated {
		return nil, hub.Errorf(hub.Unauthenticated, "publishing needs a login at %s", c.Base()).WithHint("mcpm login").WithCause(err)
	}
	return pub, err
}

// stageWords are how the stages of a publication are called here.
var stageWords = map[hub.State]string{
	hub.Submitted: "uploading", hub.Validating: "validating", hub.Scanning: "scanning", hub.InReview: "review",
}

// follow prints each stage as it ends, until the version is published or rejected.
func (o *publishOptions) follow(ctx context.Context, c *wire.Client, p *parcel, pub *wire.Publication) error {
	shown := 0
	deadline := time.Now().Add(o.timeout)
	for wait := 100 * time.Millisecond; ; wait = min(wait*3/2, 2*time.Second) {
		for ; shown < len(pub.Stages); shown++ {
			st := pub.Stages[shown]
			if p.there && !pub.State.Pending() {
				continue // they ran then
			}
			if word := stageWords[st.State]; word != "" && (shown+1 < len(pub.Stages) || !pub.State.Pending()) {
				o.step(word, "%s", app.First(st.Reason, "done"))
			} else if word != "" {
				break // still at it
			}
		}
		if !pub.State.Pending() {
			break
		}
		if time.Now().After(deadline) {
			return hub.Errorf(hub.Unavailable, "%s %s is still %s after %s", p.name, p.manifest.Version, app.StateWord(pub.State), o.timeout).
				WithHint("the hub goes on by itself; mcpm publish again follows it")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		next, err := c.Publication(ctx, string(p.name), p.manifest.Version)
		if err != nil {
			return err
		}
		pub = next
	}
	if o.JSON {
		o.published = append(o.published, pub)
	}
	if pub.State == hub.Rejected {
		return app.No(hub.Errorf(hub.Invalid, "%s %s was rejected: %s", p.name, p.manifest.Version, app.First(pub.Message, "no reason was given")).
			WithHint("mend it and publish a new version; this number is not used again"))
	}
	if !o.JSON {
		mark := o.IO.Green("+")
		if p.there {
			mark = o.IO.Dim("=")
			o.step("published", "before, with the same content; nothing changed")
		}
		o.IO.Printf("%s %s   %s\n", mark, o.IO.Accent(p.name.String()+" "+p.manifest.Version), c.Base()+"/servers/"+p.name.String())
	}
	return nil
}
