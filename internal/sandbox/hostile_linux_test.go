package sandbox_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attempts are what a hostile server tries. Each returns what it got hold of, or why it did not.
var attempts = map[string]func(arg string) (string, error){
	"read": func(path string) (string, error) {
		data, err := os.ReadFile(path)
		if err == nil && len(data) == 0 {
			err = errors.New("it is empty")
		}
		return string(data), err
	},
	"list": func(path string) (string, error) {
		list, err := os.ReadDir(path)
		if err == nil && len(list) == 0 {
			err = errors.New("it is empty")
		}
		return fmt.Sprint(list), err
	},
	"many": func(count string) (string, error) {
		n, err := strconv.Atoi(count)
		for i := range n {
			_, _ = os.Stat(fmt.Sprintf("/home/somebody/%d", i))
		}
		_, _ = os.Stat("/" + strings.Repeat("\x01", 3000))
		return "tried", err
	},
	"write": func(path string) (string, error) { return "wrote " + path, os.WriteFile(path, []byte("x"), 0o600) },
	"link": func(arg string) (string, error) {
		at, to, _ := strings.Cut(arg, " ")
		if err := os.Symlink(to, at); err != nil {
			return "", err
		}
		data, err := os.ReadFile(at)
		return string(data), err
	},
	"dial":     dial,
	"connect":  viaProxy,
	"converse": converse,
	"attend":   attend,
	"packet": func(addr string) (string, error) {
		c, err := net.Dial("udp", addr)
		if err != nil {
			return "", err
		}
		defer c.Close()
		_, err = c.Write([]byte("secret.attacker.example"))
		return "sent a packet to " + addr, err
	},
	"lookup": func(name string) (string, error) {
		list, err := net.LookupHost(name)
		if err == nil && !slices.ContainsFunc(list, func(a string) bool { return !strings.HasPrefix(a, "127.83.") }) {
			return "", errors.New("answered inside, with an address that leads to the rules")
		}
		return fmt.Sprint(list), err
	},
	"socket": func(string) (string, error) {
		for _, domain := range []int{unix.AF_PACKET, unix.AF_VSOCK, unix.AF_ALG, unix.AF_BLUETOOTH} {
			if fd, err := unix.Socket(domain, unix.SOCK_RAW, 0); err == nil {
				return fmt.Sprintf("a socket of family %d: %d", domain, fd), nil
			}
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
		return fmt.Sprintf("a raw socket: %d", fd), err
	},
	"start": func(program string) (string, error) {
		out, err := exec.Command(program).CombinedOutput()
		return string(out), err
	},
	"own": func(dir string) (string, error) { // a program it wrote itself
		path := dir + "/own"
		data, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(path, data, 0o700); err != nil {
			return "", err
		}
		out, err := exec.Command(path, "hostile", "hello", "").CombinedOutput()
		return string(out), err
	},
	"hello": func(string) (string, error) { return "hello", nil },
	"namespace": func(string) (string, error) {
		return "a user namespace", unix.Unshare(unix.CLONE_NEWUSER)
	},
	"clone": func(string) (string, error) {
		cmd := exec.Command("/proc/self/exe", "hostile", "hello", "")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
		return "a user namespace", cmd.Run()
	},
	"mount": func(string) (string, error) {
		return "a mount", unix.Mount("tmpfs", "/tmp", "tmpfs", 0, "")
	},
	"umount": func(path string) (string, error) { return "uncovered " + path, unix.Unmount(path, unix.MNT_DETACH) },
	"trace":  func(string) (string, error) { return "process 1", unix.PtraceAttach(1) },
	"keys": func(string) (string, error) {
		_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
		return "a keyring", err
	},
	"program": func(string) (string, error) {
		_, _, errno := unix.Syscall(unix.SYS_BPF, 0, 0, 0)
		if errno != unix.EPERM {
			return "", errors.New("stopped otherwise: " + errno.Error())
		}
		return "", errno
	},
	"processors": func(string) (string, error) {
		var set unix.CPUSet
		for cpu := range 64 {
			set.Set(cpu)
		}
		return "all processors", unix.SchedSetaffinity(0, &set)
	},
	"root": func(string) (string, error) { return "root", syscall.Setuid(0) },
	"become": func(path string) (string, error) { // a program with the setuid bit, of root
		out, err := exec.Command(path, "hostile", "who", "").CombinedOutput()
		if err == nil && !strings.HasPrefix(string(out), "ESCAPED") {
			err = errors.New(string(out))
		}
		return string(out), err
	},
	"who": func(string) (string, error) {
		if uid := os.Geteuid(); uid != 0 {
			return "", fmt.Errorf("it is user %d", uid)
		}
		return "root", nil
	},
	"kill": func(string) (string, error) {
		if err := unix.Kill(1, unix.SIGKILL); err != nil {
			return "", err
		}
		time.Sleep(200 * time.Millisecond)
		return "", errors.New("process 1 is still there")
	},
	"environment": func(secret string) (string, error) {
		all := strings.Join(os.Environ(), "\n")
		if strings.Contains(all, secret) {
			return all, nil
		}
		return "", errors.New("it is not there")
	},
	"files": func(string) (string, error) { // open files that were left to it
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return "", err
		}
		var open []string
		for _, e := range list {
			to, err := os.Readlink("/proc/self/fd/" + e.Name())
			if strings.HasPrefix(to, "/sys/fs/cgroup/cpu") {
				continue // this program's own runtime has opened it, to learn of its processors
			}
			if err == nil && !strings.HasPrefix(to, "pipe:") && !strings.HasPrefix(to, "anon_inode:") && to != "/dev/null" && !strings.HasPrefix(to, "/proc/") {
				open = append(open, to)
			}
		}
		if len(open) == 0 {
			return "", errors.New("none but its own")
		}
		return fmt.Sprint(open), nil
	},
	"forks": forks,
	"memfd": func(mib string) (string, error) { // memory that is in no process's own
		n, err := strconv.Atoi(mib)
		if err != nil {
			return "", err
		}
		fd, err := unix.MemfdCreate("x", 0)
		if err != nil {
			return "", err
		}
		for block := make([]byte, 1<<20); n > 0; n-- {
			if _, err := unix.Write(fd, block); err != nil {
				return "", err
			}
		}
		return "took " + mib + " MiB", nil
	},
	"memory": memory,
	"disk":   disk,
	"big":    big,
	"daemon": func(arg string) (string, error) { // leaves its session and its parent
		cmd := exec.Command("/proc/self/exe", "hostile", "forever", arg)
		cmd.Stdout = os.Stdout
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return "", err
		}
		return forever("")
	},
	"deaf": func(string) (string, error) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		return forever("")
	},
	"forever": forever,
	"talk": func(string) (string, error) {
		for range 64 {
			if _, err := os.Stdout.Write(make([]byte, 1<<20)); err != nil {
				return "", err
			}
		}
		os.Exit(0)
		return "", nil
	},
}

func forever(string) (string, error) {
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

func hostile(args []string) {
	got, err := attempts[args[0]](args[1])
	if err != nil {
		fmt.Println("stopped:", err)
		os.Exit(0)
	}
	fmt.Println("ESCAPED:", got)
	os.Exit(0)
}

func dial(addr string) (string, error) {
	network, addr, _ := strings.Cut(addr, " ")
	c, err := net.DialTimeout(network, addr, 3*time.Second)
	if err != nil {
		return "", err
	}
	c.Close()
	return "reached " + addr, nil
}

// converse says something to a server past the proxy, and waits for the answer.
func converse(addr string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, 3*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	return answer, err
}

// attend listens at a port, after a while, and answers the first who comes.
func attend(port string) (string, error) {
	time.Sleep(200 * time.Millisecond)
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return "", err
	}
	c, err := l.Accept()
	if err != nil {
		return "", err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, "inside: "+line); err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, r) // what is on its way when it ends is lost
	return line, err
}

// viaProxy asks the proxy for a tunnel, and for a page.
func viaProxy(target string) (string, error) {
	at, err := url.Parse(os.Getenv("HTTP_PROXY"))
	if err != nil || at.Host == "" {
		return "", errors.New("there is no proxy")
	}
	c, err := net.DialTimeout("tcp", at.Host, 3*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	if res.StatusCode == http.StatusOK {
		return "a tunnel to " + target, nil
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{Proxy: http.ProxyURL(at)}}
	page, err := client.Get("http://" + target + "/")
	if err != nil {
		return "", err
	}
	defer page.Body.Close()
	body, _ := io.ReadAll(page.Body)
	if page.StatusCode == http.StatusOK {
		return "a page of " + target, nil
	}
	return "", errors.New(strings.TrimSpace(string(body)))
}

func forks(string) (string, error) {
	for i := range 2000 {
		cmd := exec.Command("/proc/self/exe", "hostile", "forever", "")
		if err := cmd.Start(); err != nil {
			return "", fmt.Errorf("after %d: %w", i, err)
		}
	}
	return "2000 processes", nil
}

func memory(string) (string, error) {
	var all [][]byte
	for i := range 4096 {
		b := make([]byte, 1<<20)
		for j := 0; j < len(b); j += 4096 {
			b[j] = 1
		}
		all = append(all, b)
		if i%16 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	return fmt.Sprintf("%d MiB", len(all)), nil
}

func disk(dir string) (string, error) {
	for i := range 100 {
		if err := os.WriteFile(fmt.Sprint(dir, "/", i), make([]byte, 16<<20), 0o600); err != nil {
			return "", err
		}
	}
	return "1600 MiB", nil
}

func big(dir string) (string, error) {
	f, err := os.Create(dir + "/big")
	if err != nil {
		return "", err
	}
	return "a file of 1 TiB", f.Truncate(1 << 40)
}
