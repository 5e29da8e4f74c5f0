package embed

import (
	"context"
	_ "embed" // for model.bin
	"math"
	"sync"

	"github.com/mcphub/mcphub/internal/hub"
)

// modelFile is the model as tools/staticmodel wrote it. As a string it stays in the read-only part of the
// binary: what no text needs is never read from disk.
//
//go:embed model.bin
var modelFile string

// Static is the built-in model. It is safe for use by many at once.
type Static struct {
	model   *model
	scratch sync.Pool // of *tokenizer
}

var _ hub.Embedder = (*Static)(nil)

// New returns the built-in model. It only reads the header, so it costs a start nothing.
func New() (*Static, error) {
	m, err := openModel(modelFile)
	if err != nil {
		return nil, err
	}
	s := &Static{model: m}
	s.scratch.New = func() any { return &tokenizer{vocab: m} }
	return s, nil
}

// Model names the model by its file: another file makes other vectors.
func (s *Static) Model() string { return s.model.name }

// Dimensions is the length of the vectors.
func (s *Static) Dimensions() int { return s.model.dims }

// Embed returns one vector for each text; it fails only when ctx is done. Of a text the first MaxBytes are
// read and the first MaxTokens pieces are taken.
func (s *Static) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	dims := s.model.dims
	all := make([]float32, len(texts)*dims)
	out := make([][]float32, len(texts))
	t := s.scratch.Get().(*tokenizer)
	defer s.scratch.Put(t)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = all[i*dims : (i+1)*dims : (i+1)*dims]
		for _, id := range t.tokens(text) {
			s.model.add(out[i], id)
		}
		normalize(out[i])
	}
	return out, nil
}

// normalize gives v length 1, or leaves it when it has none.
func normalize(v []float32) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return
	}
	f := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= f
	}
}
