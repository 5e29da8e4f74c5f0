// Package memcache keeps a cache and call limits in the memory of this process. It is the default, and
// right for one hub; several hubs that must agree need a backend outside of them.
package memcache
