// Package embed turns texts into vectors whose cosine says how alike they mean. Static is the model inside
// the binary: a table of one vector for each piece of a word, whose mean is the vector of a text. It needs
// no network, no key and a few microseconds a text; tools/staticmodel makes it. Remote asks any endpoint
// that speaks the OpenAI form of /v1/embeddings, for those who want a larger model.
package embed
