// Package oci is the door for container images: the hub as an OCI registry at /v2/. What is stored, and how it is
// checked, is the storage of the distribution project; this room has the requests, who may make them (the token
// protocol of that project, on accounts and API keys), what a published version holds fast, quotas, and garbage.
package oci

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"

	"github.com/mcphub/mcphub/internal/auth"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
)

// Catalogue is what this room asks of the registry of servers.
type Catalogue interface {
	// ImagesOf returns the images that the visible versions of a namespace's servers are started from.
	ImagesOf(ctx context.Context, namespace string) ([]registry.ImageUse, error)

	// MayPushImages fails unless the actor may push images to a namespace.
	MayPushImages(actor hub.Actor, namespace string) error

	// Generation changes whenever something a reader could see changed.
	Generation() (local uint64, seen int64)
}

// Config is what the door is made from.
type Config struct {
	Storage   driver.StorageDriver
	Catalogue Catalogue
	Auth      *auth.Service
	Limiter   hub.Limiter // of guessed passwords
	Settings  hub.Settings
	Log       *slog.Logger
	Now       func() time.Time

	BaseURL string                     // public address of the hub
	Client  func(*http.Request) string // address of the network a request comes from, as limits count it; nil: the peer
	Quota   int64                      // bytes of images a namespace may have, 0 for no limit
}

// Limits of a request.
const (
	maxBlob     = 16 << 30         // bytes of one layer, where no quota says less
	maxTagsPage = 1000             // tags in one answer
	idle        = time.Minute      // a body that moves no byte for so long is given up
	maxTransfer = 6 * time.Hour    // longest request
	idleRenewal = 10 * time.Second // how often the time of a moving body is put off
)

// Service is the registry of images.
type Service struct {
	Config
	images distribution.Namespace
	host   string // of BaseURL, with a port unless it is the usual one; the service of tokens
	base   *url.URL
	usage  usages
	uses   useCache
	locks  locks
	busy   sync.Map // uploads that a request is writing to
}

// New makes the registry of images.
func New(ctx context.Context, c Config) (*Service, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, err
	}
	// The storage logs through a variable of its own; what goes wrong there comes back as an error, and is logged
	// here with the request.
	logrus.SetOutput(io.Discard)
	images, err := storage.NewRegistry(ctx, c.Storage, storage.EnableDelete, storage.EnableValidateImageIndexImagesExist,
		storage.ManifestURLsDenyRegexp(regexp.MustCompile(""))) // every address: no layer's bytes are somewhere else
	if err != nil {
		return nil, err
	}
	return &Service{Config: c, images: images, host: hostOf(u), base: u}, nil
}

// hostOf returns host and port of an address, without a port that its scheme implies, in lower case.
func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

// locks lets one request at a time change the manifests of a repository.
type locks [64]sync.Mutex

func (l *locks) of(name string) *sync.Mutex {
	n := uint32(2166136261) // FNV-1a
	for i := range len(name) {
		n = (n ^ uint32(name[i])) * 16777619
	}
	return &l[n%uint32(len(l))]
}
