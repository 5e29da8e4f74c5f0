// Package blobstore keeps bytes under the digest of their content, in a directory or in memory, through
// gocloud.dev/blob, so that an object store is one more line in Open.
//
// What is written is staged in a file while it is hashed and counted; only then does it get its name. In
// a directory the staged file is on the same disk and is renamed, after it and before its folder are
// synced: a blob is there whole or not at all, also after a power cut.
package blobstore
