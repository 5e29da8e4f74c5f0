package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/mcphub/mcphub/internal/hub"
	"github.com/mcphub/mcphub/internal/registry"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// config is every setting. A flag wins over a variable (MCPHUB_ and the name in capitals, "-" as "_"),
// a variable over the file, the file over the default.
type config struct {
	Addr           string   `koanf:"addr"`
	Data           string   `koanf:"data"`
	Database       string   `koanf:"database"`
	Blobs          string   `koanf:"blobs"`
	Search         string   `koanf:"search"`
	Vectors        string   `koanf:"vectors"`
	Embedding      string   `koanf:"embedding"`
	EmbeddingKey   string   `koanf:"embedding-key"`
	Cache          string   `koanf:"cache"`
	BaseURL        string   `koanf:"base-url"`
	Role           string   `koanf:"role"`
	AllowAnonymous bool     `koanf:"allow-anonymous-publish"`
	AllowPrivate   bool     `koanf:"allow-private-networks"`
	Starter        bool     `koanf:"starter"`
	RateLimit      int      `koanf:"rate-limit"`
	KeyRateLimit   int      `koanf:"key-rate-limit"`
	TrustedProxies []string `koanf:"trusted-proxies"`
	MaxBundle      int64    `koanf:"max-bundle"`
	ImageQuota     string   `koanf:"image-quota"`
	LogLevel       string   `koanf:"log-level"`
	LogFormat      string   `koanf:"log-format"`
	AccessLog      bool     `koanf:"access-log"`
	McpmVersion    string   `koanf:"mcpm-version"`
	Playground     string   `koanf:"playground"`

	prefix string            // path of BaseURL
	quota  int64             // bytes of ImageQuota
	from   map[string]string // where each setting comes from, for people
}

const envPrefix = "MCPHUB_"

func addConfigFlags(f *pflag.FlagSet) {
	f.String("config", "", "file with the same settings in YAML (default DATA/mcphub.yaml when it is there)")
	f.String("addr", "127.0.0.1:8080", "address to listen on")
	f.String("data", "data", "directory of everything embedded")
	f.String("database", "", "sqlite:PATH or postgres://... (default sqlite in DATA)")
	f.String("blobs", "", "file:///DIR or mem:// (default a directory in DATA)")
	f.String("search", "", "bleve:DIR, bleve: for in memory, opensearch://HOST:PORT/NAME or elasticsearch://... (default a directory in DATA)")
	f.String("vectors", "", "local:DIR, local: for in memory, weaviate://HOST:PORT/NAME, or none (default a directory in DATA)")
	f.String("embedding", "", "URL of an OpenAI-compatible service and its model, https://HOST/v1#MODEL (default built in)")
	f.String("embedding-key", "", "API key of that service; better in MCPHUB_EMBEDDING_KEY")
	f.String("cache", "memory:20MiB", "memory:SIZE")
	f.String("base-url", "", "public address, may carry a path prefix (default from addr)")
	f.String("role", "all", "all, web (answers, no jobs) or worker (jobs, answers health only)")
	f.Bool("allow-anonymous-publish", false, "development only: publish to "+anonymousHelp+" without an account")
	f.Bool("allow-private-networks", false, "let sync reach loopback and private addresses")
	f.Bool("starter", true, "fill a new hub with the starter catalogue")
	f.Int("rate-limit", 3000, "calls a minute from one address, 0 for no limit")
	f.Int("key-rate-limit", 12000, "calls a minute of one account or key, 0 for no limit")
	f.StringSlice("trusted-proxies", nil, "networks whose X-Forwarded-For is believed, such as 10.0.0.0/8")
	f.Int64("max-bundle", 64<<20, "largest bundle, in bytes")
	f.String("image-quota", "10GiB", "container images that a namespace may have, in all, 0 for no limit")
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("log-format", "text", "text or json")
	f.String("mcpm-version", "", "newest mcpm that mcpm is told of, such as 1.4.2, or none (default this release)")
	f.String("playground", "off", "who may try tools on the pages of servers: off, accounts or everyone")
	f.Bool("access-log", false, "log every request, not only those that change or fail")
}

// loadConfig reads the settings in force.
func loadConfig(cmd *cobra.Command) (*config, error) {
	k := koanf.New("\x00") // a delimiter no key contains: names are flat
	flags := cmd.Flags()
	path, err := loadFile(k, flags)
	if err != nil {
		return nil, err
	}
	c := &config{from: origins(flags, path, k.Keys())}
	known := map[string]bool{}
	flags.VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	err = k.Load(env.Provider("\x00", env.Opt{Prefix: envPrefix, TransformFunc: func(key, value string) (string, any) {
		name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(key, envPrefix), "_", "-"))
		if !known[name] || name == "config" {
			return "", nil
		}
		if name == "trusted-proxies" {
			return name, strings.Split(value, ",")
		}
		return name, value
	}}), nil)
	if err != nil {
		return nil, hub.Errorf(hub.Invalid, "settings from the environment: %v", err)
	}
	if err := k.Load(posflag.Provider(flags, "\x00", k), nil); err != nil {
		return nil, hub.Errorf(hub.Invalid, "settings from flags: %v", err)
	}
	if err := k.Unmarshal("", c); err != nil {
		return nil, hub.Errorf(hub.Invalid, "settings: %v", err).WithHint("mcphub serve --help lists them")
	}
	return c, c.complete()
}

// origins says where each setting comes from: the flag, the variable, the file, or the default.
func origins(flags *pflag.FlagSet, path string, inFile []string) map[string]string {
	from := map[string]string{}
	flags.VisitAll(func(f *pflag.Flag) {
		variable := envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		_, set := os.LookupEnv(variable)
		switch {
		case f.Changed:
			from[f.Name] = "--" + f.Name
		case set:
			from[f.Name] = variable
		case slices.Contains(inFile, f.Name):
			from[f.Name] = path
		default:
			from[f.Name] = "default"
		}
	})
	return from
}

// loadFile reads the file of settings, if there is one, and returns where it is.
func loadFile(k *koanf.Koanf, flags *pflag.FlagSet) (string, error) {
	path, _ := flags.GetString("config")
	if path == "" {
		path = os.Getenv(envPrefix + "CONFIG")
	}
	wanted := path != ""
	if !wanted {
		data, _ := flags.GetString("data")
		if v := os.Getenv(envPrefix + "DATA"); v != "" && !flags.Changed("data") {
			data = v
		}
		path = filepath.Join(data, "mcphub.yaml")
	}
	err := k.Load(file.Provider(path), yaml.Parser())
	if errors.Is(err, fs.ErrNotExist) && !wanted {
		return path, nil
	}
	if err != nil {
		return "", hub.Errorf(hub.Invalid, "settings in %s: %v", path, err).WithHint("write one NAME: VALUE a line, with the names of the flags")
	}
	for _, key := range k.Keys() {
		if flags.Lookup(key) == nil {
			return "", hub.Errorf(hub.Invalid, "settings in %s: there is no setting %q", path, key).WithHint("mcphub serve --help lists them")
		}
	}
	return path, nil
}

// complete checks the settings and fills in what follows from others.
func (c *config) complete() error {
	if !slices.Contains([]string{"all", "web", "worker"}, c.Role) {
		return hub.Errorf(hub.Invalid, "role %q is not one of all, web, worker", c.Role)
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return hub.Errorf(hub.Invalid, "addr %q is not HOST:PORT", c.Addr).WithHint("for example 127.0.0.1:8080, or :8080 for every address of this machine")
	}
	if c.BaseURL == "" {
		if ip := net.ParseIP(host); host == "" || (ip != nil && (ip.IsUnspecified() || ip.IsLoopback())) {
			host = "localhost"
		}
		c.BaseURL = "http://" + net.JoinHostPort(host, port)
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return hub.Errorf(hub.Invalid, "base-url %q is not an http or https address", c.BaseURL).WithHint("for example https://hub.example.com or https://example.com/mcp")
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	c.prefix = strings.TrimRight(u.EscapedPath(), "/")
	if c.MaxBundle <= 0 || c.MaxBundle > registry.DefaultMaxBundle {
		return hub.Errorf(hub.Invalid, "max-bundle %d is not between 1 and %d", c.MaxBundle, registry.DefaultMaxBundle).
			WithHint("mcpm takes no larger bundles")
	}
	if !slices.Contains([]string{"off", "accounts", "everyone"}, c.Playground) {
		return hub.Errorf(hub.Invalid, "playground %q is not one of off, accounts, everyone", c.Playground)
	}
	if c.quota, err = parseQuota(c.ImageQuota); err != nil {
		return err
	}
	if c.McpmVersion != "" && c.McpmVersion != noMcpm && releaseOf(c.McpmVersion) == "" {
		return hub.Errorf(hub.Invalid, "mcpm-version %q is no version of a release", c.McpmVersion).WithHint("write it like 1.4.2, or none")
	}
	return nil
}

// noMcpm turns off what mcpm is told of its own versions.
const noMcpm = "none"

// mcpm returns the version of mcpm that mcpm is told of, "" for none: a build between releases has none of its own.
func (c *config) mcpm(program string) string {
	switch c.McpmVersion {
	case noMcpm:
		return ""
	case "":
		return releaseOf(program)
	}
	return releaseOf(c.McpmVersion)
}

// releaseOf returns the number of a release, without a v; "" for what is none.
func releaseOf(s string) string {
	v, err := hub.ParseVersion(strings.TrimPrefix(s, "v"))
	if err != nil || v.Prerelease() != "" {
		return ""
	}
	return v.String()
}

func newConfigCmd() *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print the settings in force and where each comes from, secrets masked", Args: cobra.NoArgs,
		Long: "Config prints every setting as it is in force, in the form of the settings file, and behind it where it comes from:\n" +
			"a flag, a variable, the file, or the default. What the default depends on is filled in.",
		Example: "  mcphub config\n  MCPHUB_DATABASE=postgres://hub:secret@db/hub mcphub config",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			c.Database, c.Blobs, c.Search, c.Vectors = c.targets()
			notes := map[string]string{"embedding": ": the model in the binary", "base-url": ": made from addr"}
			v := reflect.ValueOf(*c)
			for i := range v.NumField() {
				name, ok := v.Type().Field(i).Tag.Lookup("koanf")
				if !ok {
					continue
				}
				value := v.Field(i).Interface()
				if name == "embedding-key" && value != "" {
					value = "MASKED"
				}
				from := c.from[name]
				if from == "default" {
					from += notes[name]
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-46s # %s\n", name+": "+shown(value), from); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// passwordRE finds the password of an address with several hosts, which url.Parse does not read.
var passwordRE = regexp.MustCompile(`://([^:@/]*):[^/]*@`)

// shown renders a setting as YAML, with the password of an address masked.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		if u, err := url.Parse(v); err == nil && u.Scheme != "" {
			if u.User != nil {
				if _, has := u.User.Password(); has {
					u.User = url.UserPassword(u.User.Username(), "MASKED")
				}
			}
			q := u.Query()
			for key := range q {
				if l := strings.ToLower(key); strings.Contains(l, "pass") || strings.Contains(l, "secret") || strings.Contains(l, "key") || strings.Contains(l, "token") {
					q.Set(key, "MASKED")
				}
			}
			if len(q) > 0 {
				u.RawQuery = q.Encode()
			}
			v = u.String()
		}
		return fmt.Sprintf("%q", passwordRE.ReplaceAllString(v, "://${1}:MASKED@"))
	case []string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}
