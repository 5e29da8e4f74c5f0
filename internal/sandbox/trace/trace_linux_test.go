package trace

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

func TestKindOf(t *testing.T) {
	for flags, want := range map[uint64]Kind{
		unix.O_RDONLY: Read, unix.O_RDONLY | unix.O_CLOEXEC | unix.O_DIRECTORY: Read, unix.O_RDWR: Write, unix.O_WRONLY | unix.O_APPEND: Write,
		unix.O_RDONLY | unix.O_CREAT: Write, unix.O_RDONLY | unix.O_TRUNC: Write, unix.O_PATH | unix.O_DIRECTORY: Look, unix.O_TMPFILE | unix.O_RDWR: Write,
	} {
		if got := kindOf(flags); got != want {
			t.Errorf("%#x is %s, want %s", flags, got, want)
		}
	}
}

func question(t *testing.T, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	out, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNames guards: each name gets an address of its own from which it is known again, told once, and what is no question
// gets no answer.
func TestNames(t *testing.T) {
	var told []string
	d := new(Names)
	d.Tell(func(a Attempt) { told = append(told, string(a.Kind)+" "+a.Host) })
	for _, name := range []string{"api.example.com.", "API.example.com.", "other.example.com."} {
		var m dnsmessage.Message
		if err := m.Unpack(d.reply(question(t, name, dnsmessage.TypeA))); err != nil || m.ID != 7 || len(m.Answers) != 1 {
			t.Fatalf("%s: %v, %+v", name, err, m)
		}
		addr := netip.AddrFrom4(m.Answers[0].Body.(*dnsmessage.AResource).A)
		if want := map[bool]string{true: "other.example.com", false: "api.example.com"}[name[0] == 'o']; d.Of(addr) != want || !addr.IsLoopback() {
			t.Errorf("%s is %s, of %q", name, addr, d.Of(addr))
		}
	}
	if len(told) != 2 {
		t.Errorf("told %q", told)
	}
	var m dnsmessage.Message
	if err := m.Unpack(d.reply(question(t, "api.example.com.", dnsmessage.TypeAAAA))); err != nil || len(m.Answers) != 0 {
		t.Errorf("an address of IPv6: %v, %+v", err, m)
	}
	if err := m.Unpack(d.reply(question(t, "1.0.0.127.in-addr.arpa.", dnsmessage.TypePTR))); err != nil || len(m.Answers) != 0 || len(told) != 2 {
		t.Errorf("no host: %v, %+v, told %q", err, m, told)
	}
	for _, no := range [][]byte{nil, {1, 2, 3}, make([]byte, 12), []byte("GET / HTTP/1.1\r\n\r\n")} {
		if got := d.reply(no); got != nil {
			t.Errorf("%q is answered with %q", no, got)
		}
	}
	for _, addr := range []string{"127.0.0.1", "127.83.0.0", "127.83.0.9", "192.0.2.1", "::1"} {
		if got := d.Of(netip.MustParseAddr(addr)); got != addr {
			t.Errorf("%s is %q", addr, got)
		}
	}
	if got := (*Names)(nil).Of(netip.MustParseAddr("127.83.0.1")); got != "127.83.0.1" {
		t.Errorf("without names: %q", got)
	}
}
