package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/mcphub/mcphub/internal/backend/sqlstore"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/manifest"
	"github.com/mcphub/mcphub/internal/trust"
	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
)

// row is one version of the synthetic catalogue.
type row struct {
	server *apiv0.ServerJSON
	at     time.Time
}

var (
	subjects = strings.Fields("postgres mysql sqlite redis kafka github gitlab jira slack calendar mail weather maps search browser files notes tasks invoice payment stock crypto music video image pdf excel word chart log metric trace docker kubernetes terraform aws azure gcp dns ssh backup archive translate speech vision robot sensor drone camera door light heat water energy recipe travel hotel flight train parcel shop price review news blog wiki forum chat poll survey exam course book paper patent law court tax bank loan insurance health fitness sleep diet")
	verbs    = strings.Fields("query read write list create update delete watch export import convert compare summarise translate index monitor schedule send receive plan review test deploy scan")
)

// catalogue makes the rows: n servers with versions in all, the same ones for the same numbers.
func catalogue(servers, versions int) []row {
	rng := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := make([]row, 0, versions)
	for i := range servers {
		n := versions / servers
		if i < versions%servers {
			n++
		}
		subject, verb := subjects[rng.IntN(len(subjects))], verbs[rng.IntN(len(verbs))]
		name := fmt.Sprintf("io.github.owner%05d/%s-%s", (i*7919)%servers, subject, verb)
		for v := range n {
			rows = append(rows, row{server: serverJSON(rng, name, subject, verb, v), at: start.Add(time.Duration(i*7+v) * time.Minute)})
		}
	}
	return rows
}

func serverJSON(rng *rand.Rand, name, subject, verb string, v int) *apiv0.ServerJSON {
	version := fmt.Sprintf("1.%d.%d", v, rng.IntN(9))
	owner, base, _ := strings.Cut(strings.TrimPrefix(name, "io.github."), "/")
	required := model.KeyValueInput{Name: strings.ToUpper(subject) + "_TOKEN"}
	required.Description, required.IsRequired, required.IsSecret = "Token for the "+subject+" service", true, true
	optional := model.KeyValueInput{Name: "LOG_LEVEL"}
	optional.Description, optional.Default, optional.Choices = "How much to log", "info", []string{"debug", "info", "warn", "error"}
	return &apiv0.ServerJSON{
		Schema: model.CurrentSchemaURL, Name: name, Version: version, Title: strings.ToUpper(subject[:1]) + subject[1:] + " " + verb,
		Description: fmt.Sprintf("Lets an assistant %s %s data and answer questions about it.", verb, subject),
		Repository:  &model.Repository{URL: "https://github.com/" + owner + "/" + base, Source: "github"},
		WebsiteURL:  "https://" + owner + ".example.com/" + base,
		Packages: []model.Package{{RegistryType: model.RegistryTypeNPM, Identifier: "@" + owner + "/" + base, Version: version, RunTimeHint: "npx",
			Transport: model.Transport{Type: "stdio"}, EnvironmentVariables: []model.KeyValueInput{required, optional}}},
	}
}

// seedHub fills a store of ours; rows that are there already cost nothing.
func seedHub(ctx context.Context, url string, rows []row) error {
	store, err := sqlstore.Open(ctx, url, sqlstore.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Relaxed: true})
	if err != nil {
		return err
	}
	defer store.Close()
	_, have, err := store.CountServers(ctx)
	if err != nil || have == int64(len(rows)) {
		return err
	}
	for i, r := range rows {
		srv, v, err := stored(r)
		if err != nil {
			return err
		}
		srv.ID, v.ID, v.ServerID = fmt.Sprintf("01900000-0000-7000-8000-%012d", i), fmt.Sprintf("01900001-0000-7000-8000-%012d", i), fmt.Sprintf("01900000-0000-7000-8000-%012d", i)
		if _, err := store.Import(ctx, srv, v, hub.Event{At: r.at, Actor: "system", Action: "version.published", Subject: v.ID, Name: string(srv.Name)}); err != nil {
			return fmt.Errorf("seed %s %s: %w", srv.Name, v.Version, err)
		}
	}
	return nil
}

func stored(r row) (*hub.Server, *hub.Version, error) {
	m := manifest.FromServerJSON(r.server)
	raw, err := json.Marshal(r.server)
	if err != nil {
		return nil, nil, err
	}
	srv := manifest.ServerFacts(m)
	srv.Name, srv.Origin, srv.CreatedAt = hub.Name(r.server.Name), "bench", r.at
	canonical := m.Canonical()
	v := &hub.Version{Name: srv.Name, Version: r.server.Version, State: hub.Published, Format: hub.FormatServer, Manifest: canonical,
		ManifestDigest: trust.SHA256(canonical), ServerJSON: raw, Facts: manifest.Facts(m, false), Mirrored: true,
		CreatedAt: r.at, PublishedAt: r.at, UpdatedAt: r.at, StatusChangedAt: r.at}
	srv.Score = hub.Score(&srv, v.Facts, false)
	return &srv, v, nil
}
