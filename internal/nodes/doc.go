// Package nodes asks the nodes of a search engine over HTTP, in JSON: the next one when one does not answer, no
// longer than is sensible, and no more than fits. What an engine is asked is the business of its own package.
package nodes
