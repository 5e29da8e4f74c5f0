// Package localvec finds servers by meaning inside this process: an exact scan over every vector.
//
// Vectors are kept as one byte a dimension and, beside it, as one bit a dimension: the sign of the distance
// from the mean. A search of many vectors counts differing bits first, which is a few instructions a vector,
// and compares the nearest few thousand byte by byte. Nothing has to be built or balanced, a change costs
// what it changes, and a million vectors of 256 dimensions take 300 MB and some milliseconds.
//
// All changes are appended to one file, which is synced before a change returns and written anew when half
// of it is out of date. A tail that was cut off by a crash is dropped.
package localvec
