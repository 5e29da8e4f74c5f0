package embed

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
)

// The model file, all numbers little endian. Everything is used where it lies.
//
//	magic    8 bytes  "MCPHEMB1": what it is, and the version of this form
//	dims     uint32   numbers in a vector
//	count    uint32   tokens
//	slots    uint32   size of the hash table, a power of two
//	letters  uint32   bytes of all tokens together
//	name     32 bytes padded with zeros
//	ends     count × uint32: where each token ends in the letters
//	table    slots × uint16: hash of a token to its number, noToken where free; collisions go to the next slot
//	scales   count × float32: weight of the token times the step of its int8 numbers
//	letters
//	matrix   count × dims × int8
//	digest   32 bytes: SHA-256 of everything before
const (
	magic      = "MCPHEMB1"
	headerSize = 8 + 4*4 + 32
	digestSize = 32
	noToken    = 1<<16 - 1
)

// model is an opened model file; every string in it is a piece of the file.
type model struct {
	name                         string
	dims, count, mask            int
	ends, table, scales, letters string
	matrix                       string
}

// openModel checks the sizes of the parts of a model file. It doesn't check the digest, which a test does:
// the file comes with the program.
func openModel(file string) (*model, error) {
	if len(file) < headerSize+digestSize || file[:8] != magic {
		return nil, fmt.Errorf("embed: this is no model file of version %s", magic[7:])
	}
	dims, count, slots, letters := int(u32(file, 8)), int(u32(file, 12)), int(u32(file, 16)), int(u32(file, 20))
	if dims == 0 || dims > 4096 || count == 0 || count >= noToken || slots <= count || slots > 1<<17 || slots&(slots-1) != 0 || letters > 1<<24 {
		return nil, fmt.Errorf("embed: the header of the model file is damaged")
	}
	if want := headerSize + 4*count + 2*slots + 4*count + letters + count*dims + digestSize; len(file) != want {
		return nil, fmt.Errorf("embed: the model file has %d bytes, want %d", len(file), want)
	}
	m := &model{dims: dims, count: count, mask: slots - 1}
	rest := file[headerSize:]
	cut := func(n int) string {
		part := rest[:n]
		rest = rest[n:]
		return part
	}
	m.ends, m.table, m.scales, m.letters, m.matrix = cut(4*count), cut(2*slots), cut(4*count), cut(letters), cut(count*dims)
	if int(u32(m.ends, 4*(count-1))) != letters {
		return nil, fmt.Errorf("embed: the vocabulary of the model file is damaged")
	}
	m.name = strings.TrimRight(file[24:headerSize], "\x00") + "/" + hex.EncodeToString([]byte(rest[:4]))
	return m, nil
}

// token returns the letters of token id.
func (m *model) token(id int) string {
	from := 0
	if id > 0 {
		from = int(u32(m.ends, 4*(id-1)))
	}
	return m.letters[from:u32(m.ends, 4*id)]
}

// The hash of a token is FNV-1a over its bytes; one that goes on inside a word begins from another number,
// so that its "##" need not be put before it.
const (
	hashPrime = 16777619
	hashWord  = 2166136261
	hashInner = ((hashWord^'#')*hashPrime&math.MaxUint32 ^ '#') * hashPrime & math.MaxUint32
)

// find returns the number of the token with these letters ("##" left out when inner) and this hash, or noToken.
func (m *model) find(hash uint32, letters []byte, inner bool) int {
	for slot := int(hash^hash>>16) & m.mask; ; slot = (slot + 1) & m.mask {
		id := int(m.table[2*slot]) | int(m.table[2*slot+1])<<8
		if id >= m.count {
			return noToken
		}
		token := m.token(id)
		if inner {
			if len(token) != len(letters)+2 || token[:2] != "##" {
				continue
			}
			token = token[2:]
		}
		if token == string(letters) {
			return id
		}
	}
}

// add adds the vector of token id, with its weight, to sum.
func (m *model) add(sum []float32, id int) {
	scale := math.Float32frombits(u32(m.scales, 4*id))
	row := m.matrix[id*m.dims:]
	row = row[:len(sum)]
	for i := range sum {
		sum[i] += scale * float32(int8(row[i]))
	}
}

func u32(s string, at int) uint32 {
	b := s[at : at+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
