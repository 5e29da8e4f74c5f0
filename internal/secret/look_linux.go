package secret

import (
	"context"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"
	"github.com/mcphub/mcphub/internal/hub"
)

const (
	secretsName = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath   = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
)

// look asks whether a Secret Service answers, and whether the collection that secrets go to is locked. It never
// starts a message bus: without a session there is no keychain.
func look(ctx context.Context, getenv func(string) string) (locked bool, err error) {
	address := busAddress(getenv)
	if address == "" {
		return false, hub.Errorf(hub.Unavailable, "there is no desktop session, so no keychain")
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return false, hub.Errorf(hub.Unavailable, "the message bus of the session cannot be reached").WithCause(err)
	}
	defer conn.Close()
	service := conn.Object(secretsName, secretsPath)
	for _, path := range []dbus.ObjectPath{loginPath, ""} {
		if path == "" {
			call := service.CallWithContext(ctx, "org.freedesktop.Secret.Service.ReadAlias", 0, "default")
			if err := call.Store(&path); err != nil {
				return false, hub.Errorf(hub.Unavailable, "no keychain answers in this session").WithCause(err)
			}
			if path == "/" {
				return false, hub.Errorf(hub.Unavailable, "the keychain of this session was never set up")
			}
		}
		var v dbus.Variant
		call := conn.Object(secretsName, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, "org.freedesktop.Secret.Collection", "Locked")
		if err := call.Store(&v); err == nil {
			locked, _ = v.Value().(bool)
			return locked, nil
		}
	}
	return false, hub.Errorf(hub.Unavailable, "the keychain of this session does not say whether it is locked")
}

// busAddress returns where the session's message bus listens, or "".
func busAddress(getenv func(string) string) string {
	if a := getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" && a != "autolaunch:" {
		return a
	}
	dir := getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return ""
	}
	socket := filepath.Join(dir, "bus")
	if _, err := os.Stat(socket); err != nil {
		return ""
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(socket)
}
