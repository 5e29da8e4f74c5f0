package embed

// Knows reports whether a word is one of the model's vocabulary, whole: some twenty thousand words of English and
// their usual forms. It is how a word that is merely rare is told from one with wrong letters.
func (s *Static) Knows(word string) bool {
	t := s.scratch.Get().(*tokenizer)
	defer s.scratch.Put(t)
	return len(t.tokens(word)) == 1
}
